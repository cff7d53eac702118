import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock";
import { isProblem, Problem } from "#base/problem";
import { elementsOf } from "#formats/dicom";
import {
  instanceAvailabilityNotification,
  type NormalizedRequest,
  type NormalizedService,
  notifyAvailability,
  openAssociation,
  reportCommitment,
  requestCommitment,
  type StorageCommitment,
  storageCommitmentPushModel,
  storageCommitmentService,
} from "./index.ts";
import { connectTo, doorWith, explicit } from "./scp.fixture.ts";

const instance = "1.2.840.10008.1.20.1.1";
const ct = "1.2.840.10008.5.1.4.1.1.2";
const references = [1, 2].map((last) => ({ sopClassUid: ct, sopInstanceUid: `1.2.3.${last}` }));

/** A machine with a service of storage commitment, and an association to it in the role that is asked for. */
const machine = (service: Partial<StorageCommitment>, role?: "scp") =>
  machineWith(storageCommitmentService({ asked: async () => {}, answered: async () => {}, ...service }), role);

async function machineWith(normalized: NormalizedService, role?: "scp") {
  const { door, store } = doorWith({
    callers: {
      admit: async () => ({
        admitted: true,
        services: { echo: async () => {}, store, normalized: new Map([[storageCommitmentPushModel, normalized]]) },
      }),
    },
  });
  const context = { sopClassUid: storageCommitmentPushModel, transferSyntaxUids: [explicit], ...(role && { role }) };
  const proposal = { callingAe: "CT1", calledAe: "LEADGLASS", contexts: [context] };
  return openAssociation(connectTo(door), proposal, { clock: systemClock });
}

test("a request for storage commitment arrives with its transaction and all its references", async () => {
  const asked: unknown[] = [];
  const association = await machine({ asked: async (request) => void asked.push(request) });
  await requestCommitment(association, { transactionUid: "2.25.7", references });
  assert.deepEqual(asked, [{ transactionUid: "2.25.7", references }]);
  await association.release();
});

test("a report says what is kept, and of the rest why not, by the reasons of the standard", async () => {
  const heard: unknown[] = [];
  const association = await machine({ answered: async (answer) => void heard.push(answer) }, "scp");
  const [first, second] = references as [(typeof references)[0], (typeof references)[0]];
  await reportCommitment(association, {
    transactionUid: "2.25.7",
    kept: [first],
    failed: [{ ...second, reason: "absent" }],
  });
  await reportCommitment(association, {
    transactionUid: "2.25.8",
    kept: [],
    failed: [{ ...first, reason: "in-doubt" }],
  });
  await reportCommitment(association, { transactionUid: "2.25.9", kept: references, failed: [] });
  assert.deepEqual(heard, [
    { transactionUid: "2.25.7", keptUids: ["1.2.3.1"] },
    { transactionUid: "2.25.8", keptUids: [] },
    { transactionUid: "2.25.9", keptUids: ["1.2.3.1", "1.2.3.2"] },
  ]);
  await association.release();
});

test("event type and failure reasons are those of PS3.4 Annex J and PS3.3 Table C.14-1", async () => {
  const sent: NormalizedRequest[] = [];
  const perform = async (request: NormalizedRequest) => {
    sent.push(request);
    return {};
  };
  const association = await machineWith({ perform }, "scp");
  const [first] = references as [(typeof references)[0]];
  const failed = (["absent", "other-class", "in-doubt"] as const).map((reason) => ({ ...first, reason }));
  await reportCommitment(association, { transactionUid: "2.25.7", kept: references, failed: [] });
  await reportCommitment(association, { transactionUid: "2.25.7", kept: [], failed });
  assert.deepEqual(
    sent.map(({ typeId, sopInstanceUid }) => [typeId, sopInstanceUid]),
    [
      [1, instance],
      [2, instance],
    ],
  );
  const list = sent[1]?.dataSet?.items(0x00081198);
  assert.deepEqual(
    list?.map((item) => item.number(0x00081197)),
    [0x0112, 0x0119, 0x0110],
  );
  assert.equal(sent[1]?.dataSet?.has(0x00081199), false);
  await association.release();
});

test("what is no proper request or report is refused with a status that says so", async () => {
  const association = await machine({}, undefined);
  const set = elementsOf({ TransactionUID: "2.25.7", ReferencedSOPSequence: [] });
  const uids = elementsOf({ TransactionUID: "2.25.7", ReferencedSOPSequence: [{ ReferencedSOPClassUID: ct }] });
  const statusOf = async (asked: Promise<{ status: number }>) => (await asked).status;
  const { action } = association;
  assert.equal(await statusOf(action(storageCommitmentPushModel, "1.2.3", 1, set)), 0x0112);
  assert.equal(await statusOf(action(storageCommitmentPushModel, instance, 2, set)), 0x0123);
  assert.equal(await statusOf(action(storageCommitmentPushModel, instance, 1)), 0x0115);
  assert.equal(await statusOf(action(storageCommitmentPushModel, instance, 1, set)), 0x0115);
  assert.equal(await statusOf(action(storageCommitmentPushModel, instance, 1, uids)), 0x0115);
  assert.equal(await statusOf(association.set(storageCommitmentPushModel, instance, set)), 0x0211);
  await association.release();
  const reporting = await machine({}, "scp");
  assert.equal(await statusOf(reporting.eventReport(storageCommitmentPushModel, instance, 3, set)), 0x0113);
  await reporting.release();
});

test("a request that cannot rest, or comes from who may not ask, is refused for the sender to try again or not", async () => {
  for (const [code, expected] of [
    ["busy", "busy"],
    ["denied", "denied"],
    ["conflict", "unavailable"],
  ] as const) {
    const association = await machine({
      async asked() {
        throw new Problem(code, "no");
      },
    });
    await assert.rejects(requestCommitment(association, { transactionUid: "2.25.7", references }), (error) =>
      isProblem(error, expected),
    );
    await association.release();
  }
});

test("an availability notification names every instance, online, and where to have it", async () => {
  const heard: NormalizedRequest[] = [];
  const perform = async (request: NormalizedRequest) => {
    heard.push(request);
    return {};
  };
  const { door, store } = doorWith({
    callers: {
      admit: async () => ({
        admitted: true,
        services: {
          echo: async () => {},
          store,
          normalized: new Map([[instanceAvailabilityNotification, { perform }]]),
        },
      }),
    },
  });
  const contexts = [{ sopClassUid: instanceAvailabilityNotification, transferSyntaxUids: [explicit] }];
  const proposal = { callingAe: "LEADGLASS", calledAe: "LEADGLASS", contexts };
  const association = await openAssociation(connectTo(door), proposal, { clock: systemClock });
  const study = { studyUid: "1.2.3", series: [{ seriesUid: "1.2.3.0", instances: references }] };
  await notifyAvailability(association, study, { uid: "2.25.1", retrieveAe: "LEADGLASS" });
  const [notice] = heard;
  assert.deepEqual([notice?.operation, notice?.sopInstanceUid], ["create", "2.25.1"]);
  const [series] = notice?.dataSet?.items(0x00081115) ?? [];
  const items = series?.items(0x00081199) ?? [];
  assert.deepEqual(
    items.map((item) => [item.text(0x00081155), item.text(0x00080056), item.text(0x00080054)]),
    references.map(({ sopInstanceUid }) => [sopInstanceUid, "ONLINE", "LEADGLASS"]),
  );
  assert.equal(notice?.dataSet?.items(0x00081111)?.length, 0);
  await association.release();
});
