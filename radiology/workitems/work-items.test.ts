import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import type { DicomJson } from "#formats/dicom";
import { itemsOf, keyOf, textAt } from "#radiology/schedule";
import { grantOf } from "../../trust/access/grant-store.contract.ts";
import { allItems, filteredItems, type WithGone, type WithUpsStatus } from "./index.ts";
import {
  claim,
  codeOf,
  jsonOf,
  listenTo,
  openWorkItems,
  performed,
  planner,
  reader,
  scheduledItem,
  stranger,
} from "./work-items.fixture.ts";

const dayMs = 24 * 60 * 60 * 1000;
const statusOf = (error: unknown) => (error as WithUpsStatus).upsStatus;
const failsWith = (status: number) => (error: unknown) => statusOf(error) === status;
const stateIn = (attributes: DicomJson) => textAt(attributes, keyOf("ProcedureStepState"));
const everything = { identifiers: [], include: [], offset: 0, limit: 100 } as const;

test("a work item is made, claimed, done and then changed by nobody; its Transaction UID is told to nobody", async () => {
  const { items } = await openWorkItems();
  const { uid, isModified } = await items.create(planner, "", undefined, scheduledItem());
  assert.ok(isModified, "what was left out of type 2 was added");
  await assert.rejects(items.create(planner, "", uid, scheduledItem()), failsWith(0x0111));
  assert.equal(await items.changeState(reader, uid, claim("IN PROGRESS", "1.2.99")), undefined);
  await assert.rejects(items.changeState(planner, uid, claim("IN PROGRESS", "1.2.98")), failsWith(0xc301));
  await assert.rejects(items.changeState(reader, uid, claim("COMPLETED", "1.2.99")), failsWith(0xc304));
  await assert.rejects(items.update(reader, uid, undefined, performed), failsWith(0xc301));
  await assert.rejects(items.update(reader, uid, "1.2.98", performed), failsWith(0xc301));
  await items.update(reader, uid, "1.2.99", performed);
  await items.changeState(reader, uid, claim("COMPLETED", "1.2.99"));
  assert.equal(await items.changeState(reader, uid, claim("COMPLETED", "1.2.99")), 0xb306);
  await assert.rejects(items.update(reader, uid, "1.2.99", performed), failsWith(0xc300));
  const shown = JSON.stringify([
    await items.read(reader, uid),
    await items.find(reader, { ...everything, include: "all" }),
  ]);
  assert.match(shown, /COMPLETED/);
  assert.doesNotMatch(shown, /1\.2\.99|00081195/);
});

test("what a new work item must have is named, and what it must not", async () => {
  const { items } = await openWorkItems();
  const refused = async (attributes: DicomJson, what: RegExp) =>
    assert.rejects(
      items.create(planner, "", undefined, attributes),
      (error) => isProblem(error, "invalid") && what.test(error.message),
    );
  for (const keyword of ["ScheduledProcedureStepPriority", "ProcedureStepLabel", "InputReadinessState"]) {
    const { [keyOf(keyword)]: _left, ...rest } = scheduledItem();
    await refused(rest, new RegExp(keyword));
  }
  await refused(scheduledItem({ ScheduledProcedureStepPriority: "SOON" }), /ScheduledProcedureStepPriority/);
  await refused(scheduledItem({ ProcedureStepState: "IN PROGRESS" }), /SCHEDULED/);
  await refused(scheduledItem({ TransactionUID: "1.2.3" }), /TransactionUID/);
  await refused(scheduledItem({ ScheduledStationNameCodeSequence: [jsonOf({ CodeValue: "X" })] }), /no code/);
  await refused({ ...scheduledItem(), ...performed }, /PerformedProcedureSequence/);
});

test("a scheduled item that nobody wants any more is canceled, and says when and why", async () => {
  const { items } = await openWorkItems();
  const { uid } = await items.create(planner, "", "1.2.3", scheduledItem());
  await items.requestCancel(planner, uid, jsonOf({ ReasonForCancellation: "ordered twice" }));
  const canceled = await items.read(reader, uid);
  const [progress] = itemsOf(canceled[keyOf("ProcedureStepProgressInformationSequence")]);
  assert.equal(textAt(progress ?? {}, keyOf("ReasonForCancellation")), "ordered twice");
  assert.equal(textAt(progress ?? {}, keyOf("ProcedureStepCancellationDateTime")), "20260301080000+0000");
  assert.equal(await items.requestCancel(planner, uid, {}), 0xb304);
});

