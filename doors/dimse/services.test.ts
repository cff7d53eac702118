import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { systemClock } from "#base/clock";
import { Problem, type ProblemCode } from "#base/problem";
import { commandField, noDataSet } from "./command.ts";
import { encodeFragments } from "./fragments.ts";
import { dial, openAssociation } from "./index.ts";
import { encodePdu } from "./pdu-encode.ts";

import { ct, doorWith, explicit, instance, open, proposal, rawPeer, storeRq, verification } from "./scp.fixture.ts";

test("an instance arrives byte for byte, with what the association knows of it, over a real socket", async () => {
  const { door, kept, events } = doorWith();
  const listener = await door.listen({ host: "127.0.0.1", port: 0 });
  const peer = await openAssociation(dial({ host: "127.0.0.1", port: listener.port }), proposal, {
    clock: systemClock,
  });
  const bytes = Buffer.alloc(700_001, "leadglass");
  assert.equal((await peer.echo()).status, 0);
  assert.equal((await peer.store(instance(bytes))).status, 0);
  assert.equal((await peer.store(instance(Buffer.alloc(0), 2))).status, 0);
  const [listed] = door.associations();
  assert.deepEqual(
    [listed?.callingAe, listed?.address, listed?.stored, listed?.activity],
    ["CT1", "127.0.0.1", 2, "idle"],
  );
  await peer.release();
  await listener.close();
  assert.ok(kept[0]?.bytes.equals(bytes));
  assert.equal(kept[1]?.bytes.length, 0);
  const { associationId, ...request } = kept[0]?.request ?? assert.fail();
  assert.match(associationId, /^[0-9a-f]{32}$/);
  assert.deepEqual(request, {
    sopClassUid: ct,
    sopInstanceUid: "1.2.3.1",
    transferSyntaxUid: explicit,
    callingAe: "CT1",
    messageId: 2,
    isUrgent: false,
  });
  assert.deepEqual(
    events.map((event) => event.kind),
    ["opened", "closed"],
  );
  const closed = events[1];
  assert.ok(closed?.kind === "closed" && closed.how === "released" && closed.stored === 2 && closed.echoes === 1);
  assert.deepEqual(door.associations(), []);
});

test("Success is sent when the instance rests on stable storage, and not before", async () => {
  let rest = () => {};
  const onDisk = new Promise<void>((resolve) => {
    rest = resolve;
  });
  const { door } = doorWith({
    services: { echo: async () => {}, store: () => ({ write: () => undefined, finish: () => onDisk, abort() {} }) },
  });
  const peer = await rawPeer(door);
  await peer.send(peer.command(storeRq), peer.dataSet(Buffer.alloc(40_000)));
  assert.deepEqual(peer.commands, []);
  assert.equal(door.associations()[0]?.activity, "working");
  rest();
  await peer.settle();
  assert.deepEqual(
    peer.commands.map(({ Status, MessageIDBeingRespondedTo, AffectedSOPInstanceUID }) => [
      Status,
      MessageIDBeingRespondedTo,
      AffectedSOPInstanceUID,
    ]),
    [[0, 7, "1.2.3"]],
  );
});

test("each kind of problem has its status, and the association lives on after every one", async () => {
  const statuses: Record<ProblemCode, number> = {
    invalid: 0xc000,
    denied: 0x0124,
    unproven: 0x0124,
    absent: 0x0124,
    conflict: 0x0111,
    unsupported: 0x0122,
    "too-large": 0xa700,
    "no-room": 0xa700,
    busy: 0xa700,
    damaged: 0x0110,
    unavailable: 0xa700,
    fault: 0x0110,
  };
  let fail: { where: "store" | "write" | "write-later" | "finish"; code: ProblemCode } | undefined;
  const problem = () => {
    const code = fail?.code ?? "fault";
    fail = undefined;
    return new Problem(code, `a long story \\ about what went wrong with ${code} and some more of it`);
  };
  const aborted: string[] = [];
  const { door, kept, store } = doorWith({
    services: {
      echo: async () => {},
      store(request) {
        if (fail?.where === "store") throw problem();
        const receiving = store(request);
        return {
          write(bytes) {
            if (fail?.where === "write") throw problem();
            return fail?.where === "write-later" ? Promise.reject(problem()) : receiving.write(bytes);
          },
          finish: async () => (fail?.where === "finish" ? Promise.reject(problem()) : receiving.finish()),
          abort: (reason) => void aborted.push(reason),
        };
      },
    },
  });
  const peer = await open(door);
  for (const [code, expected] of Object.entries(statuses)) {
    for (const where of ["store", "write", "write-later", "finish"] as const) {
      aborted.length = 0;
      fail = { where, code: code as ProblemCode };
      const outcome = await peer.store(instance(Buffer.alloc(300_000)));
      assert.equal(outcome.status, expected, `${code} from ${where}`);
      assert.match(outcome.errorComment ?? "", /^a long story {3}about what went wrong with/);
      assert.ok((outcome.errorComment ?? "").length <= 64);
      assert.deepEqual(aborted, where.startsWith("write") ? ["refused"] : [], `${code} from ${where}`);
    }
  }
  assert.equal((await peer.store(instance(Buffer.alloc(10)))).status, 0);
  assert.equal(kept.length, 1);
  await peer.release();
});

