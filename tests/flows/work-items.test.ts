import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import { type DicomJson, readNativeModel, writeNativeModel } from "#formats/dicom";
import { keyOf, textAt } from "#radiology/schedule";
import { claim, codeOf, jsonOf, performed, scheduledItem } from "../../radiology/workitems/work-items.fixture.ts";
import { newHome, type RunningHouse, startHouse } from "../house/index.ts";
import { wholeLog } from "./modality.fixture.ts";

/*
 * The life of a work item over HTTP, and what is told of it over a WebSocket. The tests follow on each other.
 */
const home = newHome();
let house: RunningHouse;
before(async () => {
  house = await startHouse({ home });
});
after(() => house?.remove());

const json = "application/dicom+json";
const ask = (method: string, path: string, body?: string | DicomJson | readonly DicomJson[], type = json) =>
  house.fetch(`/dicom-web${path}`, {
    method,
    headers: body === undefined ? { accept: json } : { accept: json, "content-type": type },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
const warningOf = (answer: Response) => answer.headers.get("warning") ?? "";

/** A subscriber's WebSocket, and what it is told. */
async function listen(ae: string) {
  const socket = new WebSocket(`wss://localhost:${house.https}/dicom-web/subscribers/${ae}`, {
    ca: readFileSync(house.ca),
    headers: { authorization: `Bearer ${house.token()}` },
  });
  const reports: DicomJson[] = [];
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  socket.on("message", (bytes) => reports.push(JSON.parse(String(bytes)) as DicomJson));
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  return {
    socket,
    closed,
    /** Types of the next reports, with the states that they tell. */
    async told(count: number) {
      for (let tries = 0; reports.length < count && tries < 1_200; tries++)
        await new Promise((resolve) => setTimeout(resolve, 25));
      return reports
        .splice(0)
        .map((report) => [report["00001002"]?.Value?.[0], textAt(report, keyOf("ProcedureStepState"))]);
    },
  };
}

test("a work item is planned, claimed, done, and each step is told to who follows it", async () => {
  const { socket, told } = await listen("VIEWER");
  const subscribed = await ask("POST", "/workitems/1.2.840.10008.5.1.4.34.5/subscribers/VIEWER?deletionlock=false");
  assert.equal(subscribed.status, 201);
  assert.equal(
    subscribed.headers.get("content-location"),
    `wss://localhost:${house.https}/dicom-web/subscribers/VIEWER`,
  );
  const created = await ask("POST", "/workitems?workitem=2.25.7", [scheduledItem()]);
  assert.deepEqual(
    [created.status, new URL(created.headers.get("location") ?? "").pathname],
    [201, "/dicom-web/workitems/2.25.7"],
  );
  assert.match(warningOf(created), /created with modifications/);
  assert.equal((await ask("POST", "/workitems?2.25.7", scheduledItem())).status, 409);
  const [item] = (await (await ask("GET", "/workitems/2.25.7")).json()) as DicomJson[];
  assert.equal(textAt(item ?? {}, keyOf("ProcedureStepState")), "SCHEDULED");
  assert.equal((await ask("PUT", "/workitems/2.25.7/state", claim("IN PROGRESS", "2.25.99"))).status, 200);
  const again = await ask("PUT", "/workitems/2.25.7/state", claim("IN PROGRESS", "2.25.99"));
  assert.deepEqual([again.status, /inconsistent/.test(warningOf(again))], [409, true]);
  const unknown = await ask("PUT", "/workitems/2.25.7/state", claim("COMPLETED"));
  assert.deepEqual([unknown.status, /Transaction UID is missing/.test(warningOf(unknown))], [400, true]);
  assert.equal((await ask("POST", "/workitems/2.25.7", performed)).status, 400);
  assert.equal((await ask("POST", "/workitems/2.25.7?transaction-uid=2.25.99", performed)).status, 200);
  assert.equal((await ask("POST", "/workitems/2.25.7/cancelrequest")).status, 202);
  assert.equal((await ask("PUT", "/workitems/2.25.7/state", claim("COMPLETED", "2.25.99"))).status, 200);
  const twice = await ask("PUT", "/workitems/2.25.7/state", claim("COMPLETED", "2.25.99"));
  assert.deepEqual([twice.status, /already in the requested state of COMPLETED/.test(warningOf(twice))], [200, true]);
  assert.equal((await ask("POST", "/workitems/2.25.7?2.25.99", performed)).status, 400);
  assert.deepEqual(await told(4), [
    [1, "SCHEDULED"],
    [1, "IN PROGRESS"],
    [2, ""],
    [1, "COMPLETED"],
  ]);
  socket.close();
});

test("XML is taken and given as JSON is", async () => {
  const xml = writeNativeModel(scheduledItem({ ProcedureStepLabel: "Überlagern" }));
  const multipart = `--b\r\nContent-Type: application/dicom+xml\r\n\r\n${xml}\r\n--b--\r\n`;
  assert.equal((await ask("POST", "/workitems?workitem=2.25.8", xml, "application/dicom+xml")).status, 201);
  const related = 'multipart/related; type="application/dicom+xml"; boundary=b';
  assert.equal((await ask("POST", "/workitems?workitem=2.25.9", multipart, related)).status, 201);
  const answer = await house.fetch("/dicom-web/workitems/2.25.9", {
    headers: { accept: 'multipart/related; type="application/dicom+xml"' },
  });
  const part = (await answer.text()).match(/<\?xml.*<\/NativeDicomModel>/s)?.[0] ?? "";
  assert.equal(textAt(readNativeModel(part), keyOf("ProcedureStepLabel")), "Überlagern");
  assert.equal((await ask("POST", "/workitems", xml, "text/plain")).status, 415);
});

test("a search matches by keyword, by tag, through sequences and by the words of a name, and pages", async () => {
  const stations = { ScheduledStationNameCodeSequence: [codeOf("MR1")], PatientName: { Alphabetic: "Müller^Anna" } };
  await ask("POST", "/workitems?workitem=2.25.10", scheduledItem(stations));
  const found = async (query: string) => {
    const answer = await ask("GET", `/workitems?${query}`);
    const items = answer.status === 200 || answer.status === 206 ? ((await answer.json()) as DicomJson[]) : [];
    return [answer.status, ...items.map((item) => textAt(item, keyOf("SOPInstanceUID")))];
  };
  assert.deepEqual(await found("ProcedureStepState=COMPLETED"), [200, "2.25.7"]);
  assert.deepEqual(await found("ScheduledStationNameCodeSequence.CodeValue=MR1"), [200, "2.25.10"]);
  assert.deepEqual(await found("00404025.00080100=MR1"), [200, "2.25.10"]);
  assert.deepEqual(await found("PatientName=anna%20muller&fuzzymatching=true"), [200, "2.25.10"]);
  assert.deepEqual(await found("PatientName=Nobody*"), [204]);
  assert.deepEqual(await found("limit=1&ProcedureStepState=SCHEDULED"), [206, "2.25.10"]);
  assert.deepEqual(await found("limit=x"), [400]);
});

test("subscriptions are there after a restart; suspended and removed they are not", async () => {
  const filtered = "/workitems/1.2.840.10008.5.1.4.34.5.1/subscribers/OTHER";
  assert.equal((await ask("POST", filtered)).status, 400);
  assert.equal((await ask("POST", `${filtered}?filter=ScheduledProcedureStepPriority%3DHIGH`)).status, 201);
  await house.stop();
  house = await startHouse({ home });
  const { told, closed } = await listen("OTHER");
  await ask("POST", "/workitems", scheduledItem({ ScheduledProcedureStepPriority: "HIGH" }));
  await ask("POST", "/workitems", scheduledItem());
  assert.deepEqual(await told(2), [
    [4, ""],
    [1, "SCHEDULED"],
  ]);
  assert.equal((await ask("POST", `${filtered}/suspend`)).status, 200);
  assert.equal((await ask("POST", `${filtered}/suspend`)).status, 404);
  assert.equal((await ask("DELETE", filtered)).status, 200);
  assert.equal((await ask("GET", "/subscribers/OTHER")).status, 426);
  await house.stop();
  await closed;
  house = await startHouse({ home });
});

test("each is an entry in the log, without a UID or an AE title", async () => {
  await ask("POST", "/workitems/2.25.8/cancelrequest", jsonOf({ ReasonForCancellation: "not needed" }));
  const log = JSON.stringify(await wholeLog(house));
  for (const act of ["work-item.read", "work-item.write", "work-item.perform"]) assert.ok(log.includes(act), act);
  assert.doesNotMatch(log, /2\.25\.|VIEWER|OTHER|not needed/);
});
