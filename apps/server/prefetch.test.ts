import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { silentLog } from "#base/log";
import { Problem } from "#base/problem";
import { createMemoryRecordStore } from "#stores/memory";
import { createRecords } from "#trust/vault";
import { frontDesk, itemOf, openSchedule } from "../../radiology/schedule/schedule.fixture.ts";
import { openVault } from "../../trust/vault/vault.fixture.ts";
import { createPrefetch } from "./prefetch.ts";

const prior = (uid: string, date: string, modalities: string, issuer = "") => ({
  ...{ StudyInstanceUID: uid, StudyDate: date, ModalitiesInStudy: modalities, IssuerOfPatientID: issuer },
});

/** An edge with an empty schedule, and a cloud with these studies of every patient. */
async function edgeWith(studies: readonly ReturnType<typeof prior>[]) {
  const clock = createVirtualClock(Date.UTC(2026, 2, 1));
  const { schedule } = await openSchedule();
  const { vault } = await openVault();
  const records = createRecords({ store: createMemoryRecordStore(), vault });
  const asked: string[] = [];
  const brought: unknown[] = [];
  const cloud = { isAway: false };
  const prefetch = createPrefetch({
    ...{ schedule, records, clock, log: silentLog },
    reading: {
      async studies(keys) {
        if (cloud.isAway) throw new Problem("unavailable", "away");
        asked.push(keys.PatientID ?? "");
        return studies;
      },
      async bring(keys) {
        brought.push(keys.StudyInstanceUID);
        return 10;
      },
    },
  });
  const plan = (study: string, name: string) =>
    schedule.put(frontDesk, () => itemOf({ study, name, modality: "CT", step: study }), "");
  return { prefetch, plan, asked, brought, cloud };
}

test("priors of who is planned are brought once: the newest of the same modality first, three of them", async () => {
  const { prefetch, plan, asked, brought } = await edgeWith([
    prior("1.1", "20200101", "CT"),
    prior("1.2", "20250101", "MR"),
    prior("1.3", "20240101", "CT\\SR"),
    prior("1.4", "20260101", "DX"),
  ]);
  assert.equal(await prefetch.look(), 0);
  await plan("9.1", "Roe^Richard");
  assert.equal(await prefetch.look(), 30);
  assert.deepEqual(brought, ["1.3", "1.1", "1.4"]);
  assert.equal(await prefetch.look(), 0);
  await plan("9.2", "Doe^Jane");
  await prefetch.look();
  assert.equal(asked.length, 2);
});

test("while the cloud is away nothing is lost: it is asked again", async () => {
  const { prefetch, plan, brought, cloud } = await edgeWith([prior("1.1", "20200101", "CT")]);
  await plan("9.1", "Roe^Richard");
  cloud.isAway = true;
  await assert.rejects(prefetch.look(), { code: "unavailable" });
  cloud.isAway = false;
  assert.equal(await prefetch.look(), 10);
  assert.deepEqual(brought, ["1.1"]);
});
