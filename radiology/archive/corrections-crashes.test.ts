import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readFile, Tag } from "#formats/dicom";
import { createMemoryBlindStore } from "#stores/memory";
import { operator } from "#trust/access";
import { memoryStores } from "../../trust/vault/vault.fixture.ts";
import { openArchive } from "./archive.fixture.ts";
import type { BlindStore } from "./blind-store.ts";
import { bytesOf, imageFile, receive, tokenOf } from "./corrections.fixture.ts";
import type { Archive } from "./index.ts";

const reason = { code: "COERCE", text: "" } as const;

/** Stores that the n-th write from now fails in: that one alone, or all from then on. */
function faultyStores(stores: ReturnType<typeof memoryStores>, blindStore: BlindStore) {
  let left = Number.POSITIVE_INFINITY;
  let isDown = false;
  let stays = false;
  const step = () => {
    if (isDown) throw new Error("down");
    if (--left !== 0) return;
    isDown = stays;
    throw new Error("fault");
  };
  const { objects, keyStore } = stores.identity;
  const faulty = {
    ...stores,
    identity: {
      objects: {
        ...objects,
        async begin() {
          const writer = await objects.begin();
          const commit = async (parts: readonly Uint8Array[]) => {
            step();
            return writer.commit(parts);
          };
          return { ...writer, commit };
        },
      },
      keyStore: {
        ...keyStore,
        async replace(token: string, key: Buffer) {
          step();
          return keyStore.replace(token, key);
        },
      },
    },
  };
  const change: BlindStore["change"] = async (work) => {
    step();
    return blindStore.change(work);
  };
  return {
    stores: faulty as typeof stores,
    blindStore: { ...blindStore, change },
    failAt(count: number, forever: boolean) {
      left = count;
      isDown = false;
      stays = forever;
    },
  };
}

const from = { PatientID: "OLD" };
const into = { PatientID: "NEW" };

async function threeStudies(archive: Archive) {
  const old = [];
  for (const study of ["1", "2", "3"]) old.push(await receive(archive, imageFile(from, { study })));
  const kept = await receive(archive, imageFile({ ...into, PatientName: "Roe^R", PatientSex: "F" }, { study: "4" }));
  await archive.settled();
  return { old, kept };
}

/** What each study says, how often it was corrected, and under whose key it lies. */
async function stateOf({ archive, vault, index }: Awaited<ReturnType<typeof openArchive>>) {
  const rows = await archive.findStudies(operator, { matches: [], limit: 100, offset: 0 });
  const state = await Promise.all(
    rows.map(async ({ studyToken, studyUid, values }) => {
      const corrections = await archive.correctionsOf(operator, studyToken);
      const patient = await vault.patientOf(studyToken);
      const study = await index.studyOfToken(studyToken);
      assert.equal(study && index.factsOf(study).patient, patient);
      return { studyUid, values, corrections, patient };
    }),
  );
  return state.sort((a, b) => (a.studyUid < b.studyUid ? -1 : 1));
}

const outcome = (state: Awaited<ReturnType<typeof stateOf>>) =>
  state.map(({ values, corrections }) => ({
    id: values.PatientID,
    name: values.PatientName,
    versions: corrections.map(({ version }) => version),
  }));

const merged = [
  { id: "NEW", name: "Roe^R", versions: [1] },
  { id: "NEW", name: "Roe^R", versions: [1] },
  { id: "NEW", name: "Roe^R", versions: [1] },
  { id: "NEW", name: "Roe^R", versions: [] },
];

