import assert from "node:assert/strict";
import { test } from "node:test";
import type { DicomJson } from "#formats/dicom";
import { system } from "#trust/access";
import { frontDesk, itemOf, openSchedule } from "./schedule.fixture.ts";

/** A cloud with some steps, and an edge that has none. */
async function twoSchedules() {
  const cloud = await openSchedule();
  const edge = await openSchedule();
  const take = async () => edge.schedule.mirror(system, asSent(await cloud.schedule.planned(frontDesk)));
  const listedAt = async ({ schedule }: typeof cloud) =>
    (await schedule.list(frontDesk)).map(({ accessionNumber, startTime }) => `${accessionNumber} ${startTime}`);
  return { cloud, edge, take, listedAt };
}
const asSent = (steps: readonly DicomJson[]) => JSON.parse(JSON.stringify(steps)) as DicomJson[];

test("an edge has the steps of its cloud, is told what changes, and nothing twice", async () => {
  const { cloud, edge, take, listedAt } = await twoSchedules();
  await cloud.schedule.put(frontDesk, () => itemOf({ study: "1.2.1", accession: "A1", name: "Müller^Éloïse" }), "");
  await cloud.schedule.put(frontDesk, () => itemOf({ study: "1.2.2", accession: "A2" }), "");
  assert.deepEqual(await take(), { changed: 2, removed: 0, refused: 0 });
  assert.deepEqual(await take(), { changed: 0, removed: 0, refused: 0 });
  assert.deepEqual(await listedAt(edge), await listedAt(cloud));
  assert.deepEqual(
    (await edge.schedule.list(frontDesk)).map(({ patientName }) => patientName),
    (await cloud.schedule.list(frontDesk)).map(({ patientName }) => patientName),
  );
  await cloud.schedule.put(frontDesk, () => itemOf({ study: "1.2.2", accession: "A2", time: "101500" }), "");
  assert.deepEqual(await take(), { changed: 1, removed: 0, refused: 0 });
  assert.deepEqual(await listedAt(edge), await listedAt(cloud));
});

test("what the cloud has no more goes on the edge too, and what was planned there alone stays", async () => {
  const { cloud, edge, take, listedAt } = await twoSchedules();
  await cloud.schedule.put(frontDesk, () => itemOf({ study: "1.2.1", accession: "A1" }), "");
  await edge.schedule.put(frontDesk, () => itemOf({ study: "1.2.9", accession: "A9" }), "");
  await take();
  const [step] = await cloud.schedule.list(frontDesk);
  await cloud.schedule.remove(frontDesk, step?.token ?? "");
  assert.deepEqual(await take(), { changed: 0, removed: 1, refused: 0 });
  assert.deepEqual(await listedAt(edge), ["A9 083000"]);
});

test("what is no step is counted, and keeps no other from coming", async () => {
  const { cloud, edge, listedAt } = await twoSchedules();
  await cloud.schedule.put(frontDesk, () => itemOf({ study: "1.2.1", accession: "A1" }), "");
  const steps = [{}, ...asSent(await cloud.schedule.planned(frontDesk))];
  assert.deepEqual(await edge.schedule.mirror(system, steps), { changed: 1, removed: 0, refused: 1 });
  assert.deepEqual(await edge.schedule.mirror(system, steps), { changed: 0, removed: 0, refused: 0 });
  assert.deepEqual(await listedAt(edge), await listedAt(cloud));
});
