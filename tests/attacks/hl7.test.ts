// Rows 74 to 80 of the attack table: what strangers, and partners that have gone bad, send to the HL7 port.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { WorklistView } from "#formats/api";
import { codeOf, inFrame, messageOf, senderAt } from "../flows/mllp.fixture.ts";
import { asOperator } from "../flows/modality.fixture.ts";
import { type AttackedHouse, startAttackedHouse } from "./attacked-house.fixture.ts";

let house: AttackedHouse;
before(async () => {
  house = await startAttackedHouse({ LEADGLASS_HL7_PORT: "0" });
  house.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
  house.command(["device", "add", "HIS", "--address", "127.0.0.1", "--may", "orders"]);
});
after(() => house?.remove());

const listed = () => asOperator<WorklistView>(house, "/api/worklist");
const pid = (name: string) => `PID|1||P1^^^HOSP^MR||${name}||19700102|F`;
const orderOf = (controlId: string, name = "Doe^Jane", code = "X^Head^L") =>
  messageOf("ORM^O01", controlId, [
    pid(name),
    `ORC|NW|N${controlId}|F${controlId}||||^^^20260302`,
    `OBR|1|N${controlId}|F${controlId}|${code}||||||||||||||A${controlId}|R1|S1||||CT`,
  ]);

test("attack 74: frames without end, within each other, too long, or without pause between them are bounded, found again or closed", async () => {
  const mebibyte = Buffer.alloc(2 ** 20, "A");
  await house.under(
    { inputBytes: 6 * mebibyte.length, tells: /hl7: connection dropped|a frame was not ended/ },
    async () => {
      const endless = senderAt(house.hl7);
      endless.write(`\u000b${orderOf("1")}NTE|1||`);
      for (let piece = 0; piece < 4; piece++) endless.write(mebibyte);
      assert.equal(codeOf(await endless.next()), "AR 207", "more than a message may be: nothing of it is done");
      assert.equal(await endless.next(), undefined);
      const within = senderAt(house.hl7);
      within.write(`\u000b${orderOf("2").slice(0, 90)}${inFrame(orderOf("3"))}`);
      assert.equal(codeOf(await within.next()), "AA", "the one that was given up is forgotten");
      within.write(inFrame(orderOf("4")) + inFrame(orderOf("5")) + inFrame(orderOf("6")));
      for (let each = 0; each < 3; each++) assert.equal(codeOf(await within.next()), "AA");
      within.write("GET / HTTP/1.1\r\n\r\n");
      assert.equal(await within.next(), undefined, "what is no frame ends the connection");
      const dripping = senderAt(house.hl7);
      for (const byte of Buffer.from(inFrame(orderOf("7")))) dripping.write(Uint8Array.of(byte));
      assert.equal(codeOf(await dripping.next()), "AA");
      dripping.close();
    },
  );
  assert.equal((await listed()).total, 5);
});

test("attack 76: other delimiters and escaped ones end no segment, in what is stored and in what is answered", async () => {
  await house.under({}, async () => {
    const sender = senderAt(house.hl7);
    const hidden = orderOf("20", "Doe\\X0D\\PID\\F\\1^Jane\\X0B1C\\");
    assert.equal(codeOf(await sender.send(hidden)), "AA");
    const answer = (await sender.send(orderOf("23\\X0D\\MSA\\F\\AR"))) ?? "";
    assert.equal(codeOf(answer), "AE 102", "no number of an order has two lines");
    assert.deepEqual(
      answer.split(/[\r\n]/).map((line) => line.slice(0, 3)),
      ["MSH", "MSA", "ERR", ""],
    );
    const odd = orderOf("21").replace("|^~\\&|", "|@~\\&|").replaceAll("^", "@");
    assert.match((await sender.send(odd)) ?? "", /^MSH\|@~\\&\|/);
    for (const header of ["|^^\\&|", "|||||", '|"~\\&|', "|A~\\&|"]) {
      const bad = senderAt(house.hl7);
      assert.equal(codeOf(await bad.send(orderOf("22").replace("|^~\\&|", header))).slice(0, 2), "AR");
      bad.close();
    }
    sender.close();
  });
  const names = (await listed()).steps.map(({ patientName }) => patientName);
  assert.ok(names.includes("Doe PID|1^Jane"), "one value on one line");
});