test("a crash at any step of a merge leaves all studies as they were, or the next start finishes it; a rebuild gives the same", async () => {
  let untouched = 0;
  let finished = 0;
  for (let count = 1; ; count++) {
    const faulty = faultyStores(memoryStores(), createMemoryBlindStore());
    const first = await openArchive(faulty);
    await threeStudies(first.archive);
    const before = await stateOf(first);
    faulty.failAt(count, true);
    const wentThrough = await first.archive.mergePatients(operator, from, into, reason).then(
      () => true,
      () => false,
    );
    // What the first process left: the stores without their faults.
    faulty.failAt(Number.POSITIVE_INFINITY, false);
    const left = { stores: faulty.stores, blindStore: faulty.blindStore };
    const second = await openArchive(left);
    await second.archive.recover();
    const after = await stateOf(second);
    if (wentThrough || after[0]?.values.PatientID === "NEW") {
      assert.deepEqual(outcome(after), merged, `step ${count}`);
      assert.equal(new Set(after.map(({ patient }) => patient)).size, 1, `keys after step ${count}`);
      finished++;
    } else {
      assert.deepEqual(after, before, `step ${count}`);
      untouched++;
      await second.archive.mergePatients(operator, from, into, reason);
      assert.deepEqual(outcome(await stateOf(second)), merged);
    }
    await second.archive.close();
    const again = await openArchive({ stores: left.stores, blindStore: createMemoryBlindStore() });
    await again.archive.recover();
    assert.deepEqual(await stateOf(again), await stateOf(second), `rebuilt after step ${count}`);
    assert.equal((await again.archive.recover()).objects, 0);
    if (wentThrough) break;
  }
  assert.deepEqual([untouched, finished], [1, 12]);
});

test("a merge that one fault stopped is finished by calling again, with no correction twice", async () => {
  for (let count = 1; ; count++) {
    const faulty = faultyStores(memoryStores(), createMemoryBlindStore());
    const open = await openArchive(faulty);
    const { old } = await threeStudies(open.archive);
    faulty.failAt(count, false);
    const merge = () => open.archive.mergePatients(operator, from, into, reason);
    const wentThrough = await merge().then(
      () => true,
      () => false,
    );
    await merge();
    assert.deepEqual(outcome(await stateOf(open)), merged, `step ${count}`);
    assert.equal(new Set((await stateOf(open)).map(({ patient }) => patient)).size, 1);
    for (const stored of old) {
      const { now } = await bytesOf(open.archive, stored);
      assert.equal(readFile(now).dataSet.text(Tag.PatientID), "NEW");
    }
    if (wentThrough) break;
  }
});

test("what one fault left of a correction is finished before the next correction of that study", async () => {
  for (const count of [1, 2, 3]) {
    const faulty = faultyStores(memoryStores(), createMemoryBlindStore());
    const open = await openArchive(faulty);
    const stored = await receive(open.archive, imageFile());
    const studyToken = await tokenOf(open.archive, stored);
    faulty.failAt(count, false);
    await assert.rejects(open.archive.correctStudy(operator, studyToken, { PatientID: "A" }, reason));
    const { studies } = await open.archive.correctStudy(operator, studyToken, { PatientName: "B" }, reason);
    const isRecorded = count > 1;
    assert.deepEqual(
      studies.map(({ version }) => version),
      isRecorded ? [1, 2] : [1],
    );
    const { study } = await open.archive.studyOfToken(operator, studyToken);
    assert.deepEqual([study.values.PatientID, study.values.PatientName], [isRecorded ? "A" : "P1", "B"]);
  }
});

type Step =
  | { readonly do: "receive"; readonly study: string; readonly id: string; readonly name: string }
  | { readonly do: "correct"; readonly study: string; readonly name: string }
  | { readonly do: "rename"; readonly id: string; readonly name: string }
  | { readonly do: "merge"; readonly from: string; readonly into: string }
  | { readonly do: "move"; readonly study: string; readonly id: string; readonly name: string }
  | { readonly do: "restart" }
  | { readonly do: "rebuild" };

interface Plain {
  id: string;
  name: string;
}

/** The same in the clear: false where there is nothing to do it to. */
function doPlainly(studies: Map<string, Plain>, step: Step): boolean {
  const of = (id: string) => [...studies.values()].filter((study) => study.id === id);
  switch (step.do) {
    case "receive":
      if (!studies.has(step.study)) studies.set(step.study, { id: step.id, name: step.name });
      return true;
    case "correct": {
      const study = studies.get(step.study);
      if (study !== undefined) study.name = step.name;
      return study !== undefined;
    }
    case "rename":
      for (const study of of(step.id)) study.name = step.name;
      return of(step.id).length > 0;
    case "move": {
      const study = studies.get(step.study);
      if (study !== undefined) Object.assign(study, { id: step.id, name: step.name });
      return study !== undefined;
    }
    default:
      return true;
  }
}

