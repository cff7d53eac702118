import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createVirtualClock } from "#base/clock";
import { Problem } from "#base/problem";
import { tagOf, writeDataSet } from "#formats/dicom";
import { type CommandSet, commandField } from "./command.ts";
import type { FindRequest, OutboundAssociation, Receiving, StoreRequest, SubOperationCounts } from "./index.ts";
import { batchesOf } from "./move-contexts.ts";
import { prefetched } from "./prefetch.ts";
import { ct, doorWith, explicit, implicit, rawPeer } from "./scp.fixture.ts";
import {
  associate,
  jpegLossless,
  query,
  retrieving,
  serving,
  stored,
  studyGet,
  studyMove,
} from "./services.fixture.ts";

const mr = "1.2.840.10008.5.1.4.1.1.4";
const counts = ({ completed, failed, warning, remaining }: SubOperationCounts) => [
  completed,
  failed,
  warning,
  remaining,
];

const identifier = writeDataSet(query(), { transferSyntaxUid: explicit });

/** A door that takes only these transfer syntaxes and keeps what it gets. */
function destination(
  transferSyntaxes?: readonly string[],
  refuse: (request: StoreRequest) => Problem | undefined = () => undefined,
) {
  const made = doorWith();
  const requests: StoreRequest[] = [];
  const store = (request: StoreRequest): Receiving => {
    requests.push(request);
    const problem = refuse(request);
    if (problem) throw problem;
    return made.store(request);
  };
  const { door } = doorWith({
    aeTitle: "STATION",
    services: { echo: async () => {}, store },
    ...(transferSyntaxes
      ? { policy: { sopClass: () => true, transferSyntax: (uid: string) => transferSyntaxes.includes(uid) } }
      : {}),
  });
  return { door, kept: made.kept, requests };
}

async function mover(instances: ReturnType<typeof stored>[], to: ReturnType<typeof destination>) {
  const service = retrieving(instances, { STATION: to.door });
  const { door } = serving({ retrieves: new Map([[studyMove, service]]) });
  return { service, door, peer: await associate(door, [studyMove]) };
}

test("C-MOVE sends all on one association, as it is stored, and counts", async () => {
  const to = destination();
  const instances = [
    stored(1),
    stored(2, { transferSyntaxUid: jpegLossless, offered: [explicit] }),
    stored(3, { sopClassUid: mr, bytes: 400_000 }),
  ];
  const { service, peer } = await mover(instances, to);
  const progress: number[][] = [];
  const outcome = await peer.move(studyMove, query(), "STATION", {
    onProgress: (now) => void progress.push(counts(now)),
  });
  assert.deepEqual([outcome.status, counts(outcome), outcome.failedSopInstanceUids], [0, [3, 0, 0, 0], []]);
  assert.deepEqual(progress[0], [0, 0, 0, 3]);
  assert.deepEqual(
    to.kept.map(({ request, bytes }) => [request.sopInstanceUid, bytes.toString("latin1", 0, 30).split(" ")[0]]),
    [
      ["1.2.3.1", explicit],
      ["1.2.3.2", jpegLossless],
      ["1.2.3.3", explicit],
    ],
  );
  assert.equal(service.associations.length, 1);
  await peer.release();
});

test("the move originator is told to the destination", async () => {
  const seen: CommandSet[] = [];
  const service = retrieving([stored(1)], {});
  const { door } = serving({
    retrieves: new Map([[studyMove, { ...service, destination: async () => ({ open: async () => fake }) }]]),
  });
  const fake = {
    contexts: [{ id: 1, sopClassUid: ct, transferSyntaxUid: explicit }],
    operationsMax: 1,
    isOver: () => false,
    release: async () => {},
    store: async (instance: { moveOriginator?: { ae: string; messageId: number } }) => {
      seen.push(instance.moveOriginator as unknown as CommandSet);
      return { status: 0xb000, errorComment: undefined, ms: 1 };
    },
  } as unknown as OutboundAssociation;
  const peer = await associate(door, [studyMove]);
  await peer.echo();
  const outcome = await peer.move(studyMove, query(), "STATION");
  assert.deepEqual(seen, [{ ae: "CT1", messageId: 2 }]);
  assert.deepEqual([outcome.status, counts(outcome)], [0xb000, [0, 0, 1, 0]], "a warning is a warning");
});

