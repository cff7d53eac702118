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
type Studies = readonly ReturnType<typeof prior>[];
async function edgeWith(studies: Studies | ((patient: string) => Studies)) {
  const clock = createVirtualClock(Date.UTC(2026, 2, 1));
  const { schedule } = await openSchedule();
  const { vault } = await openVault();
  const records = createRecords({ store: createMemoryRecordStore(), vault });
  const asked: string[] = [];
  const brought: unknown[] = [];
  const hanging = Promise.withResolvers<void>();
  const cloud = { isAway: false, failsAt: "", hangsAt: "", isDamagedAt: "", isTooLargeAt: "" };
  const prefetch = createPrefetch({
    ...{ schedule, records, clock, log: silentLog },
    reading: {
      async studies(keys) {
        if (cloud.isAway) throw new Problem("unavailable", "away");
        asked.push(keys.PatientID ?? "");
        return typeof studies === "function" ? studies(keys.PatientID ?? "") : studies;
      },
      async bring(keys, signal) {
        const uid = keys.StudyInstanceUID as string;
        if (cloud.hangsAt === uid) {
          hanging.resolve();
          await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new Error("broken off"))));
        }
        if (cloud.failsAt === uid) throw new Problem("unavailable", "not all came");
        if (cloud.isTooLargeAt === uid) throw new Problem("too-large", "more than is brought at once");
        brought.push(uid);
        return cloud.isDamagedAt === uid ? { came: 9, missed: 1 } : { came: 10, missed: 0 };
      },
    },
  });
  const plan = (study: string, name: string) =>
    schedule.put(frontDesk, () => itemOf({ study, name, modality: "CT", step: study }), "");
  return { prefetch, plan, asked, brought, cloud, clock, hangs: hanging.promise };
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

test("an order whose priors do not come keeps none from the others, and is tried again in an hour", async () => {
  const byTurn = ["1.1", "1.2"];
  const uids = new Map<string, string>();
  const { prefetch, plan, brought, cloud, clock } = await edgeWith((patient) => {
    if (!uids.has(patient)) uids.set(patient, byTurn[uids.size] ?? "1.3");
    return [prior(uids.get(patient) ?? "", "20200101", "CT")];
  });
  await plan("9.1", "Roe^Richard");
  await plan("9.2", "Doe^Jane");
  cloud.failsAt = "1.1";
  assert.equal(await prefetch.look(), 10);
  assert.deepEqual(brought, ["1.2"]);
  cloud.failsAt = "";
  assert.equal(await prefetch.look(), 0);
  clock.advance(3_600_000);
  assert.equal(await prefetch.look(), 10);
  assert.deepEqual(brought, ["1.2", "1.1"]);
});

test("what is damaged in the cloud, or more than comes at once, keeps no other prior, and is tried again in a day", async () => {
  const studies = ["1.1", "1.2", "1.3"].map((uid, at) => prior(uid, `2020010${9 - at}`, "CT"));
  for (const [flag, came] of [
    ["isDamagedAt", 29],
    ["isTooLargeAt", 20],
  ] as const) {
    const { prefetch, plan, asked, cloud, clock } = await edgeWith(studies);
    await plan("9.1", "Roe^Richard");
    cloud[flag] = "1.1";
    assert.equal(await prefetch.look(), came);
    clock.advance(23 * 3_600_000);
    assert.equal(await prefetch.look(), 0);
    assert.equal(asked.length, 1);
    cloud[flag] = "";
    clock.advance(3_600_000);
    assert.equal(await prefetch.look(), 30);
  }
});

test("what comes while the box is shut down is broken off", async () => {
  const { prefetch, plan, brought, cloud, hangs } = await edgeWith([prior("1.1", "20200101", "CT")]);
  await plan("9.1", "Roe^Richard");
  cloud.hangsAt = "1.1";
  prefetch.begin();
  await hangs;
  await prefetch.close();
  assert.deepEqual(brought, []);
});
