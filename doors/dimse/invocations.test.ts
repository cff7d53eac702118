import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createVirtualClock } from "#base/clock";
import type { Assembly } from "./assembly.ts";
import { commandField, noDataSet } from "./command.ts";
import { createInvocations } from "./invocations.ts";
import { ct, explicit } from "./scp.fixture.ts";
import { status } from "./status.ts";

const context = { id: 1, sopClassUid: ct, transferSyntaxUid: explicit };
const request = { CommandField: commandField.cStoreRq, CommandDataSetType: noDataSet };

/** Requests of ours to a peer that takes everything; when it was heard last, the test says. */
function invoking() {
  const clock = createVirtualClock();
  const peer: { timedOut: number; heardMs: number | undefined; unsentMs: number; took: () => void } = {
    timedOut: 0,
    heardMs: 0,
    unsentMs: 0,
    took: () => {},
  };
  const sent = Promise.withResolvers<void>();
  const invocations = createInvocations({
    assembly: {} as Assembly,
    outbox: {
      put: () => true,
      stream(_context, _command, _dataSet, onSent) {
        peer.took = onSent;
        return sent.promise;
      },
      drained: async () => {},
      crowded: () => false,
    },
    layer: { lastReadMs: () => peer.heardMs, unsentMs: () => peer.unsentMs },
    window: { invoked: 1 },
    responseBytesMax: 1000,
    responseMs: 1000,
    timedOut: () => void peer.timedOut++,
    clock,
    abort: () => assert.fail("nothing here ends the association"),
  });
  const answer = (Status: number, id = 1) =>
    invocations.take(context, {
      CommandField: commandField.cStoreRq | 0x8000,
      CommandDataSetType: noDataSet,
      MessageIDBeingRespondedTo: id,
      Status,
    });
  return { clock, peer, answer, invoke: invocations.invoke };
}

test("an answer that comes before all has left is the end: what the peer takes after it starts no wait", async () => {
  const { clock, peer, answer, invoke } = invoking();
  const asked = invoke(1, request, { dataSet: [] });
  await turn();
  answer(status.outOfResources);
  assert.equal((await asked).command.Status, status.outOfResources);
  peer.took();
  clock.advance(10_000);
  assert.equal(peer.timedOut, 0);
});

test("a peer that sends something meanwhile is not timed out, one that takes something neither, one that is silent is, once", async () => {
  const { clock, peer, invoke } = invoking();
  const lost = invoke(1, request, { dataSet: [] });
  lost.catch(() => {});
  await turn();
  for (let ms = 0; ms < 5000; ms += 500) {
    clock.advance(500);
    peer.heardMs = clock.monotonicMs();
  }
  peer.heardMs = undefined; // we do not read ourselves
  clock.advance(5000);
  peer.heardMs = clock.monotonicMs();
  clock.advance(900);
  peer.took();
  clock.advance(999);
  assert.equal(peer.timedOut, 0);
  clock.advance(5000);
  assert.equal(peer.timedOut, 1);
});

test("a peer that takes nothing is timed out also while we do not read what it sends", async () => {
  const { clock, peer, invoke } = invoking();
  invoke(1, request, { dataSet: [] }).catch(() => {});
  await turn();
  peer.heardMs = undefined;
  for (let ms = 0; ms < 1500; ms += 100) {
    clock.advance(100);
    peer.unsentMs += 100;
  }
  assert.equal(peer.timedOut, 1);
});

test("a request that nobody said may be pending is answered with what comes first", async () => {
  const { answer, invoke } = invoking();
  const asked = invoke(1, request);
  await turn();
  answer(status.pending);
  assert.equal((await asked).command.Status, status.pending);
});
