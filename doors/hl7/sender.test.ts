import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createVirtualClock } from "#base/clock";
import { createFrameReader, framed } from "./framing.ts";
import { createHl7Sender } from "./index.ts";

const message = (id: string) => Buffer.from(`MSH|^~\\&|LEADGLASS||RIS||20260301||ORM^O01|${id}|P|2.5.1\rORC|SC|1\r`);
const ack = (code: string, id: string) =>
  framed(Buffer.from(`MSH|^~\\&|RIS||LEADGLASS||20260301||ACK|9|P|2.5.1\rMSA|${code}|${id}\r`));

type Says = (id: string, nth: number) => Uint8Array | "close" | "nothing";

/** A receiver that does as it is told. */
function receiver(says: Says) {
  const clock = createVirtualClock();
  const heard: string[] = [];
  let opened = 0;
  let hangUp = () => {};
  const sender = createHl7Sender({
    clock,
    limits: { answerMs: 1_000, answerBytesMax: 2_000 },
    async open() {
      opened++;
      const [ours, theirs] = duplexPair();
      hangUp = () => void theirs.end();
      const frames = createFrameReader(100_000);
      theirs.on("error", () => {});
      theirs.on("data", (bytes: Uint8Array) => {
        frames.push(bytes);
        for (let found = frames.next(); found?.kind === "frame"; found = frames.next()) {
          const id = Buffer.from(found.bytes).toString().split("|")[9] ?? "";
          heard.push(id);
          const answer = says(id, heard.length);
          if (answer === "close") theirs.end();
          else if (answer !== "nothing") theirs.write(answer);
        }
      });
      return ours;
    },
  });
  const rest = async () => {
    for (let turns = 0; turns < 20; turns++) await turn();
  };
  return { sender, clock, heard, rest, opened: () => opened, hangUp: () => hangUp() };
}

test("one connection is kept for one message after the other; each answer is that of its message", async () => {
  const codes: Readonly<Record<string, string>> = { a: "AA", b: "AE", c: "AR", d: "CA", e: "CE", f: "CR" };
  const { sender, opened } = receiver((id) => ack(codes[id] ?? "", id));
  const kinds: string[] = [];
  for (const id of Object.keys(codes)) kinds.push((await sender.send(message(id), id)).kind);
  assert.deepEqual(kinds, ["accepted", "error", "rejected", "accepted", "error", "rejected"]);
  assert.equal(opened(), 1);
  sender.close();
});

test("attack 79: an answer to another message is no answer, and the connection is not used again", async () => {
  const { sender, opened } = receiver((id, nth) => ack("AA", nth === 1 ? "other" : id));
  assert.deepEqual((await sender.send(message("a"), "a")).said, "an answer to another message");
  assert.equal((await sender.send(message("a"), "a")).kind, "accepted");
  assert.equal(opened(), 2);
});

test("an answer to an earlier message that comes late is passed over", async () => {
  const { sender, opened } = receiver((id, nth) =>
    nth === 2 ? Buffer.concat([ack("AA", "a"), ack("AE", id)]) : ack("CA", id),
  );
  assert.equal((await sender.send(message("a"), "a")).kind, "accepted");
  assert.equal((await sender.send(message("b"), "b")).kind, "error");
  assert.equal(opened(), 1);
});

test("garbage, frames without end, answers that are too long, and messages that are no answer are said to be what they are", async () => {
  const answers: readonly (readonly [Uint8Array, string])[] = [
    [Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"), "bytes that are no frame"],
    [framed(Buffer.from("hello")), "an answer that is no HL7 message"],
    [framed(message("a")), "a message that is no answer"],
    [Buffer.concat([Uint8Array.of(0x0b), Buffer.from("MSH"), ack("AA", "a")]), "an answer that was not ended"],
    [Buffer.concat([Uint8Array.of(0x0b), Buffer.alloc(5_000, "x")]), "an answer longer than is taken here"],
    [Buffer.concat(Array.from({ length: 60 }, () => ack("AA", "z"))), "an answer to another message"],
  ];
  for (const [bytes, fault] of answers) {
    const { sender } = receiver(() => bytes);
    assert.deepEqual((await sender.send(message("a"), "a")).said, fault);
    sender.close();
  }
});

test("who never answers is given up after a while, and heard anew on another connection", async () => {
  const { sender, clock, rest, opened, heard } = receiver((id, nth) => (nth === 1 ? "nothing" : ack("AA", id)));
  const sending = assert.rejects(sender.send(message("a"), "a"), {
    code: "unavailable",
    message: "no answer came in time",
  });
  await rest();
  clock.advance(1_000);
  await sending;
  assert.equal((await sender.send(message("a"), "a")).kind, "accepted");
  assert.deepEqual([heard, opened()], [["a", "a"], 2]);
});

test("a connection that the receiver ended while it was quiet costs nothing; one that it ends at a message does", async () => {
  const { sender, rest, opened, hangUp, heard } = receiver((id, nth) =>
    nth === 2 || nth === 4 || nth === 5 ? "close" : ack("AA", id),
  );
  assert.equal((await sender.send(message("a"), "a")).kind, "accepted");
  hangUp();
  await rest();
  await assert.rejects(sender.send(message("b"), "b"), { code: "unavailable" }, "a fresh one, and it was closed");
  assert.equal((await sender.send(message("b"), "b")).kind, "accepted");
  await assert.rejects(sender.send(message("c"), "c"), { code: "unavailable" }, "the old one, and a fresh one");
  assert.deepEqual([heard.join(""), opened()], ["abbcc", 4]);
});

test("what cannot be opened is said to be unavailable; a message in flight ends with the sender", async () => {
  const clock = createVirtualClock();
  const silent = createHl7Sender({ clock, open: () => new Promise(() => {}), limits: { openMs: 10 } });
  const opening = assert.rejects(silent.send(message("a"), "a"), { code: "unavailable" });
  clock.advance(10);
  await opening;
  const { sender, rest } = receiver(() => "nothing");
  const sending = assert.rejects(sender.send(message("a"), "a"), { code: "unavailable" });
  await rest();
  sender.close();
  await sending;
});