test("what a destination does not take as stored is sent in another syntax, and what it takes in none fails alone", async () => {
  const to = destination([implicit]);
  const { peer } = await mover(
    [stored(1, { offered: [jpegLossless, implicit] }), stored(2), stored(3, { transferSyntaxUid: implicit })],
    to,
  );
  const outcome = await peer.move(studyMove, query(), "STATION");
  assert.deepEqual(
    [outcome.status, counts(outcome), outcome.failedSopInstanceUids],
    [0xb000, [2, 1, 0, 0], ["1.2.3.2"]],
  );
  assert.deepEqual(
    to.kept.map(({ request }) => [request.sopInstanceUid, request.transferSyntaxUid]),
    [
      ["1.2.3.1", implicit],
      ["1.2.3.3", implicit],
    ],
  );
});

test("instances that fail here or there fail alone; when all do, the sub-operations could not be performed", async () => {
  const to = destination(undefined, ({ sopInstanceUid }) =>
    sopInstanceUid === "1.2.3.3" ? new Problem("no-room", "no room left") : undefined,
  );
  const { peer } = await mover([stored(1), stored(2, { fails: true }), stored(3), stored(4)], to);
  const outcome = await peer.move(studyMove, query(), "STATION");
  assert.deepEqual(
    [outcome.status, counts(outcome), outcome.failedSopInstanceUids],
    [0xb000, [2, 2, 0, 0], ["1.2.3.2", "1.2.3.3"]],
  );
  const none = await mover([stored(3), stored(3)], to);
  const nothing = await none.peer.move(studyMove, query(), "STATION");
  assert.deepEqual([nothing.status, counts(nothing)], [0xa702, [0, 2, 0, 0]]);
});

test("instances that are damaged further in fail alone, however many there are", async () => {
  const torn = (number: number) => {
    const instance = stored(number);
    async function* halves() {
      yield Buffer.alloc(300_000);
      throw new Problem("damaged", "a segment does not prove");
    }
    return {
      ...instance,
      open: async (uids: readonly string[]) => ({ ...(await instance.open(uids)), dataSet: halves() }),
    };
  };
  const to = destination();
  const { peer, service } = await mover([stored(1), torn(2), torn(3), torn(4), torn(5), stored(6)], to);
  const outcome = await peer.move(studyMove, query(), "STATION");
  assert.deepEqual([outcome.status, counts(outcome)], [0xb000, [2, 4, 0, 0]]);
  assert.deepEqual(
    to.kept.map(({ request }) => request.sopInstanceUid),
    ["1.2.3.1", "1.2.3.6"],
  );
  assert.equal(service.associations.length, 5);
});

test("an unknown destination, one that refuses us, and a request that selects nothing", async () => {
  const to = destination();
  const { peer, service } = await mover([], to);
  assert.equal((await peer.move(studyMove, query(), "NOBODY")).status, 0xa801);
  const empty = await peer.move(studyMove, query(), "STATION");
  assert.deepEqual([empty.status, counts(empty), service.associations.length], [0, [0, 0, 0, 0], 0]);
  const refusing = doorWith({ callers: { admit: async () => ({ admitted: false, reason: "calling-ae" }) } });
  const refused = await mover([stored(1), stored(2)], { ...to, door: refusing.door });
  const outcome = await refused.peer.move(studyMove, query(), "STATION");
  assert.deepEqual([outcome.status, outcome.failedSopInstanceUids], [0xa702, ["1.2.3.1", "1.2.3.2"]]);
  for (const [code, status] of [
    ["invalid", 0xa900],
    ["busy", 0xa701],
    ["fault", 0xc000],
  ] as const) {
    const failing = {
      ...retrieving([]),
      select: () => Promise.reject(new Problem(code, "no")),
      destination: async () => ({ open: () => assert.fail() }),
    };
    const { door } = serving({ retrieves: new Map([[studyMove, failing]]) });
    assert.equal((await (await associate(door, [studyMove])).move(studyMove, query(), "X")).status, status);
  }
});

