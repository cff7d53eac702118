import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "#base/log";
import { Problem } from "#base/problem";
import { archiveFinds, archiveRetrieves, type FindRequest } from "#doors/dimse";
import type { EdgeFindRequest, EdgeInstancesRequest } from "#formats/api";
import { elementsOf, type KeywordDataSet, readDataSet, TransferSyntaxUid, writeDataSet } from "#formats/dicom";
import type { StudyIndex } from "#radiology/archive";
import { createTranscoder } from "#radiology/images";
import { type Actor, actorOf, operator } from "#trust/access";
import { openQueried, studyRoot, workstation } from "../../doors/dimse/archive-query.fixture.ts";
import { pixelsHere } from "../../radiology/images/pixels-here.fixture.ts";
import { createCloudReading } from "./cloud-reading.ts";
import { createEdgeReading } from "./edge-reading.ts";
import { framedEnd } from "./framed-instances.ts";

const root = "1.2.826.0.1.3680043.10.1561.13";
const north = "f1".repeat(16);
const edge = actorOf("edge", "e1");
const encoding = { transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian };
const extended = { relational: false, fuzzyNames: false };

const requestOf = (sopClassUid: string, keys: KeywordDataSet): FindRequest => {
  const identifier = readDataSet(writeDataSet(elementsOf(keys), encoding), encoding);
  return { sopClassUid, identifier, extended };
};
const ofStudy = (number: string) => ({ QueryRetrieveLevel: "STUDY", StudyInstanceUID: number && `${root}.${number}` });

/** A cloud with two studies, one of them of a facility, and an empty box that asks it. */
async function opened({ facility = "", freeBytes = 2 ** 40 } = {}) {
  const [cloud, box] = await Promise.all([openQueried(), openQueried()]);
  await cloud.store({ PatientID: "P1" }, { study: "1", number: 1 });
  await cloud.store({ PatientID: "P1" }, { study: "1", number: 2 });
  await cloud.store({ PatientID: "P1" }, { study: "2" }, north);
  const edges = {
    named: async () => ({ facility }) as Awaited<ReturnType<Parameters<typeof createEdgeReading>[0]["edges"]["named"]>>,
  };
  const there = createEdgeReading({ archive: cloud.archive, edges });
  const state = { asked: 0, lookUps: 0, problem: undefined as Problem | undefined, isGivenUp: false };
  const index: Pick<StudyIndex, "heldIn"> = {
    heldIn(...asked) {
      state.lookUps++;
      return box.index.heldIn(...asked);
    },
  };
  const reading = createCloudReading({
    ...{ archive: box.archive, index, gate: box.gate, ownTitle: "BOX", log: silentLog },
    disk: { freeBytes: async () => freeBytes, reservedBytes: 2 ** 30 },
    cloudLink: {
      async post<T>(_path: string, body: unknown) {
        state.asked++;
        if (state.problem !== undefined) throw state.problem;
        return (await there.find(edge, body as EdgeFindRequest)) as T;
      },
      async *stream(_path, body) {
        if (state.isGivenUp) yield framedEnd(false);
        else for await (const piece of there.instances(edge, body as EdgeInstancesRequest)) yield Buffer.from(piece);
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
  const select = async (keys: KeywordDataSet, actor: Actor = workstation()) => {
    const transcoder = createTranscoder({ pixels: pixelsHere(), implementation: { classUid: "2.25.1", version: "T" } });
    const destination = () => Promise.reject(new Error("none"));
    const retrieves = reading.retrieves(archiveRetrieves({ archive, transcoder, actor, destination }), actor);
    return (
      (await retrieves.get(studyRoot.move)?.select(requestOf(studyRoot.move, keys), new AbortController().signal)) ?? []
    );
  };
  return { reading, state, find, select, box };
}

test("a machine that may not search here is told nothing of the cloud", async () => {
  const { find, select, state } = await opened();
  const ended = actorOf("device", "9", { isLive: () => false });
  await assert.rejects(find(ofStudy(""), ended), { code: "denied" });
  await assert.rejects(select(ofStudy("1"), ended), { code: "denied" });
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

test("what the cloud lists and does not give makes the retrieve fail; what it refuses is told; while it is away there is what is here", async () => {
  const { select, find, state } = await opened();
  state.isGivenUp = true;
  await assert.rejects(select(ofStudy("1")), { code: "unavailable" });
  state.problem = new Problem("too-large", "more than is answered at once");
  await assert.rejects(select(ofStudy("1")), { code: "too-large" });
  await assert.rejects(find(ofStudy("")), { code: "too-large" });
  state.problem = new Problem("unavailable", "away");
  assert.deepEqual([await select(ofStudy("1")), await find(ofStudy(""))], [[], []]);
});

test("nothing is brought where the disk is nearly full", async () => {
  const { reading } = await opened({ freeBytes: 3 * 2 ** 30 - 1 });
  await assert.rejects(reading.bring({ StudyInstanceUID: `${root}.1` }), { code: "no-room" });
});

test("what is here of a study is looked up together, and what was rejected here is not brought again", async () => {
  const { reading, select, box, state } = await opened();
  assert.equal((await select(ofStudy("1"))).length, 2);
  assert.equal(state.lookUps, 1);
  const [held] = await box.archive.read(operator, { studyUid: `${root}.1` });
  assert.ok(held);
  assert.equal(await box.archive.reject(operator, held, { code: "113001", scheme: "DCM" }), 1);
  assert.equal((await select(ofStudy("1"))).length, 1);
  assert.equal(await reading.bring({ StudyInstanceUID: `${root}.1` }), 0);
});
