import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "#base/log";
import { Problem } from "#base/problem";
import { archiveFinds, archiveRetrieves, type FindRequest, type RetrievedInstance } from "#doors/dimse";
import type { EdgeFindRequest, EdgeInstancesRequest } from "#formats/api";
import { elementsOf, type KeywordDataSet, readDataSet, TransferSyntaxUid, writeDataSet } from "#formats/dicom";
import type { StudyIndex } from "#radiology/archive";
import { createTranscoder } from "#radiology/images";
import { type Actor, actorOf, operator } from "#trust/access";
import { openQueried, studyRoot, workstation } from "../../doors/dimse/archive-query.fixture.ts";
import { doorWith } from "../../doors/dimse/scp.fixture.ts";
import { associate, serving } from "../../doors/dimse/services.fixture.ts";
import { pixelsHere } from "../../radiology/images/pixels-here.fixture.ts";
import { createCloudReading } from "./cloud-reading.ts";
import { createEdgeReading } from "./edge-reading.ts";
import { framedEnd, framedPiece } from "./framed-instances.ts";

const root = "1.2.826.0.1.3680043.10.1561.13";
const north = "f1".repeat(16);
const edge = actorOf("edge", "e1");
const encoding = { transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian };
const going = new AbortController().signal;
const bytesOf = async (instance: RetrievedInstance): Promise<number> => {
  let bytes = 0;
  for await (const piece of (await instance.open([encoding.transferSyntaxUid])).dataSet) bytes += piece.length;
  return bytes;
};
const extended = { relational: false, fuzzyNames: false };

const requestOf = (sopClassUid: string, keys: KeywordDataSet): FindRequest => {
  const identifier = readDataSet(writeDataSet(elementsOf(keys), encoding), encoding);
  return { sopClassUid, identifier, extended };
};
const ofStudy = (number: string) => ({ QueryRetrieveLevel: "STUDY", StudyInstanceUID: number && `${root}.${number}` });

const allOf = (number: string) => ({ StudyInstanceUID: `${root}.${number}` });

/** A cloud with two studies, one of them of a facility, and an empty box that asks it. */
async function opened({ facility = "" } = {}) {
  const [cloud, box] = await Promise.all([openQueried(), openQueried()]);
  await cloud.store({ PatientID: "P1" }, { study: "1", number: 1 });
  await cloud.store({ PatientID: "P1" }, { study: "1", number: 2 });
  await cloud.store({ PatientID: "P1" }, { study: "2" }, north);
  const edges = {
    named: async () => ({ facility }) as Awaited<ReturnType<Parameters<typeof createEdgeReading>[0]["edges"]["named"]>>,
  };
  const there = createEdgeReading({ archive: cloud.archive, edges });
  const state = {
    ...{ asked: 0, lookUps: 0, streams: 0, problem: undefined as Problem | undefined, freeBytes: 2 ** 40 },
    /** What the cloud sends before all it was asked for, and what happens behind so many instances. */
    first: [] as readonly Buffer[],
    behind: async (_count: number, _signal: AbortSignal | undefined): Promise<void> => {},
  };
  const index: Pick<StudyIndex, "heldIn"> = {
    heldIn(...asked) {
      state.lookUps++;
      return box.index.heldIn(...asked);
    },
  };
  const transcoder = createTranscoder({ pixels: pixelsHere(), implementation: { classUid: "2.25.1", version: "T" } });
  const reading = createCloudReading({
    ...{ transcoder, archive: box.archive, index, gate: box.gate, ownTitle: "BOX", log: silentLog },
    disk: { freeBytes: async () => state.freeBytes, reservedBytes: 2 ** 30 },
    cloudLink: {
      async post<T>(_path: string, body: unknown) {
        state.asked++;
        if (state.problem !== undefined) throw state.problem;
        return (await there.find(edge, body as EdgeFindRequest)) as T;
      },
      async *stream(_path, body, signal) {
        state.streams++;
        yield* state.first;
        await state.behind(0, signal);
        let count = 0;
        for await (const piece of there.instances(edge, body as EdgeInstancesRequest)) {
          yield Buffer.from(piece);
          if (framedEnd(true).equals(piece)) await state.behind(++count, signal);
        }
      },
    },
  });
  const { archive } = box;
  const find = async (keys: KeywordDataSet, actor: Actor = workstation()) => {
    const finds = reading.finds(archiveFinds({ archive, actor, retrieveAe: "BOX" }), actor);
    const found = [];
    for await (const one of finds.get(studyRoot.find)?.find(requestOf(studyRoot.find, keys)) ?? []) found.push(one);
    return found;
  };
  const destination = () => Promise.reject(new Error("none"));
  const retrieves = (actor: Actor = workstation()) =>
    reading.retrieves(archiveRetrieves({ archive, transcoder, actor, destination }), actor);
  const select = async (keys: KeywordDataSet, { actor = workstation(), signal = going } = {}) =>
    (await retrieves(actor).get(studyRoot.move)?.select(requestOf(studyRoot.move, keys), signal)) ?? [];
  return { reading, state, find, select, retrieves, there, cloud, box };
}

