import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createVirtualClock, systemClock } from "#base/clock";
import { Problem } from "#base/problem";
import { commandField, noDataSet } from "./command.ts";
import { dial, openAssociation } from "./index.ts";

import {
  connectTo,
  ct,
  doorWith,
  explicit,
  implicit,
  instance,
  open,
  proposal,
  rawPeer,
  storeRq,
  verification,
} from "./scp.fixture.ts";

test("of the transfer syntaxes the first in the requestor's order is taken; a context is refused alone", async () => {
  const jpeg = "1.2.840.10008.1.2.4.70";
  const syntaxes = [implicit, jpeg, explicit];
  const policy = {
    sopClass: (uid: string) => uid === ct,
    transferSyntax: (uid: string) => syntaxes.includes(uid),
  };
  const { door } = doorWith({ policy });
  const contexts = [
    { sopClassUid: ct, transferSyntaxUids: ["1.2.3", jpeg, explicit] },
    { sopClassUid: ct, transferSyntaxUids: ["1.2.3"] },
    { sopClassUid: "1.2.840.10008.5.1.4.31", transferSyntaxUids: [implicit] },
    { sopClassUid: "1.3.12.2.1107.5.9.1", transferSyntaxUids: [implicit] },
    { sopClassUid: ct, transferSyntaxUids: [explicit, implicit] },
  ];
  const peer = await openAssociation(connectTo(door), { ...proposal, contexts }, { clock: systemClock });
  assert.deepEqual(
    peer.contexts.map(({ id, transferSyntaxUid }) => [id, transferSyntaxUid]),
    [
      [1, jpeg],
      [9, explicit],
    ],
  );
  peer.abort();
});

test("a response is cut to what the peer takes, however little and odd", async () => {
  for (const pduBytesMax of [8, 9, 13, 100, 0, 131_072, 0xffffffff]) {
    const { door } = doorWith();
    const peer = await rawPeer(door, pduBytesMax);
    await peer.send(peer.command(storeRq), peer.dataSet(Buffer.alloc(100)));
    assert.equal(peer.commands[0]?.Status, 0, `${pduBytesMax}`);
    if (pduBytesMax > 0) assert.ok(peer.longest.pduBytes <= pduBytesMax, `${peer.longest.pduBytes} of ${pduBytesMax}`);
  }
  for (const pduBytesMax of [1, 2, 6, 7]) {
    const peer = await rawPeer(doorWith().door, pduBytesMax);
    assert.deepEqual(peer.pdus, ["associate-rj"]);
  }
});

test("who is not admitted is rejected with the reason of the standard, and reported", async () => {
  const reasons = {
    "calling-ae": "1, source 1, reason 3",
    "called-ae": "1, source 1, reason 7",
    identity: "1, source 2, reason 1",
    busy: "2, source 3, reason 1",
  } as const;
  for (const [reason, answer] of Object.entries(reasons)) {
    const { door, events } = doorWith({
      callers: { admit: async () => ({ admitted: false, reason: reason as keyof typeof reasons }) },
    });
    await assert.rejects(open(door), (error: Error) => error.message.includes(`(result ${answer})`));
    assert.deepEqual(events, [{ kind: "rejected", callingAe: "CT1", calledAe: "LEADGLASS", address: "", reason }]);
  }
  const wrongTitle = doorWith();
  const calling = openAssociation(
    connectTo(wrongTitle.door),
    { ...proposal, calledAe: "ANY-SCP" },
    { clock: systemClock },
  );
  await assert.rejects(calling, /reason 7/);
  const broken = doorWith({ callers: { admit: () => Promise.reject(new Error("no database")) } });
  await assert.rejects(open(broken.door), /result 2, source 3, reason 1/);
});

test("a caller has no more associations than its share, and the place is free again after", async () => {
  const { door } = doorWith({
    limits: { associationsPerCallerMax: 2, associationsPerAddressMax: 3, associationsMax: 3 },
  });
  const as = (callingAe: string) =>
    openAssociation(connectTo(door), { ...proposal, callingAe }, { clock: systemClock });
  const first = await as("CT1");
  await as("CT1");
  await assert.rejects(as("CT1"), /result 2, source 3, reason 2/);
  await as("MR1");
  await assert.rejects(as("MR2"), /result 2, source 3, reason 2/);
  await first.release();
  await as("MR2");
  assert.equal(door.associations().length, 3);
});

test("a quiet association ends after the idle time, a message that stalls after the message time", async () => {
  const limits = { idleMs: 5000, dimseMs: 1000 };
  const clock = createVirtualClock();
  const { door, events, aborted } = doorWith({ clock, limits });
  const idle = await rawPeer(door);
  clock.advance(4000);
  await idle.send(idle.command(storeRq), idle.dataSet(Buffer.alloc(10)));
  clock.advance(4999);
  assert.equal(door.associations().length, 1);
  clock.advance(2);
  await idle.settle();
  assert.deepEqual(idle.pdus, ["associate-ac", "abort"]);

  const stalled = await rawPeer(door);
  clock.advance(3500);
  await stalled.send(stalled.command(storeRq));
  clock.advance(999);
  assert.equal(door.associations().length, 1);
  clock.advance(2);
  await stalled.settle();
  assert.deepEqual(stalled.pdus, ["associate-ac", "abort"]);
  assert.deepEqual(aborted, ["association-lost"]);
  assert.deepEqual(
    events.flatMap((event) => (event.kind === "closed" ? [event.how] : [])),
    ["timeout", "timeout"],
  );
});