test("subscribers are told of each step; who performs one is asked to cancel it", async () => {
  const { items } = await openWorkItems();
  const channel = await listenTo(items, "VIEWER");
  await items.subscribe(reader, allItems, "VIEWER", "unlocked", undefined);
  const stations = { ScheduledStationNameCodeSequence: [codeOf("STATION1")] };
  const { uid } = await items.create(planner, "", "1.2.3", scheduledItem(stations));
  assert.deepEqual(channel.told(), [
    [1, "SCHEDULED"],
    [5, undefined],
  ]);
  await items.changeState(reader, uid, claim("IN PROGRESS", "1.2.99"));
  await items.requestCancel(planner, uid, jsonOf({ ReasonForCancellation: "not needed" }));
  assert.equal(textAt(channel.reports[1] ?? {}, keyOf("RequestingAE")), "LEADGLASS");
  const half = jsonOf({ ProcedureStepProgressInformationSequence: [jsonOf({ ProcedureStepProgress: 50 })] });
  await items.update(reader, uid, "1.2.99", half);
  await items.update(reader, uid, "1.2.99", jsonOf({ InputReadinessState: "INCOMPLETE" }));
  await items.changeState(reader, uid, claim("CANCELED", "1.2.99"));
  assert.deepEqual(channel.told(), [
    [1, "IN PROGRESS"],
    [2, undefined],
    [3, undefined],
    [1, "IN PROGRESS"],
    [1, "CANCELED"],
  ]);
  channel.stop();
  await items.subscribe(reader, uid, "VIEWER", "locked", undefined);
  assert.deepEqual(channel.told(), []);
});

test("nobody is told of what could not be kept", async () => {
  const { items, store } = await openWorkItems();
  await items.create(planner, "", "1.2.1", scheduledItem());
  await items.subscribe(reader, allItems, "A", "unlocked", undefined);
  const channel = await listenTo(items, "A");
  const changes = [
    () => items.create(planner, "", "1.2.2", scheduledItem()),
    () => items.requestCancel(planner, "1.2.1", {}),
    () => items.update(planner, "1.2.1", undefined, jsonOf({ InputReadinessState: "INCOMPLETE" })),
    () => items.changeState(reader, "1.2.1", claim("IN PROGRESS", "1.2.99")),
  ];
  for (const change of changes) {
    store.failNext(new Error("the disk is away"), "change");
    await assert.rejects(change(), /the disk is away/);
    assert.deepEqual(channel.told(), []);
  }
  await items.requestCancel(planner, "1.2.1", {});
  assert.equal(channel.told().length, 3);
});

test("nobody can be asked to cancel what nobody follows", async () => {
  const { items } = await openWorkItems();
  const { uid } = await items.create(planner, "", undefined, scheduledItem());
  await items.changeState(reader, uid, claim("IN PROGRESS", "1.2.99"));
  await assert.rejects(items.requestCancel(planner, uid, {}), failsWith(0xc312));
});

test("a subscription is to one item, to all or to those that match; suspended it gets no new ones, removed none", async () => {
  const { items } = await openWorkItems();
  await items.create(planner, "", "1.2.1", scheduledItem());
  const channel = await listenTo(items, "A");
  await items.subscribe(reader, "1.2.1", "A", "unlocked", undefined);
  assert.deepEqual(channel.told(), [[1, "SCHEDULED"]], "how it stands, at once");
  await items.subscribe(reader, filteredItems, "A", "locked", [jsonOf({ ScheduledProcedureStepPriority: "HIGH" })]);
  await items.create(planner, "", "1.2.2", scheduledItem());
  await items.create(planner, "", "1.2.3", scheduledItem({ ScheduledProcedureStepPriority: "HIGH" }));
  assert.deepEqual(channel.told(), [[1, "SCHEDULED"]]);
  await items.suspend(reader, filteredItems, "A");
  await items.create(planner, "", "1.2.4", scheduledItem({ ScheduledProcedureStepPriority: "HIGH" }));
  assert.deepEqual(channel.told(), []);
  await items.requestCancel(planner, "1.2.3", {});
  assert.deepEqual(channel.told(), [
    [2, undefined],
    [1, "IN PROGRESS"],
    [1, "CANCELED"],
  ]);
  await items.unsubscribe(reader, allItems, "A");
  await items.requestCancel(planner, "1.2.1", {});
  assert.deepEqual(channel.told(), []);
  await assert.rejects(items.unsubscribe(reader, allItems, "A"), (error) => isProblem(error, "absent"));
  await assert.rejects(items.suspend(reader, "1.2.1", "A"), failsWith(0xc314));
});

