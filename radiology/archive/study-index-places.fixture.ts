import assert from "node:assert/strict";
import { test } from "node:test";
import { covers, type Place, type Reach } from "#trust/access";
import { reachMatches } from "./reach.ts";
import { correctionTo, recordOf } from "./study-index.fixture.ts";
import { add, all, type Cleared, type Index, where } from "./study-index-matching.fixture.ts";

const here = "f1".repeat(16);
const there = "f2".repeat(16);
const at = (kind: "facility" | "patient" | "study" | "order", ...ids: string[]): Place[] =>
  ids.map((id) => ({ kind, id }));

/** The part of the contract that says where a study lies, and who finds it there. */
export function placeTests(cleared: Cleared): void {
  const factsOf = async (index: Index, study: string) => {
    const row = await index.studyOfToken(recordOf({ study }).studyToken);
    assert.ok(row);
    return index.factsOf(row);
  };
  const found = async (index: Index, reach: Reach) => {
    const rows = await index.findStudies(where(...reachMatches(reach)));
    assert.deepEqual(await index.countStudies(reachMatches(reach)), { count: rows.length, isExact: true });
    for (const row of rows) assert.ok(covers(reach, index.factsOf(row)));
    return rows.map(({ id }) => id).sort();
  };

  test("a study lies in its facility, with its patient, and in its order, and is found by each and by its own token", async () => {
    const index = await cleared();
    const AccessionNumber = "A-7";
    await add(index, { facility: here, studyValues: { AccessionNumber } }, { study: "2", sop: "2", facility: there });
    const { studyToken } = recordOf();
    const facts = await factsOf(index, "1");
    assert.deepEqual(facts, {
      facility: here,
      patient: index.box.patientIn(studyToken),
      study: studyToken,
      order: facts.order,
    });
    assert.match(facts.order, /^[0-9a-f]{32}$/);
    assert.equal((await factsOf(index, "2")).order, "");
    for (const place of ["facility", "patient", "study", "order"] as const) {
      assert.deepEqual(await found(index, [at(place, facts[place])]), [1], place);
    }
    assert.deepEqual(await found(index, [at("facility", here, there)]), [1, 2]);
    assert.deepEqual(await found(index, [at("facility", here, there), at("study", studyToken)]), [1]);
    assert.deepEqual(await found(index, [at("facility", there), at("study", studyToken)]), []);
    assert.deepEqual(await found(index, [[{ kind: "tenant" }], at("facility", there)]), [2]);
    assert.deepEqual(await found(index, [at("order", "")]), []);
    assert.deepEqual(await found(index, [[]]), []);
    const series = await index.findSeries(where(...reachMatches([at("facility", there)])));
    const instances = await index.findInstances(where(...reachMatches([at("facility", there)])));
    assert.deepEqual([series[0]?.study.id, series.length, instances.length], [2, 1, 1]);
  });

  test("the facility is that of the instance that arrived first, whatever order instances are taken in", async () => {
    const index = await cleared();
    await add(index, { sop: "2", receivedAt: 20, facility: there });
    await add(index, { sop: "3", receivedAt: 30, facility: here });
    assert.equal((await factsOf(index, "1")).facility, there);
    await add(index, { sop: "1", receivedAt: 10, facility: here }, { sop: "4", receivedAt: 15, facility: there });
    assert.deepEqual(await found(index, [at("facility", here)]), [1]);
    assert.deepEqual(await found(index, [at("facility", there)]), []);
    await add(index, { sop: "5", receivedAt: 5 });
    assert.deepEqual(await found(index, [at("facility", here, there)]), []);
  });

  test("order and patient follow corrections and moves", async () => {
    const index = await cleared();
    const { studyToken } = recordOf();
    await add(index, { facility: here, studyValues: { AccessionNumber: "A-7" } });
    await add(index, { study: "2", sop: "2", studyValues: { AccessionNumber: "A-8" } });
    const [before, other] = [await factsOf(index, "1"), await factsOf(index, "2")];
    await index.correct(studyToken, correctionTo(1, { AccessionNumber: "A-8" }));
    assert.deepEqual(await factsOf(index, "1"), { ...before, order: other.order });
    assert.deepEqual(await found(index, [at("order", before.order)]), []);
    assert.deepEqual(await found(index, [at("order", other.order)]), [1, 2]);
    index.box.move(studyToken, other.patient);
    await index.patientChanged(studyToken);
    await index.patientChanged(studyToken);
    await index.patientChanged("none");
    assert.deepEqual(await factsOf(index, "1"), { ...before, patient: other.patient, order: other.order });
    assert.deepEqual(await found(index, [at("patient", before.patient)]), []);
    assert.deepEqual(await found(index, [at("patient", other.patient)]), [1, 2]);
    assert.deepEqual(await found(index, [at("facility", here)]), [1]);
  });

  test("who was granted thousands of places finds what lies in them", async () => {
    const index = await cleared();
    await add(index, {}, { study: "2", sop: "2" }, { study: "3", sop: "3" });
    const none = (kind: "patient" | "study") => at(kind, ...Array.from({ length: 3_000 }, (_, i) => `${kind} ${i}`));
    const { studyToken } = recordOf({ study: "2" });
    const patient = index.box.patientIn(recordOf({ study: "3" }).studyToken);
    const reach = [[...none("patient"), ...none("study"), ...at("patient", patient), ...at("study", studyToken)]];
    assert.deepEqual(await found(index, reach), [2, 3]);
    assert.deepEqual(
      await found(index, [at("study", ...(await index.findStudies(all)).map((row) => row.studyToken))]),
      [1, 2, 3],
    );
  });

  test("where a study lies is sealed: alike in length wherever it lies, and in no other row's place", async () => {
    const index = await cleared();
    await add(index, { facility: here }, { study: "2", sop: "2", studyValues: { AccessionNumber: "A-7" } });
    const [first, second] = await index.studiesAfter(0, 2);
    assert.ok(first && second);
    assert.equal(first.facts.length, second.facts.length);
    assert.ok(!Buffer.from(first.facts).toString("hex").includes(here));
    assert.throws(() => index.factsOf({ ...first, facts: Uint8Array.from(second.facts) }), { code: "damaged" });
  });
}