test("a machine that may not search here is told nothing of the cloud", async () => {
  const { find, select, state } = await opened();
  const ended = actorOf("device", "9", { isLive: () => false });
  await assert.rejects(find(ofStudy(""), ended), { code: "denied" });
  await assert.rejects(select(ofStudy("1"), { actor: ended }), { code: "denied" });
  assert.equal(state.asked, 0);
  assert.equal((await find(ofStudy(""))).length, 2);
});

test("an edge that stands in a facility sees what lies there, and has nothing else", async () => {
  const { find, select } = await opened({ facility: north });
  assert.equal((await find(ofStudy(""))).length, 1);
  assert.equal((await select(ofStudy("2"))).length, 1);
  assert.equal((await select(ofStudy("1"))).length, 0);
});

test("a retrieve brings what it names and no more; one that names everything, or nothing, is refused before the cloud is asked", async () => {
  const { select, state } = await opened();
  for (const keys of [ofStudy(""), { ...ofStudy(""), StudyInstanceUID: "*" }])
    await assert.rejects(select(keys), { code: "invalid" });
  assert.equal(state.asked, 0);
  assert.equal((await select({ ...ofStudy("1"), SOPInstanceUID: `${root}.1.9.1` })).length, 2);
  const both = [`${root}.1`, `${root}.2`];
  assert.equal((await select({ ...ofStudy("1"), StudyInstanceUID: both })).length, 3);
});

test("what the cloud refuses is told; while it is away there is what is here", async () => {
  const { select, find, state } = await opened();
  state.problem = new Problem("too-large", "more than is answered at once");
  await assert.rejects(select(ofStudy("1")), { code: "too-large" });
  await assert.rejects(find(ofStudy("")), { code: "too-large" });
  state.problem = new Problem("unavailable", "away");
  assert.deepEqual([await select(ofStudy("1")), await find(ofStudy(""))], [[], []]);
});

test("a machine gets all but what is damaged in the cloud, which is counted and named as failed (PS3.4 §C.4.3)", async () => {
  const { retrieves, reading, cloud } = await opened();
  await cloud.archive.settled();
  const [damaged] = await cloud.index.instances(`${root}.1`);
  const { offset } = damaged?.places.image ?? assert.fail();
  cloud.stores.image.objects.bytes().fill(0x55, offset - 100, offset);
  const { door } = serving({ retrieves: retrieves() });
  const taken = doorWith();
  const secondaryCapture = "1.2.840.10008.5.1.4.1.1.7";
  const peer = await associate(door, [studyRoot.get, secondaryCapture]);
  const identifier = elementsOf({ QueryRetrieveLevel: "STUDY", StudyInstanceUID: `${root}.1` });
  const outcome = await peer.get(studyRoot.get, identifier, taken.store);
  const { status, completed, failed, failedSopInstanceUids } = outcome;
  assert.deepEqual([status, completed, failed, failedSopInstanceUids], [0xb000, 1, 1, [`${root}.1.9.1`]]);
  assert.deepEqual(
    taken.kept.map(({ request }) => request.sopInstanceUid),
    [`${root}.1.9.2`],
  );
  await peer.release();
  assert.deepEqual(await reading.bring(allOf("1"), going), { came: 0, missed: 1 });
});