test("an AE title that every object has a property of is a subscriber as any other", async () => {
  const { items } = await openWorkItems();
  for (const ae of ["constructor", "toString", "__proto__"]) {
    const uid = `1.2.${ae.length}`;
    await items.create(planner, "", uid, scheduledItem());
    await assert.rejects(items.unsubscribe(reader, uid, ae), (error) => isProblem(error, "absent"), ae);
    await items.subscribe(reader, allItems, ae, "unlocked", undefined);
    const channel = await listenTo(items, ae);
    await items.changeState(reader, uid, claim("IN PROGRESS", "1.2.99"));
    assert.deepEqual(channel.told(), [[1, "IN PROGRESS"]], ae);
    await items.unsubscribe(reader, allItems, ae);
    await assert.rejects(items.unsubscribe(reader, uid, ae), (error) => isProblem(error, "absent"), ae);
  }
});

test("who locks all of them is told how each stands", async () => {
  const { items } = await openWorkItems();
  for (const uid of ["1.2.1", "1.2.2"]) await items.create(planner, "", uid, scheduledItem());
  const channel = await listenTo(items, "A");
  await items.subscribe(reader, allItems, "A", "locked", undefined);
  assert.deepEqual(channel.told(), [
    [1, "SCHEDULED"],
    [1, "SCHEDULED"],
  ]);
});

test("items and subscriptions survive a restart, which subscribers are told once", async () => {
  const { items, again } = await openWorkItems();
  await items.subscribe(reader, allItems, "A", "unlocked", undefined);
  await items.create(planner, "", "1.2.1", scheduledItem());
  const anew = again();
  const channel = await listenTo(anew, "A");
  assert.equal(textAt(channel.reports[0] ?? {}, keyOf("SubscriptionListStatus")), "WARM START");
  await anew.changeState(reader, "1.2.1", claim("IN PROGRESS", "1.2.99"));
  await anew.create(planner, "", "1.2.2", scheduledItem());
  assert.deepEqual(channel.told(), [
    [4, undefined],
    [1, "IN PROGRESS"],
    [1, "SCHEDULED"],
  ]);
  assert.deepEqual((await listenTo(anew, "A")).told(), []);
});

test("what has ended is gone after a week, after a month where somebody locked it", async () => {
  const { items, clock } = await openWorkItems();
  for (const uid of ["1.2.1", "1.2.2"]) await items.create(planner, "", uid, scheduledItem());
  await items.subscribe(reader, "1.2.2", "A", "locked", undefined);
  for (const uid of ["1.2.1", "1.2.2"]) await items.requestCancel(planner, uid, {});
  const isGone = (uid: string) =>
    items.read(reader, uid).then(
      () => false,
      (error: WithGone & WithUpsStatus) => error.isGone === true && error.upsStatus === 0xc307,
    );
  await clock.advance(8 * dayMs);
  await items.create(planner, "", "1.2.5", scheduledItem());
  assert.deepEqual([await isGone("1.2.1"), await isGone("1.2.2")], [true, false]);
  await items.unsubscribe(reader, "1.2.2", "A");
  await items.create(planner, "", "1.2.6", scheduledItem());
  assert.equal(await isGone("1.2.2"), true);
  await items.create(planner, "", "1.2.1", scheduledItem());
  assert.equal(stateIn(await items.read(reader, "1.2.1")), "SCHEDULED");
});

test("each sees, changes and hears of what lies where its grants hold; who holds none is refused, and the log says so", async () => {
  const north = grantOf("g", stranger.id, { role: "technologist", place: { kind: "facility", id: "north" } });
  const { items, entries } = await openWorkItems({ [stranger.id]: [north] });
  await items.create(planner, "north", "1.2.1", scheduledItem());
  await items.create(planner, "south", "1.2.2", scheduledItem());
  await items.subscribe(planner, allItems, "A", "unlocked", undefined);
  const channel = await listenTo(items, "A", stranger);
  assert.equal((await items.find(stranger, everything)).items.length, 1);
  await assert.rejects(items.read(stranger, "1.2.2"), (error) => isProblem(error, "absent"));
  await assert.rejects(items.create(stranger, "south", "1.2.3", scheduledItem()), (error) =>
    isProblem(error, "absent"),
  );
  for (const uid of ["1.2.1", "1.2.2"]) await items.changeState(reader, uid, claim("IN PROGRESS", "1.2.99"));
  assert.equal(channel.told().length, 1);
  const nobody = { ...stranger, id: "user:nobody" };
  await assert.rejects(items.listen(nobody, "A", { send() {}, end() {} }), (error) => isProblem(error, "denied"));
  assert.equal(entries.at(-1)?.outcome, "refused");
});