test("a destination that goes away is called again, and no more than a few times", async () => {
  const to = destination(undefined, ({ sopInstanceUid }) => {
    if (sopInstanceUid.endsWith("2")) void to.door.end(() => true, 0);
    return undefined;
  });
  const { peer, service } = await mover(
    [1, 2, 3, 4].map((number) => stored(number)),
    to,
  );
  const outcome = await peer.move(studyMove, query(), "STATION");
  assert.deepEqual(
    [outcome.status, outcome.failedSopInstanceUids, service.associations.length],
    [0xb000, ["1.2.3.2"], 2],
  );
  const gone = destination(undefined, () => void gone.door.end(() => true, 0) as undefined);
  const none = await mover(
    [1, 2, 3, 4, 5].map((number) => stored(number)),
    gone,
  );
  const nothing = await none.peer.move(studyMove, query(), "STATION");
  assert.deepEqual([nothing.status, counts(nothing), none.service.associations.length], [0xa702, [0, 5, 0, 0], 3]);
});

test("a C-CANCEL ends a C-MOVE after the instance that is under way, and says what remains", async () => {
  const gate = Promise.withResolvers<void>();
  const to = destination();
  const { peer } = await mover([stored(1, { after: gate.promise }), stored(2), stored(3)], to);
  const stop = new AbortController();
  const moving = peer.move(studyMove, query(), "STATION", { signal: stop.signal });
  for (let i = 0; i < 50; i++) await turn();
  stop.abort();
  for (let i = 0; i < 50; i++) await turn();
  gate.resolve();
  const outcome = await moving;
  assert.deepEqual([outcome.status, counts(outcome), to.kept.length], [0xfe00, [1, 0, 0, 2], 1]);
});

test("what an instance is waited for in vain ends with a C-CANCEL, with the association, and with the request; it remains", async () => {
  const to = destination();
  const signals: AbortSignal[] = [];
  const waiting = Promise.withResolvers<void>();
  const service = {
    ...retrieving([], { STATION: to.door }),
    async select({ identifier: asked }: FindRequest, signal: AbortSignal) {
      signals.push(signal);
      if (asked.text(tagOf("StudyInstanceUID")) === "1.2.4") return [stored(1)];
      const open = () => {
        waiting.resolve();
        return new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(new Error("ended"))));
      };
      return [stored(1), { ...stored(2), open }, stored(3)];
    },
  };
  const { door } = serving({ retrieves: new Map([[studyMove, service]]) });
  const peer = await associate(door, [studyMove]);
  const stop = new AbortController();
  const moving = peer.move(studyMove, query(), "STATION", { signal: stop.signal });
  await waiting.promise;
  stop.abort();
  const outcome = await moving;
  assert.deepEqual([outcome.status, counts(outcome), outcome.failedSopInstanceUids], [0xfe00, [1, 0, 0, 2], []]);
  assert.equal((await peer.move(studyMove, query({ StudyInstanceUID: "1.2.4" }), "STATION")).status, 0);
  const lost = peer.move(studyMove, query(), "STATION").catch(() => "lost");
  while (signals.length < 3) await turn();
  peer.abort();
  await lost;
  while (!signals[2]?.aborted) await turn();
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true, true, true],
  );
});

test("who asked is told every second how far it is", async () => {
  const clock = createVirtualClock();
  const gate = Promise.withResolvers<void>();
  const to = destination();
  const service = retrieving([stored(1, { after: gate.promise })], { STATION: to.door });
  const { door } = serving({ retrieves: new Map([[studyMove, service]]) }, { clock });
  const peer = await associate(door, [studyMove]);
  const progress: number[][] = [];
  const moving = peer.move(studyMove, query(), "STATION", { onProgress: (now) => void progress.push(counts(now)) });
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 30; j++) await turn();
    clock.advance(1000);
  }
  for (let j = 0; j < 30; j++) await turn();
  gate.resolve();
  await moving;
  assert.deepEqual(progress, Array(4).fill([0, 0, 0, 1]));
});