test("time that the store takes is not held against the peer", async () => {
  const clock = createVirtualClock();
  const { door } = doorWith({
    clock,
    limits: { idleMs: 1000, dimseMs: 1000 },
    services: {
      echo: async () => {},
      store: () => ({ write: () => clock.sleep(3000), finish: () => clock.sleep(9000), abort() {} }),
    },
  });
  const peer = await rawPeer(door);
  await peer.send(peer.command(storeRq), peer.dataSet(Buffer.alloc(10)));
  for (const ms of [3000, 9000]) {
    for (let i = 0; i < ms; i += 500) clock.advance(500);
    await peer.settle();
  }
  assert.deepEqual([peer.pdus, peer.commands[0]?.Status], [["associate-ac"], 0]);
});

test("a closing door finishes and answers what is under way, aborts what is idle, and takes nobody new", async () => {
  const ended: string[] = [];
  let finish = () => {};
  const { door, events } = doorWith({
    services: {
      echo: async () => {},
      store: () => ({
        write: () => undefined,
        finish: () =>
          new Promise((resolve) => {
            finish = resolve;
          }),
        abort: (reason) => void ended.push(reason),
      }),
    },
  });
  const listener = await door.listen({ host: "127.0.0.1", port: 0 });
  const at = { host: "127.0.0.1", port: listener.port };
  const busy = await openAssociation(dial(at), proposal, { clock: systemClock });
  await openAssociation(dial(at), { ...proposal, callingAe: "IDLE" }, { clock: systemClock });
  const stored = busy.store(instance(Buffer.alloc(300_000)));
  while (door.associations()[0]?.activity !== "working") await systemClock.sleep(1);
  const closed = listener.close(5000);
  await assert.rejects(openAssociation(dial(at), proposal, { clock: systemClock }));
  finish();
  assert.equal((await stored).status, 0);
  await closed;
  const hows = events.flatMap((event) => (event.kind === "closed" ? [event.how] : []));
  assert.deepEqual([hows, ended], [["closed-by-us", "closed-by-us"], []]);
});

test("a closing door waits no longer than it is told", async () => {
  const { door } = doorWith({
    services: {
      echo: async () => {},
      store: () => ({ write: () => undefined, finish: () => new Promise(() => {}), abort() {} }),
    },
  });
  const listener = await door.listen({ host: "127.0.0.1", port: 0 });
  const peer = await openAssociation(dial({ host: "127.0.0.1", port: listener.port }), proposal, {
    clock: systemClock,
  });
  const stored = peer.store(instance(Buffer.alloc(10)));
  const refused = assert.rejects(stored, (error: unknown) => error instanceof Problem && error.code === "unavailable");
  await systemClock.sleep(20);
  await listener.close(50);
  await refused;
});

test("a user identity is put before the callers, and confirmed to a peer that asks when they verified it", async () => {
  const identity = { kind: 1, replyWanted: true, primary: Buffer.from("radiographer"), secondary: Buffer.alloc(0) };
  for (const identityVerified of [true, false]) {
    const seen: string[] = [];
    const { door } = doorWith({
      callers: {
        async admit(claim) {
          seen.push(Buffer.from(claim.identity?.primary ?? []).toString());
          return { admitted: true, services: { echo: async () => {}, store: doorWith().store }, identityVerified };
        },
      },
    });
    const peer = await rawPeer(door, 0, identity);
    const [answer] = peer.whole;
    assert.ok(answer?.type === "associate-ac");
    assert.deepEqual(seen, ["radiographer"]);
    assert.equal(answer.user.identityReply?.length, identityVerified ? 0 : undefined);
  }
});

test("a peer that never reads its responses is read no further, and goes on where it stopped", async () => {
  let echoes = 0;
  const { door } = doorWith({
    services: {
      async echo() {
        echoes++;
      },
      store: () => assert.fail("no object was sent"),
    },
  });
  const peer = await rawPeer(door);
  const echo = { CommandField: commandField.cEchoRq, CommandDataSetType: noDataSet, MessageID: 1 };
  const burst = Buffer.concat(
    Array.from({ length: 20_000 }, () => peer.command({ ...echo, AffectedSOPClassUID: verification }, 1)),
  );
  peer.connection.pause();
  await peer.send(burst);
  for (let before = -1; before !== echoes; await peer.settle()) before = echoes;
  assert.ok(echoes > 100 && echoes < 5000, `${echoes} were answered into a wall`);
  peer.connection.resume();
  while (peer.commands.length < 20_000) await peer.settle();
  assert.equal(echoes, 20_000);
});

test("connections that only wait make room at the cost of the address that holds most of them", async () => {
  const { door, events } = doorWith({ limits: { waitingMax: 4 } });
  const modality = connectTo(door, "10.0.0.7");
  const flood = Array.from({ length: 20 }, () => connectTo(door, "10.6.6.6"));
  await turn();
  assert.equal(modality.destroyed, false);
  assert.deepEqual(
    flood.map(({ destroyed }) => destroyed),
    [...Array(17).fill(true), false, false, false],
  );
  assert.deepEqual(new Set(events.map((event) => event.kind === "dropped" && event.address)), new Set(["10.6.6.6"]));
  const peer = await openAssociation(modality, proposal, { clock: systemClock });
  assert.equal(door.associations()[0]?.address, "10.0.0.7");
  await peer.release();
});

test("nobody there, or nobody who answers, is a problem the sender can tell", async () => {
  const { door } = doorWith();
  const listener = await door.listen({ host: "127.0.0.1", port: 0 });
  await listener.close();
  const at = { host: "127.0.0.1", port: listener.port };
  const unavailable = (error: unknown) => error instanceof Problem && error.code === "unavailable";
  await assert.rejects(openAssociation(dial(at), proposal, { clock: systemClock }), unavailable);
  const [deaf] = duplexPair();
  const clock = createVirtualClock();
  const asking = openAssociation(deaf, proposal, { clock, associateMs: 1000 });
  clock.advance(1001);
  await assert.rejects(asking, unavailable);
});
