import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import type { DicomJson } from "#formats/dicom";
import { keyOf } from "#radiology/schedule";
import { codeOf, scheduledItem } from "../../radiology/workitems/work-items.fixture.ts";
import { type OpenDoor, openDoor } from "./dicomweb-door.fixture.ts";

let door: OpenDoor;
before(async () => {
  door = await openDoor();
});
after(() => door?.close());

const send = async (payload: string | Buffer, type = "application/dicom+json") => {
  const url = "/dicom-web/workitems";
  return (await door.server.inject({ method: "POST", url, headers: { "content-type": type }, payload })).statusCode;
};

test("whatever a body holds, the answer is that the work item was made or that it is wrong", async () => {
  const whole = scheduledItem({ ScheduledStationNameCodeSequence: [codeOf("S1")] });
  const keys = Object.keys(whole);
  const strange = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom({ vr: "SQ", Value: [{}] }, { vr: "UI", Value: ["x"] }, { vr: "SQ", Value: [null] }),
  );
  const bodies = fc.oneof(
    fc.jsonValue(),
    fc.tuple(fc.constantFrom(...keys), strange).map(([at, value]) => ({ ...whole, [at]: value })),
    fc.tuple(fc.constantFrom(...keys, keyOf("TransactionUID")), fc.string()).map(([at, text]) => {
      const element = whole[at] ?? { vr: "UI" };
      return { ...whole, [at]: { ...element, Value: [text] } };
    }),
  );
  await fc.assert(
    fc.asyncProperty(bodies, async (body) => {
      const status = await send(JSON.stringify(body));
      assert.ok([201, 400, 413].includes(status), `${status}`);
    }),
    { numRuns: 150 },
  );
});

test("bytes that are no data set are refused, whatever they are said to be", async () => {
  const types = [
    "application/dicom+json",
    "application/dicom+xml",
    'multipart/related; type="application/dicom+xml"; boundary=b',
    "text/plain",
    "",
  ];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...types), fc.uint8Array({ maxLength: 300 }), async (type, bytes) => {
      const status = await send(Buffer.from(bytes), type);
      assert.ok([400, 415].includes(status), `${type} ${status}`);
    }),
    { numRuns: 150 },
  );
});

test("bulk data is not fetched, and what is too large is not taken", async () => {
  const elsewhere: DicomJson = { ...scheduledItem(), "00420011": { vr: "OB", BulkDataURI: "https://example.org/" } };
  assert.equal(await send(JSON.stringify(elsewhere)), 400);
  assert.equal(await send(JSON.stringify(scheduledItem({ MedicalAlerts: "x".repeat(2_000_000) }))), 413);
  assert.equal(await send(JSON.stringify([scheduledItem(), scheduledItem()])), 400);
});

test("a filter of a subscription and any query are read, or refused", async () => {
  const texts = fc.array(
    fc.tuple(
      fc.constantFrom("PatientName", "00404025.00080100", "filter", "limit", "x.y", "includefield"),
      fc.string(),
    ),
    { maxLength: 5 },
  );
  await fc.assert(
    fc.asyncProperty(texts, async (pairs) => {
      const query = new URLSearchParams(pairs);
      const found = await door.server.inject({ url: `/dicom-web/workitems?${query}` });
      assert.ok([200, 204, 206, 400].includes(found.statusCode), `${query} ${found.statusCode}`);
    }),
    { numRuns: 100 },
  );
  const all = "/dicom-web/workitems/1.2.840.10008.5.1.4.34.5.1/subscribers/A";
  const subscribed = (filter: string) =>
    door.server.inject({ method: "POST", url: `${all}?filter=${encodeURIComponent(filter)}` });
  assert.equal((await subscribed("ScheduledProcedureStepPriority=HIGH,StudyInstanceUID=1.2,1.3")).statusCode, 201);
  assert.equal((await subscribed("")).statusCode, 400);
});
