import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { retrieveOperationOf } from "./agreement.ts";
import { commandField, noDataSet } from "./command.ts";
import type { UserInformation } from "./pdu.ts";
import { encodeExtensions, granting, noExtensions } from "./query-extensions.ts";
import { ct, doorWith, explicit, rawPeer, verification } from "./scp.fixture.ts";
import {
  all,
  associate,
  listed,
  query,
  retrieving,
  serving,
  stored,
  studyFind,
  studyGet,
  studyMove,
} from "./services.fixture.ts";

const mr = "1.2.840.10008.5.1.4.1.1.4";
const commitment = "1.2.840.10008.1.20.1";

const everything = () => ({
  finds: new Map([[studyFind, { ...listed([]), supports: { relational: true, fuzzyNames: false, timezone: true } }]]),
  retrieves: new Map([
    [studyMove, retrieving([])],
    [studyGet, retrieving([])],
  ]),
  normalized: new Map([[commitment, { perform: async () => ({}) }]]),
});

/** What the door answers to these items, with contexts of every kind. */
async function answerTo(user: Partial<UserInformation>, without: readonly string[] = []) {
  const { door } = serving(everything());
  const classes = [mr, studyFind, studyMove, studyGet, commitment].filter((uid) => !without.includes(uid));
  const contexts = classes.map((abstractSyntax, i) => ({
    id: 5 + 2 * i,
    abstractSyntax,
    transferSyntaxes: [explicit],
  }));
  const peer = await rawPeer(door, 0, undefined, { contexts, user });
  const [answer] = peer.whole;
  assert.ok(answer?.type === "associate-ac");
  assert.deepEqual(
    answer.contexts.map(({ result }) => result),
    Array(2 + classes.length).fill(0),
  );
  return answer.user;
}

test("the roles that a requestor gets: SCU of all, SCP of what a C-GET brings and of what reports events", async () => {
  const roles = [ct, mr, studyFind, commitment, "1.2.3"].map((sopClassUid) => ({ sopClassUid, scu: true, scp: true }));
  const mixed = [
    { sopClassUid: mr, scu: false, scp: true },
    { sopClassUid: ct, scu: true, scp: false },
  ];
  assert.deepEqual((await answerTo({ roles })).roles, [
    { sopClassUid: ct, scu: true, scp: true },
    { sopClassUid: mr, scu: true, scp: true },
    { sopClassUid: studyFind, scu: true, scp: false },
    { sopClassUid: commitment, scu: true, scp: true },
  ]);
  assert.deepEqual((await answerTo({ roles: mixed })).roles, mixed);
  assert.deepEqual(
    (await answerTo({ roles }, [studyGet])).roles?.map(({ scp }) => scp),
    [false, false, false, true],
  );
  assert.equal((await answerTo({})).roles, undefined);
});

test("of what goes beyond the baseline of queries no more is granted than the service does", async () => {
  const asked = [
    { sopClassUid: studyFind, information: Uint8Array.of(1, 1, 1, 1, 1, 1) },
    { sopClassUid: studyMove, information: Uint8Array.of(1) },
    { sopClassUid: ct, information: Uint8Array.of(3, 0, 0, 0, 2, 0) },
    { sopClassUid: commitment, information: Uint8Array.of(1) },
    { sopClassUid: "1.2.3", information: Uint8Array.of(1) },
  ];
  const { extended } = await answerTo({ extended: asked });
  assert.deepEqual(
    extended?.map(({ sopClassUid, information }) => [sopClassUid, [...information]]),
    [
      [studyFind, [1, 0, 0, 1, 0, 0]],
      [studyMove, [1]],
      [ct, [2, 0, 3, 0, 0, 0]],
    ],
  );
});

test("a query is told what was granted", async () => {
  const service = listed([]);
  const { door } = serving({ finds: new Map([[studyFind, service]]) });
  const extensions = new Map([[studyFind, { relational: true, fuzzyNames: false }]]);
  const peer = await associate(door, [studyFind], { extensions });
  await all(peer.find(studyFind, query()));
  assert.deepEqual(service.asked[0]?.extended, {
    relational: true,
    dateTime: false,
    fuzzyNames: false,
    timezone: false,
    emptyValues: false,
    multipleValues: false,
  });
  const answered = granting(Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1), {
    ...noExtensions,
    emptyValues: true,
    multipleValues: true,
  });
  assert.deepEqual([...encodeExtensions(answered, 8)], [0, 0, 0, 0, 0, 1, 1]);
});

test("common extended negotiation is taken and needs no answer", async () => {
  const commonExtended = [
    { version: 0, sopClassUid: ct, serviceClassUid: "1.2.840.10008.4.2", relatedSopClassUids: ["1.2.3", "1.2.4"] },
  ];
  assert.equal((await answerTo({ commonExtended })).commonExtended, undefined);
});