test("instances are sent on while more come, in whatever order they are listed; a cancel stops what comes", async () => {
  const { select, state, cloud } = await opened();
  for (const [number, series] of [
    [1, 1],
    [2, 2],
    [3, 1],
  ] as const)
    await cloud.store({ SeriesInstanceUID: `${root}.3.${series}` }, { study: "3", number });
  const stop = new AbortController();
  const told = Promise.withResolvers<AbortSignal | undefined>();
  state.behind = async (count, signal) => {
    if (count < 1) return;
    told.resolve(signal);
    await new Promise((_, reject) =>
      signal?.addEventListener("abort", () => reject(new Problem("unavailable", "over"))),
    );
  };
  const [first, ...others] = await select(ofStudy("3"), { signal: stop.signal });
  assert.deepEqual([first?.transferSyntaxUid, others.length], [encoding.transferSyntaxUid, 2]);
  assert.ok(first && (await bytesOf(first)) > 0);
  const waiting = others.map((one) => assert.rejects(one.open([encoding.transferSyntaxUid]), { code: "unavailable" }));
  stop.abort();
  await Promise.all(waiting);
  assert.equal((await told.promise)?.aborted, true);
  assert.equal(state.streams, 1);
});

test("the cloud gives instances in the order in which its edge asks for them", async () => {
  const { there } = await opened();
  const uids = [`${root}.1.9.2`, `${root}.1.9.1`];
  const asked = { studyUid: `${root}.1`, seriesUid: `${root}.1.1`, sopUids: uids };
  const pieces: Uint8Array[] = [];
  for await (const piece of there.instances(edge, asked)) pieces.push(piece);
  const ends = pieces.flatMap((piece, at) => (framedEnd(true).equals(piece) ? [at] : []));
  const first = Buffer.concat(pieces.slice(0, ends[0]));
  assert.deepEqual([ends.length, ...uids.map((uid) => first.includes(uid))], [2, true, false]);
});

test("what breaks off is asked for again while some of it comes, and fails when none does", async () => {
  const { select, state } = await opened();
  state.behind = async (count) => {
    if (count === 1) throw new Problem("unavailable", "broken off");
  };
  for (const one of await select(ofStudy("1"))) assert.ok((await bytesOf(one)) > 0);
  assert.equal(state.streams, 2);
  state.behind = () => Promise.reject(new Problem("unavailable", "broken off"));
  const [other] = await select(ofStudy("2"));
  await assert.rejects(other?.open([encoding.transferSyntaxUid]) ?? Promise.resolve(), { code: "unavailable" });
  assert.equal(state.streams, 3);
});

test("what comes from the cloud and is refused here keeps no others from coming", async () => {
  const { reading, state } = await opened();
  state.first = [...framedPiece(Buffer.alloc(2_000, "no image")), framedEnd(true), framedEnd(false)];
  assert.deepEqual(await reading.bring(allOf("1"), going), { came: 2, missed: 0 });
});

test("nothing is brought, and nothing more, where the disk is nearly full", async () => {
  const { reading, state } = await opened();
  const nearlyFull = 3 * 2 ** 30 - 1;
  state.freeBytes = nearlyFull;
  await assert.rejects(reading.bring(allOf("1"), going), { code: "no-room" });
  assert.equal(state.streams, 0);
  state.behind = async (count) => {
    state.freeBytes = count === 1 ? nearlyFull : 2 ** 40;
  };
  state.freeBytes = 2 ** 40;
  await assert.rejects(reading.bring(allOf("1"), going), { code: "no-room" });
  state.freeBytes = 2 ** 40;
  assert.deepEqual(await reading.bring(allOf("1"), going), { came: 1, missed: 0 });
});

test("what is here of a study is looked up together, and what was rejected here is not brought again", async () => {
  const { reading, select, box, state } = await opened();
  for (const one of await select(ofStudy("1"))) assert.ok((await bytesOf(one)) > 0);
  assert.equal(state.lookUps, 1);
  const [held] = await box.archive.read(operator, { studyUid: `${root}.1` });
  assert.ok(held);
  assert.equal(await box.archive.reject(operator, held, { code: "113001", scheme: "DCM" }), 1);
  assert.equal((await select(ofStudy("1"))).length, 1);
  assert.deepEqual(await reading.bring(allOf("1"), going), { came: 0, missed: 0 });
});