test("instances of more SOP classes and syntaxes than an association holds go over several", async () => {
  const instances = Array.from({ length: 100 }, (_, i) =>
    stored(i, { sopClassUid: `1.2.840.113619.4.${i}`, offered: [implicit, explicit] }),
  );
  const batches = batchesOf([
    ...instances,
    stored(100, { sopClassUid: "1.2.840.113619.4.0", transferSyntaxUid: jpegLossless }),
  ]);
  assert.deepEqual(
    batches.map(({ contexts, instances: of }) => [contexts.length, of.length]),
    [
      [127, 64],
      [74, 37],
    ],
  );
  assert.deepEqual(batches[0]?.contexts.slice(0, 3), [
    { sopClassUid: "1.2.840.113619.4.0", transferSyntaxUids: [explicit] },
    { sopClassUid: "1.2.840.113619.4.0", transferSyntaxUids: [jpegLossless] },
    { sopClassUid: "1.2.840.113619.4.0", transferSyntaxUids: [implicit] },
  ]);
  const to = destination();
  const { peer, service } = await mover(instances, to);
  const outcome = await peer.move(studyMove, query(), "STATION");
  assert.deepEqual([outcome.status, to.kept.length, service.associations.length], [0, 100, 2]);
});

async function getter(instances: ReturnType<typeof stored>[], contexts: Parameters<typeof associate>[1], more = {}) {
  const service = retrieving(instances);
  const { door } = serving({ retrieves: new Map([[studyGet, service]]) });
  return associate(door, [studyGet, ...contexts], more);
}

test("C-GET brings all on the same association, in what was accepted there", async () => {
  const taken = doorWith();
  const peer = await getter(
    [
      stored(1),
      stored(2, { transferSyntaxUid: jpegLossless, offered: [explicit] }),
      stored(3, { sopClassUid: mr }),
      stored(4, { bytes: 700_000 }),
    ],
    [{ sopClassUid: ct, transferSyntaxUids: [explicit], role: "scp" }],
  );
  const outcome = await peer.get(studyGet, query(), taken.store);
  assert.deepEqual(
    [outcome.status, counts(outcome), outcome.failedSopInstanceUids],
    [0xb000, [3, 1, 0, 0], ["1.2.3.3"]],
  );
  assert.deepEqual(
    taken.kept.map(({ request, bytes }) => [request.sopInstanceUid, request.transferSyntaxUid, bytes.length]),
    [
      ["1.2.3.1", explicit, 100],
      ["1.2.3.2", explicit, 100],
      ["1.2.3.4", explicit, 700_000],
    ],
  );
  assert.equal((await peer.echo()).status, 0);
  await peer.release();
});

test("C-GET sends to who negotiates no role, and nothing to who says that it is no SCP", async () => {
  const taken = doorWith();
  const horos = await getter([stored(1)], [ct]);
  assert.equal((await horos.get(studyGet, query(), taken.store)).status, 0);
  const other = await getter([stored(1)], [ct, { sopClassUid: mr, transferSyntaxUids: [explicit], role: "scp" }]);
  assert.equal((await other.get(studyGet, query(), taken.store)).status, 0xa702);
  assert.equal(taken.kept.length, 1);
});

test("a C-GET that is cancelled, or refused by its own receiver, ends so", async () => {
  const taken = doorWith();
  const peer = await getter(
    [1, 2, 3].map((number) => stored(number)),
    [ct],
  );
  const stop = new AbortController();
  const outcome = await peer.get(
    studyGet,
    query(),
    (request) => {
      stop.abort();
      if (request.sopInstanceUid.endsWith("1")) throw new Problem("no-room", "no room");
      return taken.store(request);
    },
    { signal: stop.signal },
  );
  assert.equal(outcome.status, 0xfe00);
  assert.equal(outcome.completed + outcome.failed + outcome.remaining, 3);
  assert.ok(outcome.remaining > 0 && outcome.failedSopInstanceUids.includes("1.2.3.1"));
});