test("attack 77: who was not let say who patients are merges and changes none, whatever it calls itself", async () => {
  await house.under({}, async () => {
    const sender = senderAt(house.hl7);
    for (const [at, [event, ...more]] of [["A40", "MRG|P2^^^HOSP"], ["A08"], ["A47", "MRG|P2^^^HOSP"]].entries()) {
      assert.equal(
        codeOf(await sender.send(messageOf(`ADT^${event}`, `3${at}`, [pid("Evil^Eve"), ...more]))),
        "AR 207",
      );
    }
    sender.close();
  });
  assert.ok((await listed()).steps.every(({ patientName }) => !patientName.startsWith("Evil")));
});

test("attack 78: orders and results of who is not registered here are refused, stored nowhere, and waited on", async () => {
  const { total } = await listed();
  await house.under({ tells: /who is not known here was refused/ }, async () => {
    for (const [name, facility] of [
      ["NMAP", "X"],
      ["LEADGLASS", "CLINIC"],
      ["", ""],
      ["HIS2", "CLINIC"],
    ]) {
      const sender = senderAt(house.hl7);
      const forged = orderOf("40").replace("|HIS|CLINIC|", `|${name}|${facility}|`);
      assert.equal(codeOf(await sender.send(forged)), "AR 207");
      assert.equal(await sender.next(), undefined, "and not heard any longer");
    }
    // A scanner is known, and was not let send orders.
    const scanner = senderAt(house.hl7);
    assert.equal(codeOf(await scanner.send(orderOf("41").replace("|HIS|", "|CT1|"))), "AR 207");
    scanner.close();
  });
  assert.equal((await listed()).total, total);
  const { waiting } = JSON.parse(house.command(["device", "list", "--json"])) as { waiting: { ae: string }[] };
  assert.ok(waiting.some(({ ae }) => ae === "NMAP"));
});

test("attack 79: a message that was recorded and is sent again does nothing, and one that takes its control id is refused", async () => {
  await house.under({}, async () => {
    const sender = senderAt(house.hl7);
    assert.equal(codeOf(await sender.send(orderOf("50"))), "AA");
    const cancel = messageOf("ORM^O01", "51", [pid("Doe^Jane"), "ORC|CA|N50"]);
    assert.equal(codeOf(await sender.send(cancel)), "AA");
    assert.equal(codeOf(await sender.send(orderOf("50"))), "AA", "taken as what it is, a repetition");
    const step = (await listed()).steps.find(({ accessionNumber }) => accessionNumber === "A50");
    assert.equal(step?.status, "CANCELED", "and the order stays cancelled");
    assert.equal(codeOf(await sender.send(orderOf("51"))), "AR 205");
    // Acknowledgements of messages that we never sent.
    for (const type of ["ACK", "ACK^O01", "MCF"])
      assert.equal(codeOf(await sender.send(messageOf(type, `52${type}`, ["MSA|AA|1"]))), "AR 200");
    sender.close();
  });
});

test("attack 80: scripts, SQL, format strings and long values in any field stay text, or are refused", async () => {
  const script = "<script>alert(1)</script>";
  const mixed = `${script}'; DROP TABLE records;--%n%s$`.concat("{jndi:ldap://x}../../etc/passwd");
  const payloads = [`${mixed}__proto__`, "A".repeat(100_000), "\u0000\u0001\u0008"];
  await house.under({ inputBytes: 10_000_000 }, async () => {
    const sender = senderAt(house.hl7);
    let controlId = 600;
    for (const payload of payloads) {
      const parts = orderOf("0").split("\r");
      for (const [line, segment] of parts.entries()) {
        const fields = segment.split("|");
        for (const at of fields.keys()) {
          if (at === 0 || (line === 0 && [1, 2, 9].includes(at))) continue;
          const changed = fields.with(at, payload).join("|");
          const whole = parts.with(line, changed).join("\r").replace("|ORM^O01|0|", `|ORM^O01|${++controlId}|`);
          const one = line === 0 && at <= 4 ? senderAt(house.hl7) : sender;
          assert.match(codeOf(await one.send(whole)), /^A[AER]/, `field ${at} of line ${line}`);
          if (one !== sender) one.close();
        }
      }
    }
    assert.equal(codeOf(await sender.send(orderOf("61", script))), "AA");
    sender.close();
  });
  const { steps } = await listed();
  assert.ok(
    steps.some(({ patientName }) => patientName === script),
    "as text",
  );
});