test("an unknown error says nothing of itself, a problem may name the attributes that offend", async () => {
  const errors = [
    new Error("DOE^JANE"),
    Object.assign(new Problem("invalid", "bad value"), { offendingElements: [0x00100020] }),
  ];
  const { door } = doorWith({
    services: {
      echo: () => Promise.reject(new Problem("busy", "too many")),
      store: () => {
        throw errors.shift();
      },
    },
  });
  const peer = await rawPeer(door);
  for (const _ of [1, 2]) await peer.send(peer.command(storeRq), peer.dataSet(Buffer.alloc(10)));
  await peer.send(
    peer.command(
      { CommandField: 0x30, CommandDataSetType: noDataSet, MessageID: 9, AffectedSOPClassUID: verification },
      1,
    ),
  );
  assert.equal(peer.commands[0]?.Status, 0x0110);
  assert.equal(peer.commands[0]?.ErrorComment, "internal error while storing an instance");
  assert.deepEqual([peer.commands[1]?.Status, peer.commands[1]?.OffendingElement], [0xc000, [0x00100020]]);
  assert.equal(peer.commands[2]?.Status, 0xa700);
});

test("an object beyond the limit is dropped as it comes, and refused", async () => {
  const { door, aborted } = doorWith({ limits: { objectBytesMax: 100_000 } });
  const peer = await open(door);
  assert.equal((await peer.store(instance(Buffer.alloc(100_002)))).status, 0xa700);
  assert.deepEqual(aborted, ["refused"]);
  assert.equal((await peer.store(instance(Buffer.alloc(100_000)))).status, 0);
});

test("a store that asks for time is waited for, piece by piece and in order", async () => {
  const parts: Buffer[] = [];
  let inside = 0;
  const { door } = doorWith({
    services: {
      echo: async () => {},
      store: () => ({
        async write(bytes) {
          assert.equal(++inside, 1);
          await turn();
          parts.push(Buffer.from(bytes));
          inside--;
        },
        async finish() {
          assert.equal(inside, 0);
        },
        abort() {},
      }),
    },
  });
  const listener = await door.listen({ host: "127.0.0.1", port: 0 });
  const peer = await openAssociation(dial({ host: "127.0.0.1", port: listener.port }), proposal, {
    clock: systemClock,
  });
  const bytes = Buffer.alloc(2_000_000);
  for (let i = 0; i < bytes.length; i += 4) bytes.writeUInt32LE(i, i);
  assert.equal((await peer.store(instance(bytes))).status, 0);
  assert.ok(Buffer.concat(parts).equals(bytes));
  await peer.release();
  await listener.close();
});

test("requests that cannot be served are answered with a failure, and cancels are ignored", async () => {
  const { door, kept } = doorWith();
  const peer = await rawPeer(door);
  const status = async (...bytes: Uint8Array[]) => {
    await peer.send(...bytes);
    return peer.commands.splice(0).map((command) => command.Status);
  };
  const find = { CommandField: commandField.cFindRq, CommandDataSetType: 1, MessageID: 1, AffectedSOPClassUID: ct };
  assert.deepEqual(await status(peer.command(find), peer.dataSet(Buffer.alloc(50_000))), [0x0211]);
  const get = {
    CommandField: commandField.nGetRq,
    CommandDataSetType: noDataSet,
    MessageID: 2,
    RequestedSOPClassUID: ct,
  };
  assert.deepEqual(await status(peer.command(get)), [0x0211]);
  assert.deepEqual(await status(peer.command({ ...get, CommandField: 0x0777 })), [0x0211]);
  const echoOnCt = { CommandField: commandField.cEchoRq, CommandDataSetType: noDataSet, MessageID: 3 };
  assert.deepEqual(await status(peer.command(echoOnCt)), [0x0211]);
  const cancel = { CommandField: commandField.cCancelRq, CommandDataSetType: noDataSet, MessageIDBeingRespondedTo: 1 };
  assert.deepEqual(await status(peer.command(cancel)), []);
  const data = peer.dataSet(Buffer.alloc(10));
  assert.deepEqual(await status(peer.command({ ...storeRq, AffectedSOPClassUID: "1.2.3" }), data), [0x0122]);
  assert.deepEqual(await status(peer.command({ ...storeRq, AffectedSOPInstanceUID: "1..2" }), data), [0x0117]);
  assert.deepEqual(await status(peer.command({ ...storeRq, AffectedSOPInstanceUID: undefined }), data), [0x0117]);
  assert.deepEqual(await status(peer.command({ ...storeRq, AffectedSOPInstanceUID: "1".repeat(66) }), data), [0x0212]);
  assert.deepEqual(await status(peer.command({ ...storeRq, CommandDataSetType: noDataSet })), [0xc000]);
  assert.deepEqual(kept, []);
  assert.deepEqual(await status(peer.command(storeRq), data), [0]);
  assert.equal(door.associations()[0]?.refused, 4);
});

