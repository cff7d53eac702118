import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createVirtualClock } from "#base/clock";
import { silentLog } from "#base/log";
import { type AssociateAccept, type AssociateRequest, dicomApplicationContext, type Pdu, rejection } from "./pdu.ts";
import { encodePdu } from "./pdu-encode.ts";
import { createPduReader, type WholePdu } from "./pdu-reader.ts";
import { type Event, event, type State, transition } from "./states.ts";
import { createUpperLayer, type UpperLayerUser } from "./upper-layer.ts";

const request: AssociateRequest = {
  type: "associate-rq",
  protocolVersion: 1,
  calledAe: "CALLED",
  callingAe: "CALLING",
  applicationContext: dicomApplicationContext,
  contexts: [{ id: 1, abstractSyntax: "1.2.840.10008.1.1", transferSyntaxes: ["1.2.840.10008.1.2"] }],
  user: { pduBytesMax: 0, implementationClassUid: "1.2.3" },
};
const accept: AssociateAccept = {
  ...request,
  type: "associate-ac",
  contexts: [{ id: 1, result: 0, transferSyntax: "1.2.840.10008.1.2" }],
};
const data: Pdu = {
  type: "p-data-tf",
  values: [{ contextId: 1, command: true, last: true, bytes: new Uint8Array(8) }],
};

/** One end under test over an in-memory connection, and what its peer sees of it. */
function rig(role: "acceptor" | "requestor", user: Partial<UpperLayerUser> = {}) {
  const [ours, theirs] = duplexPair();
  const clock = createVirtualClock();
  const sent: WholePdu["type"][] = [];
  const calls: string[] = [];
  const reader = createPduReader(
    {
      pdu: (pdu) => sent.push(pdu.type) > 0,
      dataBegins: () => true,
      data: () => true,
    },
    { dataPduBytesMax: 1 << 20, associatePduBytesMax: 1 << 20 },
  );
  theirs.on("data", (chunk: Buffer) => reader.read(chunk, 0));
  theirs.on("error", () => {});
  let connected = () => {};
  const connection = Object.assign(ours, role === "requestor" ? { connecting: true } : {});
  connection.once = ((name: string, listener: () => void) => {
    if (name === "connect") connected = listener;
    return connection;
  }) as typeof connection.once;
  const layer = createUpperLayer({
    connection,
    role,
    clock,
    log: silentLog,
    artimMs: 1000,
    reader: { dataPduBytesMax: 132_096, associatePduBytesMax: 262_144 },
    user: {
      associateIndicated: () => void calls.push("indicated"),
      associateRefused: () => {},
      associateConfirmed: () => void calls.push("confirmed"),
      data: () => undefined,
      releaseIndicated: () => void calls.push("release"),
      ended: (how) => void calls.push(how),
      closed: () => void calls.push("closed"),
      ...user,
    },
  });
  const receive = async (pdu: Pdu) => {
    theirs.write(encodePdu(pdu));
    await turn();
  };
  return { layer, clock, sent, calls, theirs, receive, connected: () => connected() };
}
type Rig = ReturnType<typeof rig>;

async function acceptorOpen(): Promise<Rig> {
  const at = rig("acceptor");
  await at.receive(request);
  at.layer.accept(accept);
  await turn();
  return at;
}
async function requestorOpen(): Promise<Rig> {
  const at = rig("requestor");
  at.layer.associate(request);
  at.connected();
  await at.receive(accept);
  return at;
}

/** How each state is reached, by what a peer and a user may rightly do. */
const reach: Record<State, () => Promise<Rig>> = {
  1: async () => rig("requestor"),
  2: async () => rig("acceptor"),
  async 3() {
    const at = rig("acceptor");
    await at.receive(request);
    return at;
  },
  async 4() {
    const at = rig("requestor");
    at.layer.associate(request);
    return at;
  },
  async 5() {
    const at = rig("requestor");
    at.layer.associate(request);
    at.connected();
    await turn();
    return at;
  },
  6: acceptorOpen,
  async 7() {
    const at = await requestorOpen();
    at.layer.release();
    await turn();
    return at;
  },
  async 8() {
    const at = await acceptorOpen();
    await at.receive({ type: "release-rq" });
    return at;
  },
  async 9() {
    const at = await reach[7]();
    await at.receive({ type: "release-rq" });
    return at;
  },
  async 10() {
    const at = await acceptorOpen();
    at.layer.release();
    await at.receive({ type: "release-rq" });
    return at;
  },
  async 11() {
    const at = await reach[9]();
    at.layer.answerRelease();
    await turn();
    return at;
  },
  async 12() {
    const at = await reach[10]();
    await at.receive({ type: "release-rp" });
    return at;
  },
  async 13() {
    const at = await acceptorOpen();
    at.layer.abort();
    await turn();
    return at;
  },
};

/** How each event from outside is made to happen. */
const happen: Partial<Record<Event, (at: Rig) => Promise<void> | void>> = {
  [event.associateAcceptPdu]: (at) => at.receive(accept),
  [event.associateRejectPdu]: (at) => at.receive(rejection.noReason),
  [event.associateRequestPdu]: (at) => at.receive(request),
  [event.acceptResponse]: (at) => void at.layer.accept(accept),
  [event.rejectResponse]: (at) => void at.layer.reject(rejection.noReason),
  [event.dataRequest]: (at) => void at.layer.send(encodePdu(data)),
  [event.dataPdu]: (at) => at.receive(data),
  [event.releaseRequest]: (at) => void at.layer.release(),
  [event.releaseRequestPdu]: (at) => at.receive({ type: "release-rq" }),
  [event.releaseReplyPdu]: (at) => at.receive({ type: "release-rp" }),
  [event.releaseResponse]: (at) => void at.layer.answerRelease(),
  [event.abortRequest]: (at) => void at.layer.abort(),
  [event.abortPdu]: (at) => at.receive({ type: "abort", source: 0, reason: 0 }),
  async [event.transportClosed](at) {
    at.theirs.end();
    await turn();
  },
  [event.artimExpired]: (at) => at.clock.advance(1001),
  async [event.invalidPdu](at) {
    at.theirs.write(Buffer.from([0x99, 0, 0, 0, 0, 4]));
    await turn();
  },
};

