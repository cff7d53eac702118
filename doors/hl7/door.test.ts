import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createHl7Door } from "./door.ts";
import { recordingPartners } from "./recording.fixture.ts";

const message = (application: string) =>
  `\u000bMSH|^~\\&|${application}|X|||20260301||ADT^A08|1|P|2.5\rPID|1||P1\r\u001c\r`;

/** A door and connections to it, with a clock that stands until it is moved. */
function openDoor(limits: { connectionsMax?: number; connectionsPerAddressMax?: number } = {}) {
  const { parts, clock } = recordingPartners();
  const door = createHl7Door({ ...parts, limits });
  const call = (remoteAddress: string) => {
    const [theirs, ours] = duplexPair();
    door.accept(Object.assign(ours, { remoteAddress }));
    const heard: string[] = [];
    theirs.on("data", (bytes) => heard.push(String(bytes)));
    return { write: (bytes: string | Uint8Array) => void theirs.write(bytes), heard, isOpen: () => !ours.destroyed };
  };
  /** Until nothing is left to do in this turn of the loop or the next ones. */
  const rest = async () => {
    for (let turns = 0; turns < 20; turns++) await turn();
  };
  return { call, clock, rest };
}

test("a frame that drips is given its time once, not with each byte", async () => {
  const { call, clock, rest } = openDoor();
  const slow = call("10.0.0.9");
  for (const byte of Buffer.from(message("HIS").slice(0, 30))) {
    assert.equal(slow.isOpen(), true);
    slow.write(Uint8Array.of(byte));
    await rest();
    clock.advance(1_000);
  }
  assert.equal(slow.isOpen(), false);
});

test("who says nothing is let go; a partner may be quiet for a night", async () => {
  const { call, clock, rest } = openDoor();
  const [stranger, partner] = [call("10.0.0.8"), call("10.0.0.9")];
  partner.write(message("HIS"));
  await rest();
  clock.advance(31_000);
  assert.deepEqual([stranger.isOpen(), partner.isOpen()], [false, true]);
  clock.advance(8 * 60 * 60_000);
  partner.write(message("HIS"));
  await rest();
  assert.equal(partner.heard.join("").match(/MSA\|AA\|1/g)?.length, 2);
});

test("who floods pushes out itself, and never a partner", async () => {
  const { call, rest } = openDoor({ connectionsMax: 4, connectionsPerAddressMax: 3 });
  const partner = call("10.0.0.9");
  partner.write(message("HIS"));
  await rest();
  const flood = Array.from({ length: 10 }, () => call("10.0.0.66"));
  await rest();
  assert.deepEqual([partner.isOpen(), flood.filter(({ isOpen }) => isOpen()).length], [true, 3]);
});