const someId = fc.constantFrom("A", "B", "C");
const someName = fc.constantFrom("Doe^J", "Roe^R", "Ünal^Ö");
const someStudy = fc.constantFrom("1", "2", "3", "4");
const someStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("receive" as const), study: someStudy, id: someId, name: someName }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("correct" as const), study: someStudy, name: someName }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("rename" as const), id: someId, name: someName }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("merge" as const), from: someId, into: someId }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("move" as const), study: someStudy, id: someId, name: someName }),
  },
  { weight: 1, arbitrary: fc.constantFrom({ do: "restart" as const }, { do: "rebuild" as const }) },
);

test("any acts, restarts and rebuilds between: studies say what a plain list of studies would, and lie under one key a patient", () =>
  fc.assert(
    fc.asyncProperty(fc.array(someStep, { minLength: 1, maxLength: 14 }), async (steps) => {
      const stores = memoryStores();
      let blindStore: BlindStore = createMemoryBlindStore();
      let open = await openArchive({ stores, blindStore });
      const plain = new Map<string, Plain>();
      const tokens = new Map<string, string>();
      const files = new Map<string, Awaited<ReturnType<typeof receive>>[]>();
      let number = 0;
      for (const step of steps) {
        if (step.do === "restart" || step.do === "rebuild") {
          await open.archive.close();
          if (step.do === "rebuild") blindStore = createMemoryBlindStore();
          open = await openArchive({ stores, blindStore });
          await open.archive.recover();
          continue;
        }
        const { archive } = open;
        if (step.do === "receive") {
          const values = { PatientID: step.id, PatientName: step.name, SpecificCharacterSet: "ISO_IR 100" };
          const stored = await receive(archive, imageFile(values, { study: step.study, number: ++number }));
          files.set(step.study, [...(files.get(step.study) ?? []), stored]);
          tokens.set(step.study, await tokenOf(archive, stored));
          doPlainly(plain, step);
          continue;
        }
        if (step.do === "merge") {
          const kept = await archive.findStudies(operator, {
            matches: [{ keyword: "PatientID", kind: "equal", values: [step.into] }],
            limit: 1,
            offset: 0,
          });
          const name = kept[0]?.values.PatientName ?? "";
          const could = await succeeds(
            archive.mergePatients(operator, { PatientID: step.from }, { PatientID: step.into }, reason),
          );
          if (!could) continue;
          for (const study of plain.values()) {
            if (study.id === step.from) Object.assign(study, { id: step.into, name });
          }
          continue;
        }
        const token = "study" in step ? (tokens.get(step.study) ?? "none") : "";
        const could = await succeeds(actOf(archive, step, token));
        assert.equal(could, doPlainly(plain, step), JSON.stringify(step));
      }
      const keys = new Map<string, string | undefined>();
      for (const [study, { id, name }] of plain) {
        const token = tokens.get(study) ?? "";
        const { study: row } = await open.archive.studyOfToken(operator, token);
        assert.deepEqual([row.values.PatientID, row.values.PatientName], [id, name]);
        const key = await open.vault.patientOf(token);
        if (keys.has(id)) assert.equal(key, keys.get(id), "one key a patient");
        keys.set(id, key);
        const isCorrected = (await open.archive.correctionsOf(operator, token)).length > 0;
        for (const stored of isCorrected ? (files.get(study) ?? []) : []) {
          const { now } = await bytesOf(open.archive, stored);
          const said = readFile(now).dataSet;
          const named = (await open.archive.correctionsOf(operator, token)).flatMap(({ changes }) =>
            Object.keys(changes),
          );
          if (named.includes("PatientID")) assert.equal(said.text(Tag.PatientID), id);
          if (named.includes("PatientName")) assert.equal(said.text(Tag.PatientName), name);
        }
      }
    }),
    { numRuns: 60, seed: 9 },
  ));

function actOf(
  archive: Archive,
  step: Exclude<Step, { do: "receive" | "merge" | "restart" | "rebuild" }>,
  token: string,
) {
  if (step.do === "correct") return archive.correctStudy(operator, token, { PatientName: step.name }, reason);
  const values = { PatientName: step.name };
  if (step.do === "rename") return archive.correctPatient(operator, { PatientID: step.id }, values, reason);
  return archive.moveStudy(operator, token, { PatientID: step.id, ...values }, reason);
}

const succeeds = (act: Promise<unknown>): Promise<boolean> =>
  act.then(
    () => true,
    (error: { code?: string }) => {
      if (error.code === "absent" || error.code === "invalid") return false;
      throw error;
    },
  );