test("an item lies where its study lies", async () => {
  const facts = { facility: "north", patient: "p", study: "s", order: "" };
  const grant = grantOf("g", stranger.id, { role: "radiologist", place: { kind: "patient", id: "p" } });
  const { items } = await openWorkItems({ [stranger.id]: [grant] }, { "1.5.1": facts });
  await items.create(planner, "", "1.2.1", scheduledItem({ StudyInstanceUID: "1.5.1" }));
  await items.create(planner, "", "1.2.2", scheduledItem({ StudyInstanceUID: "1.5.2" }));
  const { items: found } = await items.find(stranger, everything);
  assert.deepEqual(
    found.map((item) => textAt(item, keyOf("SOPInstanceUID"))),
    ["1.2.1"],
  );
});

test("a listener whose right has ended hears nothing more and is ended", async () => {
  let isLive = true;
  const { items } = await openWorkItems();
  const channel = await listenTo(items, "A", { ...reader, isLive: () => isLive });
  await items.subscribe(reader, allItems, "A", "unlocked", undefined);
  isLive = false;
  await items.create(planner, "", "1.2.1", scheduledItem());
  assert.deepEqual([channel.told(), channel.hasEnded(), channel.check()], [[], true, false]);
});

test("searches match by state, by date and time and within sequences, page, and answer what was asked for beside what always is", async () => {
  const { items } = await openWorkItems();
  for (let hour = 1; hour <= 4; hour++) {
    const more = {
      ScheduledProcedureStepStartDateTime: `202603010${hour}`,
      AdmissionID: `A${hour}`,
      MedicalAlerts: "latex",
    };
    const station = { ScheduledStationNameCodeSequence: [codeOf(`S${hour % 2}`)] };
    await items.create(planner, "", `1.2.${hour}`, scheduledItem({ ...more, ...station }));
  }
  await items.changeState(reader, "1.2.4", claim("IN PROGRESS", "1.2.99"));
  const uids = async (values: Parameters<typeof jsonOf>[0], more = {}) => {
    const found = await items.find(reader, { ...everything, identifiers: [jsonOf(values)], ...more });
    return found.items.map((item) => textAt(item, keyOf("SOPInstanceUID")));
  };
  assert.deepEqual(await uids({ ProcedureStepState: "IN PROGRESS" }), ["1.2.4"]);
  assert.deepEqual(await uids({ ScheduledProcedureStepStartDateTime: "2026030102-2026030103" }), ["1.2.2", "1.2.3"]);
  assert.deepEqual(await uids({ ScheduledStationNameCodeSequence: [jsonOf({ CodeValue: "S1" })] }), ["1.2.1", "1.2.3"]);
  assert.deepEqual(await uids({}, { offset: 1, limit: 2 }), ["1.2.2", "1.2.3"]);
  const [plain] = (await items.find(reader, everything)).items;
  const [whole] = (await items.find(reader, { ...everything, include: [keyOf("MedicalAlerts")] })).items;
  assert.equal(plain?.[keyOf("MedicalAlerts")], undefined);
  assert.equal(textAt(whole ?? {}, keyOf("MedicalAlerts")), "latex");
});

test("any sequence of actions leaves an item in a state that the table allows, and what is final stays", async () => {
  const actions = fc.array(fc.constantFrom("IN PROGRESS", "COMPLETED", "CANCELED", "SCHEDULED", "cancel", "update"), {
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(actions, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), async (steps, hasUid) => {
      const { items } = await openWorkItems();
      await items.create(planner, "", "1.2.1", scheduledItem());
      let before = "SCHEDULED";
      for (const [at, action] of steps.entries()) {
        const uid = hasUid[at] ? "1.2.99" : "1.2.98";
        const done =
          action === "cancel"
            ? items.requestCancel(planner, "1.2.1", {})
            : action === "update"
              ? items.update(reader, "1.2.1", uid, performed)
              : items.changeState(reader, "1.2.1", claim(action, uid));
        await Promise.resolve(done).catch((error) => assert.ok(isProblem(error)));
        const after = stateIn(await items.read(reader, "1.2.1"));
        const allowed =
          { SCHEDULED: ["IN PROGRESS", "CANCELED"], "IN PROGRESS": ["COMPLETED", "CANCELED"] }[before] ?? [];
        assert.ok(after === before || allowed.includes(after), `${before} ${action} ${after}`);
        before = after;
      }
    }),
    { numRuns: 25 },
  );
});