test("the asynchronous operations window is answered when it is asked for, up to eight", async () => {
  const windows: [number, number, number, number][] = [
    [1, 1, 1, 1],
    [4, 2, 4, 2],
    [100, 100, 8, 8],
    [0, 0, 8, 8],
  ];
  for (const [invoked, performed, ...answered] of windows) {
    const { asyncWindow } = await answerTo({ asyncWindow: { invoked, performed } });
    assert.deepEqual([asyncWindow?.invoked, asyncWindow?.performed], answered);
  }
  assert.equal((await answerTo({})).asyncWindow, undefined);
});

/** A door whose echoes wait until told, and how many do. */
function waitingEchoes() {
  const waiting: (() => void)[] = [];
  const { door } = serving({ echo: () => new Promise((resolve) => void waiting.push(resolve)) });
  return { door, waiting };
}

const settle = async () => {
  for (let i = 0; i < 40; i++) await turn();
};

test("as many requests as the window holds are worked on at once, and their responses matched in any order", async () => {
  const { door, waiting } = waitingEchoes();
  const peer = await associate(door, [], { operationsMax: 3 });
  assert.equal(peer.operationsMax, 3);
  const done: number[] = [];
  const echoes = Array.from({ length: 5 }, (_, i) => peer.echo().then(() => done.push(i)));
  await settle();
  assert.equal(waiting.length, 3);
  waiting[2]?.();
  waiting[1]?.();
  await settle();
  assert.deepEqual([[...done].sort(), waiting.length], [[1, 2], 5]);
  for (const go of waiting) go();
  await Promise.all(echoes);
  await peer.release();
});

test("without a window one request is out at a time, from either side", async () => {
  const { door, waiting } = waitingEchoes();
  const peer = await associate(door, []);
  const echoes = [peer.echo(), peer.echo()];
  await settle();
  assert.equal(waiting.length, 1);
  const raw = await rawPeer(door);
  const echo = { CommandField: commandField.cEchoRq, CommandDataSetType: noDataSet, AffectedSOPClassUID: verification };
  await raw.send(raw.command({ ...echo, MessageID: 1 }, 1), raw.command({ ...echo, MessageID: 2 }, 1));
  assert.equal(waiting.length, 2);
  waiting[1]?.();
  await settle();
  assert.deepEqual(
    [raw.commands.map(({ MessageIDBeingRespondedTo }) => MessageIDBeingRespondedTo), waiting.length],
    [[1], 3],
  );
  for (const go of waiting) go();
  await settle();
  for (const go of waiting) go();
  await Promise.all(echoes);
});

test("a message id that is in use is refused; the request that uses it goes on", async () => {
  const { door, waiting } = waitingEchoes();
  const raw = await rawPeer(door, 0, undefined, { user: { asyncWindow: { invoked: 4, performed: 1 } } });
  const echo = { CommandField: commandField.cEchoRq, CommandDataSetType: noDataSet, AffectedSOPClassUID: verification };
  await raw.send(raw.command({ ...echo, MessageID: 1 }, 1), raw.command({ ...echo, MessageID: 1 }, 1));
  for (const go of waiting) go();
  await raw.settle();
  assert.deepEqual(
    raw.commands.map(({ Status }) => Status),
    [0x0210, 0],
  );
});

test("queries and a retrieve at once: answers and instances never stand between each other", async () => {
  const taken = doorWith();
  const { door } = serving({
    finds: new Map([[studyFind, listed(Array.from({ length: 200 }, (_, i) => ({ PatientID: `${i}` })))]]),
    retrieves: new Map([[studyGet, retrieving(Array.from({ length: 20 }, (_, i) => stored(i, { bytes: 300_000 })))]]),
  });
  const peer = await associate(
    door,
    [studyFind, studyGet, { sopClassUid: ct, transferSyntaxUids: [explicit], role: "scp" }],
    { operationsMax: 8 },
  );
  const [got, ...found] = await Promise.all([
    peer.get(studyGet, query(), taken.store),
    ...[1, 2, 3].map(() => all(peer.find(studyFind, query()))),
    peer.echo().then(() => []),
  ]);
  assert.deepEqual([got.status, got.completed, taken.kept.length], [0, 20, 20]);
  assert.deepEqual(
    found.map((matches) => matches.length),
    [200, 200, 200, 0],
  );
  await peer.release();
});

test("which sub-operations a retrieve has, its SOP class says", () => {
  assert.deepEqual(
    [studyMove, studyGet, studyFind, ct, "1.2.840.10008.5.1.4.1.2.3.2", "1.2.840.10008.5.1.4.1.2.5.3", "1.2.3"].map(
      retrieveOperationOf,
    ),
    ["move", "get", undefined, undefined, "move", "get", undefined],
  );
});