test("requests that come while a C-GET is answered are refused or served, and nothing waits for itself", async () => {
  const service = retrieving([stored(1)]);
  const { door } = serving({ retrieves: new Map([[studyGet, service]]) });
  const contexts = [{ id: 5, abstractSyntax: studyGet, transferSyntaxes: [explicit] }];
  const peer = await rawPeer(door, 0, undefined, { contexts });
  const getRq = {
    CommandField: commandField.cGetRq,
    CommandDataSetType: 1,
    MessageID: 1,
    AffectedSOPClassUID: studyGet,
  };
  const echo = {
    CommandField: commandField.cEchoRq,
    CommandDataSetType: 0x0101,
    MessageID: 2,
    AffectedSOPClassUID: "1.2.840.10008.1.1",
  };
  await peer.send(peer.command(getRq, 5), peer.dataSet(identifier, 5));
  await peer.send(peer.command(echo, 1), peer.command({ ...echo, MessageID: 1 }, 1));
  const storeRq = peer.commands.find(({ CommandField }) => CommandField === commandField.cStoreRq) ?? assert.fail();
  await peer.send(
    peer.command(
      { CommandField: 0x8001, CommandDataSetType: 0x0101, Status: 0, MessageIDBeingRespondedTo: storeRq.MessageID },
      3,
    ),
  );
  assert.deepEqual(
    peer.commands.map(({ CommandField, Status, MessageIDBeingRespondedTo }) => [
      CommandField,
      Status,
      MessageIDBeingRespondedTo,
    ]),
    [
      [0x8010, 0xff00, 1],
      [0x0001, undefined, undefined],
      [0x8030, 0x0213, 2],
      [0x8030, 0x0210, 1],
      [0x8010, 0, 1],
    ],
  );
});

test("a peer that answers no C-STORE of a C-GET, or reads nothing, is let go", async () => {
  for (const silent of ["no answer", "no reading"]) {
    const clock = createVirtualClock();
    const service = retrieving([stored(1, { bytes: 2_000_000 })]);
    const { door, events } = serving(
      { retrieves: new Map([[studyGet, service]]) },
      { clock, limits: { dimseMs: 5000 } },
    );
    const contexts = [{ id: 5, abstractSyntax: studyGet, transferSyntaxes: [explicit] }];
    const peer = await rawPeer(door, 0, undefined, { contexts });
    if (silent === "no reading") peer.connection.pause();
    const getRq = {
      CommandField: commandField.cGetRq,
      CommandDataSetType: 1,
      MessageID: 1,
      AffectedSOPClassUID: studyGet,
    };
    await peer.send(peer.command(getRq, 5), peer.dataSet(identifier, 5));
    for (let i = 0; i < 12; i++) {
      clock.advance(1000);
      await peer.settle();
    }
    const hows = events.flatMap((event) => (event.kind === "closed" ? [event.how] : []));
    assert.deepEqual(hows, ["timeout"], silent);
  }
});

test("a source is read ahead by no more than it may, hands on its failure, and is let go of when it is not wanted", async () => {
  let made = 0;
  let returned = false;
  const source = (async function* () {
    try {
      for (; made < 100; made++) yield Buffer.alloc(10, made);
      throw new Error("the disk is gone");
    } finally {
      returned = true;
    }
  })();
  const ahead = prefetched(source, 50);
  for (let i = 0; i < 50; i++) await turn();
  assert.ok(made >= 4 && made <= 6, `${made}`);
  let bytes = 0;
  await assert.rejects(async () => {
    for await (const piece of ahead.source) bytes += piece.length;
  }, /the disk is gone/);
  assert.deepEqual([bytes, returned], [1000, true]);
  returned = false;
  const unwanted = prefetched(
    (async function* () {
      try {
        for (;;) yield Buffer.alloc(10);
      } finally {
        returned = true;
      }
    })(),
    50,
  );
  await turn();
  unwanted.discard();
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(returned, true);
});
