import assert from "node:assert/strict";
import { test } from "node:test";
import {
  acknowledge,
  acknowledgmentMode,
  addressesAt,
  codesFor,
  identifiersAt,
  type Message,
  momentOf,
  momentText,
  personNamesAt,
  providerNamesAt,
  readMessage,
  segmentNamed,
  writeMessage,
} from "./index.ts";

const header = "MSH|^~\\&|HIS|CLINIC|LEADGLASS|RAD|20260301080000||ADT^A08^ADT_A01|17|P|2.5.1";
function read(text: string): Message {
  const reading = readMessage(Buffer.from(text));
  assert.ok(reading.kind === "message");
  return reading.message;
}
const written = (message: Message) => Buffer.from(writeMessage(message) ?? []).toString();

test("names, identifiers and addresses by their components", () => {
  const message = read(
    `${header}\rPID|1||A1^^^HOSP&1.2.3&ISO^MR~9^^^&1.2.4&ISO||van Dam&van&Dam^Jo^M^Jr^Dr^^L^A~山田^太郎^^^^^L^I||||||1 Main St^Flat 2^Town^ST^123^NL\rPV1|1||||||77^Roe^Rae^R^^Dr`,
  );
  const pid = segmentNamed(message, "PID");
  assert.deepEqual(
    identifiersAt(message, pid, 3).map(({ id, authority, type }) => [id, authority, type]),
    [
      ["A1", "HOSP", "MR"],
      ["9", "1.2.4", ""],
    ],
  );
  const [latin, kanji] = personNamesAt(message, pid, 5);
  assert.deepEqual(latin, {
    ...{ family: "van Dam", given: "Jo", middle: "M", suffix: "Jr", prefix: "Dr" },
    ...{ type: "L", representation: "A" },
  });
  assert.deepEqual([kanji?.family, kanji?.representation], ["山田", "I"]);
  assert.deepEqual(addressesAt(message, pid, 11)[0], {
    ...{ street: "1 Main St", other: "Flat 2", city: "Town", state: "ST", postalCode: "123", country: "NL" },
  });
  assert.equal(providerNamesAt(message, segmentNamed(message, "PV1"), 7)[0]?.prefix, "Dr");
});

test("moments as far as they are said, with their zone; what is none is none", () => {
  assert.deepEqual(momentOf("202603010830-0530"), { date: "20260301", time: "0830", zoneMinutes: -330 });
  assert.deepEqual(momentOf("20260301083015.1234"), { date: "20260301", time: "083015.1234", zoneMinutes: undefined });
  assert.deepEqual(momentOf("1924"), { date: "1924", time: "", zoneMinutes: undefined });
  assert.deepEqual(momentOf("20240229")?.date, "20240229");
  for (const none of ["", "202", "20250229", "20261301", "2026030124", "202603010860", "20260301T0830", "0".repeat(40)])
    assert.equal(momentOf(none), undefined, none);
  assert.equal(momentText(Date.UTC(2026, 2, 1, 8, 30, 5)), "20260301083005+0000");
});

test("an answer turns sender and receiver round, and repeats the control id", () => {
  const answer = acknowledge(read(header), "AA", { controlId: "c1", at: "20260301" });
  assert.equal(written(answer), "MSH|^~\\&|LEADGLASS|RAD|HIS|CLINIC|20260301||ACK^A08^ACK|c1|P|2.5.1\rMSA|AA|17\r");
  const old = acknowledge(read(header.replace("2.5.1", "2.2")), "AA", { controlId: "c1", at: "" });
  assert.match(written(old), /\|ACK\|c1\|P\|2\.2\r/);
  assert.match(written(acknowledge(undefined, "AR", { controlId: "c1", at: "" })), /\rMSA\|AR\|\r$/);
});

test("a fault is told by its code and place: from 2.5 on field by field, before in one", () => {
  const fault = {
    condition: "requiredField",
    what: "no patient id | here",
    at: { segment: "PID", sequence: 1, field: 3 },
  } as const;
  const answer = (version: string) =>
    written(acknowledge(read(header.replace("2.5.1", version)), "AE", { controlId: "c", at: "", fault }));
  assert.match(
    answer("2.5.1"),
    /\rMSA\|AE\|17\|no patient id \\F\\ here\rERR\|\|PID\^1\^3\|101\^Required field missing\^HL70357\|E\|\|\|\|no patient id \\F\\ here\r$/,
  );
  assert.match(answer("2.3.1"), /\rERR\|PID\^1\^3\^101&Required field missing&HL70357\r$/);
});

test("in enhanced mode the sender says which answers it wants", () => {
  const mode = (accept: string, application: string) =>
    acknowledgmentMode(read(`${header}|||${accept}|${application}`));
  assert.deepEqual(codesFor(mode("", ""), "error"), ["AE"]);
  assert.deepEqual(codesFor(mode("AL", "AL"), "accepted"), ["CA", "AA"]);
  assert.deepEqual(codesFor(mode("AL", "NE"), "rejected", false), ["CR"]);
  assert.deepEqual(codesFor(mode("ER", "SU"), "accepted"), ["AA"]);
  assert.deepEqual(codesFor(mode("ER", "SU"), "error", false), ["CE"]);
  assert.deepEqual(codesFor(mode("NE", "NE"), "rejected"), []);
  assert.deepEqual(codesFor(mode("AL", "AL"), "error"), ["CA", "AE"], "taken, and then not done");
  assert.deepEqual(codesFor(mode("AL", "AL"), "error", false), ["CE"], "nothing follows on what was not taken");
  assert.deepEqual(codesFor(mode("ER", "ER"), "rejected"), ["AR"]);
});

test("76: what an answer gives back of a message ends no segment and names no other delimiters", () => {
  const odd = "MSH*!@#;*HIS\nMSA*AR*x*CLINIC***ADT*17\u000bx\nERR**P*2.5.1";
  const message = read(`${odd}\r`);
  const bytes = written(
    acknowledge(message, "AE", { controlId: "a*b", at: "", fault: { condition: "internal", what: "x*y\rPID*1" } }),
  );
  assert.deepEqual(
    bytes.split(/[\r\n]/).map((line) => line.slice(0, 4)),
    ["MSH*", "MSA*", "ERR*", ""],
  );
  assert.equal([...bytes].filter((character) => character < " " && character !== "\r").length, 0);
});