test("in every state the driver does what the table says for every event that can be made to happen", async () => {
  let cells = 0;
  for (let state = 1; state <= 13; state++) {
    for (const [name, make] of Object.entries(happen)) {
      const on = Number(name) as Event;
      // In states without a timer, and before a connection, time and bytes do not become events.
      const at = await reach[state as State]();
      assert.equal(at.layer.state(), state);
      const before = at.sent.filter((type) => type === "abort").length;
      await make(at);
      await turn();
      const found = transition(state as State, on);
      const next = found === undefined ? state : [found.next].flat();
      const where = `state ${state}, event ${on}`;
      assert.ok([next].flat().includes(at.layer.state()), `${where}: went to ${at.layer.state()}`);
      const aborts = at.sent.filter((type) => type === "abort").length - before;
      assert.equal(aborts, ["AA-1", "AA-7", "AA-8"].includes(found?.action ?? "") ? 1 : 0, `${where}: aborts`);
      at.layer.destroy();
      cells++;
    }
  }
  assert.equal(cells, 13 * 16);
});

test("without an association request the connection is closed when ARTIM runs out, however slowly bytes drip", async () => {
  const at = rig("acceptor");
  for (const byte of encodePdu(request).subarray(0, 100)) {
    at.theirs.write(Buffer.from([byte]));
    await turn();
    at.clock.advance(9);
  }
  assert.equal(at.layer.state(), 2);
  at.clock.advance(101);
  await turn();
  assert.equal(at.layer.state(), 1);
  assert.deepEqual(at.calls, ["aborted", "closed"]);
});

test("an unanswered abort ends with the connection closed by ARTIM", async () => {
  const at = await acceptorOpen();
  at.layer.abort();
  at.clock.advance(999);
  assert.equal(at.layer.state(), 13);
  at.clock.advance(2);
  await turn();
  assert.deepEqual(at.calls, ["indicated", "aborted", "closed"]);
});

test("a request of another protocol version, or with contexts that cannot be told apart, is rejected", async () => {
  const contexts = request.contexts;
  const context = { abstractSyntax: "1.2", transferSyntaxes: ["1.2.3"] };
  const wrong: AssociateRequest[] = [
    { ...request, protocolVersion: 2 },
    { ...request, contexts: [] },
    { ...request, contexts: [...contexts, ...contexts] },
    { ...request, contexts: [{ ...context, id: 2 }] },
    { ...request, contexts: [{ ...context, id: 0 }] },
  ];
  for (const pdu of wrong) {
    const at = rig("acceptor");
    await at.receive(pdu);
    assert.deepEqual(at.sent, ["associate-rj"]);
    assert.equal(at.layer.state(), 13);
    assert.deepEqual(at.calls, ["rejected"]);
    at.layer.destroy();
  }
});

test("nothing more is read while the user holds a fragment, and reading goes on where it stopped", async () => {
  const got: number[] = [];
  let release = () => {};
  const at = rig("acceptor", {
    data(_contextId, _command, _last, bytes) {
      got.push(bytes[0] ?? -1);
      return new Promise((resolve) => {
        release = resolve;
      });
    },
  });
  await at.receive(request);
  at.layer.accept(accept);
  const value = (first: number) => ({
    contextId: 1,
    command: false,
    last: false,
    bytes: new Uint8Array(4).fill(first),
  });
  await at.receive({ type: "p-data-tf", values: [value(1), value(2), value(3)] });
  await at.receive({ type: "p-data-tf", values: [value(4)] });
  for (const seen of [1, 2, 3, 4]) {
    assert.equal(got.at(-1), seen);
    assert.equal(at.layer.lastReadMs(), undefined);
    release();
    await turn();
    await turn();
  }
  assert.deepEqual(got, [1, 2, 3, 4]);
  assert.notEqual(at.layer.lastReadMs(), undefined);
});

test("a user that fails while it holds a fragment ends the association, not the process", async () => {
  const at = rig("acceptor", { data: () => Promise.reject(new Error("disk on fire")) });
  await at.receive(request);
  at.layer.accept(accept);
  await at.receive(data);
  await turn();
  assert.equal(at.layer.state(), 13);
  assert.ok(at.sent.includes("abort"));
});

test("who goes on asking for an association after it was aborted, and reads nothing, is answered no further", async () => {
  const at = await reach[13]();
  at.theirs.pause();
  const before = at.sent.length;
  const asked = 5_000;
  const flood = Buffer.concat(Array.from({ length: 50 }, () => encodePdu(request)));
  for (let sent = 0; sent < asked; sent += 50) {
    at.theirs.write(flood);
    await turn();
  }
  at.theirs.resume();
  await turn();
  await turn();
  const answers = at.sent.length - before;
  // What the connection takes before it is read: 16 KiB here, in answers of 10 bytes.
  assert.ok(answers > 0 && answers < 2_000, `${answers} answers`);
});