test("requests that come before their turn are answered one after the other", async () => {
  const { door, kept } = doorWith();
  const peer = await rawPeer(door);
  const many = [1, 2, 3, 4, 5].flatMap((id) => [
    peer.command({ ...storeRq, MessageID: id, AffectedSOPInstanceUID: `1.2.${id}` }),
    peer.dataSet(Buffer.alloc(1000, id)),
  ]);
  await peer.send(Buffer.concat(many), { type: "release-rq" });
  assert.deepEqual(
    peer.commands.map(({ MessageIDBeingRespondedTo, Status }) => [MessageIDBeingRespondedTo, Status]),
    [1, 2, 3, 4, 5].map((id) => [id, 0]),
  );
  assert.deepEqual(
    kept.map(({ bytes }) => bytes[999]),
    [1, 2, 3, 4, 5],
  );
  assert.deepEqual(peer.pdus, ["associate-ac", "release-rp"]);
});

test("what breaks the rules of messages is answered with an abort", async () => {
  const cases: Record<string, (peer: Awaited<ReturnType<typeof rawPeer>>) => Uint8Array[]> = {
    "a context that was not accepted": (peer) => [peer.command(storeRq, 5)],
    "a data set without a command": (peer) => [peer.dataSet(Buffer.alloc(10))],
    "a command within a data set": (peer) => [peer.command(storeRq), peer.command(storeRq)],
    "a data set in another context": (peer) => [peer.command(storeRq), peer.dataSet(Buffer.alloc(10), 1)],
    "a response to nothing": (peer) => [peer.command({ CommandField: 0x8001, CommandDataSetType: noDataSet })],
    "a request without message id": (peer) => [peer.command({ ...storeRq, MessageID: undefined })],
    "a command that is none": () => [encodeFragments(3, true, Buffer.alloc(30, 1), 16_000)],
    "a release within a message": (peer) => [peer.command(storeRq), encodePdu({ type: "release-rq" })],
    "an endless command": () =>
      Array.from({ length: 9 }, () =>
        encodePdu({
          type: "p-data-tf",
          values: [{ contextId: 3, command: true, last: false, bytes: Buffer.alloc(8192) }],
        }),
      ),
  };
  for (const [what, bytes] of Object.entries(cases)) {
    const { door, kept } = doorWith();
    const peer = await rawPeer(door);
    await peer.send(...bytes(peer));
    assert.deepEqual(peer.pdus, ["associate-ac", "abort"], what);
    assert.deepEqual(kept, [], what);
    peer.connection.destroy();
    await peer.settle();
    assert.deepEqual(door.associations(), [], what);
  }
});

test("an association that is lost within an object gives the object up", async () => {
  const endings: ((peer: Awaited<ReturnType<typeof rawPeer>>) => unknown)[] = [
    (peer) => peer.send({ type: "abort", source: 0, reason: 0 }),
    (peer) => peer.connection.end(),
    (peer) => peer.send(Buffer.from([9, 9, 9, 9, 9, 9])),
    (peer) => peer.connection.destroy(),
  ];
  for (const end of endings) {
    const { door, kept, aborted } = doorWith();
    const peer = await rawPeer(door);
    const half = encodeFragments(3, false, Buffer.alloc(20_000), 16_000).subarray(0, 16_012);
    await peer.send(peer.command(storeRq), half);
    await end(peer);
    await peer.settle();
    assert.deepEqual([kept, aborted], [[], ["association-lost"]]);
  }
});
