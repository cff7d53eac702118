import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock";
import { isProblem, Problem } from "#base/problem";
import { elementsOf, type KeywordDataSet, Tag } from "#formats/dicom";
import { type FindService, fetchParts, listContents, listStudies, openAssociation } from "./index.ts";
import { connectTo, ct, doorWith } from "./scp.fixture.ts";
import { retrieving, serving, stored, studyFind, studyGet } from "./services.fixture.ts";

const { signal } = new AbortController();

/** An archive that answers queries so, and what it was asked. */
function archive(answer: (keys: Readonly<Record<string, string>>) => Iterable<KeywordDataSet>) {
  const asked: Record<string, string>[] = [];
  const find: FindService = {
    async *find({ identifier }) {
      const text = (tag: number) => identifier.texts(tag)?.[0] ?? "";
      const keys = {
        level: text(Tag.QueryRetrieveLevel),
        series: text(Tag.SeriesInstanceUID),
        date: text(Tag.StudyDate),
        time: text(Tag.StudyTime),
      };
      asked.push(keys);
      for (const one of answer(keys)) yield { identifier: elementsOf(one), keysIgnored: false };
    },
  };
  const { door } = serving({ finds: new Map([[studyFind, find]]) });
  const open = (contexts: Parameters<typeof openAssociation>[1]["contexts"]) =>
    openAssociation(connectTo(door), { callingAe: "LG", calledAe: "LEADGLASS", contexts }, { clock: systemClock });
  return { open, asked };
}

const study = (number: number): KeywordDataSet => ({
  ...{ StudyInstanceUID: `1.2.${number}`, StudyDate: "20240131", ModalitiesInStudy: ["CT", "SR"] },
  ...{ PatientID: "x".repeat(200), PatientName: "Doe^Jane" },
});

async function listedIn(open: ReturnType<typeof archive>["open"]) {
  const uids: string[] = [];
  const isCut = await listStudies(
    open,
    { StudyDate: "20240131" },
    async ({ studyUid }) => void uids.push(studyUid),
    signal,
  );
  return { uids, isCut };
}

test("studies of a day are handed over as they come; what is no UID is none, and no value is longer than it may be", async () => {
  const { open, asked } = archive(() => [study(1), { ...study(2), StudyInstanceUID: "no uid" }]);
  const found: unknown[] = [];
  const isCut = await listStudies(open, { StudyDate: "20240131" }, async (one) => void found.push(one), signal);
  assert.equal(isCut, false);
  assert.deepEqual(found, [
    {
      ...{ studyUid: "1.2.1", date: "20240131", time: "", modalities: ["CT", "SR"] },
      ...{ patientId: "x".repeat(64), patientName: "Doe^Jane", accession: "" },
    },
  ]);
  assert.equal(asked[0]?.date, "20240131");
});

test("an archive that is out of resources, or breaks off behind matches, did not name all; one that refuses, failed", async () => {
  const failing = (code: "busy" | "damaged", before: number) =>
    archive(function* () {
      for (let number = 1; number <= before; number++) yield study(number);
      throw new Problem(code, "no more");
    });
  assert.deepEqual(await listedIn(failing("busy", 0).open), { uids: [], isCut: true });
  assert.deepEqual(await listedIn(failing("damaged", 2).open), { uids: ["1.2.1", "1.2.2"], isCut: true });
  await assert.rejects(listedIn(failing("damaged", 0).open), (error) => isProblem(error, "invalid"));
});

test("a study is asked for level by level, each below one unique key; what an archive does not do is left out", async () => {
  const levels: Record<string, KeywordDataSet[]> = {
    STUDY: [{ StudyInstanceUID: "1.2.1", NumberOfStudyRelatedInstances: "3" }],
    SERIES: [
      { SeriesInstanceUID: "1.3.1", Modality: "CT", NumberOfSeriesRelatedInstances: "2" },
      { SeriesInstanceUID: "1.3.2", Modality: "SR" },
    ],
    IMAGE: [{ SOPInstanceUID: "1.4.1", SOPClassUID: ct }],
  };
  const whole = archive(({ level = "" }) => levels[level] ?? []);
  const instances = [{ sopUid: "1.4.1", sopClassUid: ct }];
  assert.deepEqual(await listContents(whole.open, "1.2.1", signal), {
    count: 3,
    series: [
      { seriesUid: "1.3.1", modality: "CT", count: 2, instances },
      { seriesUid: "1.3.2", modality: "SR", instances },
    ],
  });
  assert.deepEqual(
    whole.asked.map(({ level, series }) => [level, series]),
    [
      ["STUDY", ""],
      ["SERIES", ""],
      ["IMAGE", "1.3.1"],
      ["IMAGE", "1.3.2"],
    ],
  );
  const flat = archive(({ level = "" }) => {
    if (level === "IMAGE") throw new Problem("unsupported", "no such level");
    return levels[level] ?? [];
  });
  const { series } = await listContents(flat.open, "1.2.1", signal);
  assert.deepEqual(
    series?.map((one) => one.instances),
    [undefined, undefined],
  );
  await assert.rejects(listContents(archive(() => []).open, "1.2.1", signal), (error) => isProblem(error, "absent"));
});

test("parts of a study are asked for by lists of UIDs, a hundred at most, below the unique keys above them", async () => {
  const asked: string[][] = [];
  const service = retrieving([stored(1)]);
  const retrieves = new Map([
    [
      studyGet,
      {
        ...service,
        select: async (...[request, signal]: Parameters<typeof service.select>) => {
          const texts = (tag: number) => request.identifier.texts(tag) ?? [];
          const counts = [texts(Tag.SeriesInstanceUID).length, texts(Tag.SOPInstanceUID).length];
          asked.push([texts(Tag.QueryRetrieveLevel)[0] ?? "", ...counts.map(String)]);
          return service.select(request, signal);
        },
      },
    ],
  ]);
  const { door } = serving({ retrieves });
  const fetching = {
    open: (contexts: Parameters<typeof openAssociation>[1]["contexts"]) =>
      openAssociation(connectTo(door), { callingAe: "LG", calledAe: "LEADGLASS", contexts }, { clock: systemClock }),
    ...{ receive: doorWith().store, ownAe: "LG", signal, note: () => {} },
  };
  const sopUids = Array.from({ length: 130 }, (_, at) => `1.4.${at}`);
  const only = [{ seriesUid: "1.3.1" }, { seriesUid: "1.3.2" }, { seriesUid: "1.3.3", sopUids }];
  await fetchParts({ studyUid: "1.2.1", only, sopClassUids: [ct] }, fetching);
  assert.deepEqual(asked, [
    ["SERIES", "2", "0"],
    ["IMAGE", "1", "100"],
    ["IMAGE", "1", "30"],
  ]);
});
