import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { silentLog } from "#base/log";
import { Problem } from "#base/problem";
import { acknowledge, readMessage, segmentNamed, textAt, writeMessage } from "#formats/hl7";
import { createSchedule } from "#radiology/schedule";
import { createMemoryRecordStore } from "#stores/memory";
import { actorOf, operator } from "#trust/access";
import { createRecords } from "#trust/vault";
import { policyWhere } from "../../trust/access/grants.fixture.ts";
import { openArchive } from "../archive/archive.fixture.ts";
import { receive } from "../archive/corrections.fixture.ts";
import { console1, dataSetOf, frontDesk, itemOf, type Planned } from "../schedule/schedule.fixture.ts";
import { createMessages, createNotices, type Deliver, type HeardMessage, type Partner } from "./index.ts";
import { reportFile } from "./messages.fixture.ts";

const ris: Partner = { id: "a".repeat(32), ae: "RIS|NORTH", facility: "", takes: ["results", "status"] };
const auditor = actorOf("user", "auditor");

/** What a partner heard of one message: its type, control id, the status of the order or result. */
interface Heard {
  readonly partner: string;
  readonly kind: string;
  readonly controlId: string;
  readonly status: string;
  readonly text: string;
}
type Says = (heard: Heard, nth: number) => "AA" | "AE" | "AR" | "away" | "garbage";

async function open(
  options: { partners?: readonly Partner[]; store?: ReturnType<typeof createMemoryRecordStore> } = {},
) {
  const { partners = [ris], store = createMemoryRecordStore() } = options;
  const clock = createVirtualClock(Date.UTC(2026, 2, 2, 8));
  const policy = policyWhere({ [frontDesk.id]: ["front-desk"], [auditor.id]: ["auditor"] });
  const opened = await openArchive({ clock, policy });
  const { archive, gate, vault, entries } = opened;
  const records = createRecords({ store, vault });
  const shared = { records, gate, clock, random: systemRandom, log: silentLog, partners: async () => partners };
  const notices = createNotices(shared);
  archive.beforeIndexed(notices.arriving);
  const schedule = createSchedule({ ...shared, telling: notices.orders });
  const heard: Heard[] = [];
  const done: string[] = [];
  let says: Says = () => "AA";
  const deliver: Deliver = async (partner, { bytes, controlId }) => {
    const reading = readMessage(bytes);
    assert.equal(reading.kind, "message");
    const { message } = reading as Extract<typeof reading, { kind: "message" }>;
    const at = (segment: string, field: number) => textAt(message, segmentNamed(message, segment), field);
    const status = at("ORC", 5) || at("OBR", 25);
    const one = { partner, kind: at("MSH", 9), controlId, status, text: Buffer.from(bytes).toString() };
    heard.push(one);
    const code = says(one, heard.length);
    if (code === "away") throw new Problem("unavailable", "the receiver cannot be reached");
    if (code === "garbage") return { kind: "unclear", said: "bytes that are no frame", bytes: Buffer.from("?") };
    const answer = writeMessage(acknowledge(message, code, { controlId: "1", at: "20260302" })) ?? new Uint8Array(0);
    const kind = code === "AA" ? "accepted" : code === "AE" ? "error" : "rejected";
    return { kind, said: kind === "accepted" ? "" : `it answered ${code}`, bytes: answer };
  };
  const process = async (partner: string, bytes: Uint8Array): Promise<HeardMessage> => {
    done.push(Buffer.from(bytes).toString());
    return { partner, kind: "ADT^A08", controlId: "7", bytes, state: "accepted" };
  };
  const begin = () => {
    const own = { ownTitle: "LEADGLASS", keptDays: 30, deliver, process };
    const messages = createMessages({ ...shared, archive, schedule, notices, ...own });
    messages.begin();
    return messages;
  };
  const rest = async () => {
    for (let turn = 0; turn < 60; turn++) await setImmediate();
  };
  const later = async (ms: number) => {
    await rest();
    clock.advance(ms);
    await rest();
  };
  const plan = (planned: Planned = {}, facility = "", number = "100") =>
    schedule.put(
      frontDesk,
      () =>
        itemOf({
          ...planned,
          more: {
            PlacerOrderNumberImagingServiceRequest: number,
            FillerOrderNumberImagingServiceRequest: number === "" ? "" : `F${number}`,
            ...planned.more,
          },
        }),
      facility,
    );
  const perform = (
    uid: string,
    status: "IN PROGRESS" | "COMPLETED" | "DISCONTINUED",
    by = console1,
    study = "1.2.3",
  ) =>
    status === "IN PROGRESS"
      ? schedule.performed.begin(
          by,
          "",
          uid,
          dataSetOf({
            ScheduledStepAttributesSequence: [{ StudyInstanceUID: study, ScheduledProcedureStepID: "SPS1" }],
            ...{ PatientName: "Doe^Jane", PerformedProcedureStepID: "PPS1", PerformedStationAETitle: "CT1" },
            ...{ PerformedProcedureStepStartDate: "20260301", PerformedProcedureStepStartTime: "0831" },
            ...{ PerformedProcedureStepStatus: status, Modality: "CT" },
          }),
        )
      : schedule.performed.change(
          by,
          uid,
          dataSetOf({
            ...{ PerformedProcedureStepStatus: status, PerformedProcedureStepEndDate: "20260301" },
            PerformedProcedureStepEndTime: "0840",
            PerformedSeriesSequence: [{ SeriesInstanceUID: "1.2.3.4", ProtocolName: "Head" }],
          }),
        );
  const answering = (next: Says) => {
    says = next;
  };
  return { ...shared, archive, schedule, entries, heard, done, store, begin, rest, later, plan, perform, answering };
}

const statuses = (heard: readonly Heard[]) => heard.map(({ kind, status }) => `${kind} ${status}`).join(", ");

test("what is done of an order is told in its order, with its numbers; a new order is no news", async () => {
  const { plan, perform, begin, later, heard, entries } = await open();
  const messages = begin();
  await plan();
  await perform("1.1", "IN PROGRESS");
  await perform("1.1", "COMPLETED");
  await later(0);
  assert.equal(statuses(heard), "ORM IP, ORM CM");
  assert.match(heard[0]?.text ?? "", /\rORC\|SC\|100\|F100\|\|IP\|\|\^\^\^20260301083000\|/);
  assert.match(heard[0]?.text ?? "", /^MSH\|\^~\\&\|LEADGLASS\|\|RIS\|NORTH\|/);
  assert.equal(new Set(heard.map(({ controlId }) => controlId)).size, 2);
  const acts = entries.filter(({ actor }) => actor === "system").map(({ act }) => act);
  assert.ok(acts.includes("step.announce"));
  await messages.close();
});

test("an order of several steps is done when all are; one that is cancelled, or moved at ours, is told of", async () => {
  const { plan, perform, begin, later, heard, schedule } = await open();
  const messages = begin();
  for (const step of ["SPS1", "SPS2"]) await plan({ step });
  await perform("1.1", "IN PROGRESS");
  await perform("1.1", "COMPLETED");
  await later(0);
  assert.equal(statuses(heard), "ORM IP", "the other step is still to be done");
  await plan({ study: "1.2.4", date: "20260301" }, "", "200");
  await plan({ study: "1.2.4", date: "20260305" }, "", "200");
  const order = { placer: "200", filler: "", patientId: "", issuer: "", facility: "" };
  await schedule.changeOrder(frontDesk, order, { status: "CANCELED" });
  await plan({ study: "1.2.5" }, "", "");
  await perform("1.9", "IN PROGRESS", console1, "1.2.5");
  await later(0);
  assert.equal(statuses(heard.slice(1)), "ORM SC, ORM CA", "what nobody numbered nobody is told of");
  await messages.close();
});

test("a partner is told of its facility alone, and not of what it did itself", async () => {
  const north: Partner = { id: "b".repeat(32), ae: "NORTH", facility: "n", takes: ["status"] };
  const results: Partner = { id: "c".repeat(32), ae: "EHR", facility: "", takes: ["results"] };
  const { plan, begin, later, heard, schedule } = await open({ partners: [ris, north, results] });
  const messages = begin();
  await plan({}, "n", "100");
  await plan({ study: "1.2.4" }, "s", "200");
  const order = (placer: string) => ({ placer, filler: "", patientId: "", issuer: "", facility: "" });
  await schedule.changeOrder(frontDesk, order("100"), { status: "CANCELED" });
  await schedule.changeOrder(frontDesk, order("200"), { status: "CANCELED" });
  await later(0);
  assert.deepEqual(heard.map(({ partner }) => partner).sort(), [ris.id, ris.id, north.id]);
  await schedule.changeOrder(actorOf("device", ris.id), order("100"), { status: "SCHEDULED" });
  await later(0);
  assert.deepEqual(
    heard.slice(3).map(({ partner }) => partner),
    [north.id],
  );
  await messages.close();
});

test("a partner that is away is sent everything in its order when it is back, under the control ids that it may know", async () => {
  const { plan, perform, begin, later, heard, answering } = await open();
  const messages = begin();
  answering(() => "away");
  await plan();
  await perform("1.1", "IN PROGRESS");
  await perform("1.1", "COMPLETED");
  await later(0);
  for (let hour = 0; hour < 7 * 24; hour++) await later(3_600_000);
  const tries = heard.length;
  assert.ok(tries > 7 * 24, `${tries}`);
  assert.equal(new Set(heard.map(({ controlId }) => controlId)).size, 1, "what is behind it waits");
  const [state] = await messages.partners(operator);
  assert.deepEqual([state?.waiting, state?.problem], [2, "the receiver cannot be reached"]);
  answering(() => "AA");
  await messages.resume(operator, ris.id);
  await later(0);
  assert.equal(statuses(heard.slice(tries)), "ORM IP, ORM CM");
  assert.equal(heard[tries]?.controlId, heard[0]?.controlId);
  await messages.close();
});

test("what a crash left is sent after it, in its order: what was noted, and what was queued", async () => {
  const first = await open();
  const messages = first.begin();
  first.answering(() => "away");
  await first.plan();
  await first.perform("1.1", "IN PROGRESS");
  await first.later(0);
  await messages.close();
  // Nobody works off what is noted now.
  await first.perform("1.1", "DISCONTINUED");
  first.heard.length = 0;
  first.answering(() => "AA");
  const again = first.begin();
  await first.later(0);
  assert.equal(statuses(first.heard), "ORM IP, ORM DC");
  const { messages: kept } = await again.list(operator, { limit: 10 });
  assert.deepEqual(
    kept.map(({ state }) => state),
    ["sent", "sent"],
  );
  await again.close();
});

test("AE is tried again a few times and set aside, AR at once, garbage as AE; the queue goes on", async () => {
  const { plan, begin, later, heard, answering, schedule } = await open();
  const messages = begin();
  const fate: Readonly<Record<string, ReturnType<Says>>> = { "100": "AE", "200": "AR", "300": "garbage", "400": "AA" };
  answering(({ text }) => fate[/ORC\|SC\|(\d+)/.exec(text)?.[1] ?? ""] ?? "AA");
  for (const [nth, number] of Object.keys(fate).entries()) {
    await plan({ study: `1.2.${nth}` }, "", number);
    const order = { placer: number, filler: "", patientId: "", issuer: "", facility: "" };
    await schedule.changeOrder(frontDesk, order, { status: "CANCELED" });
  }
  for (let minute = 0; minute < 60; minute++) await later(60_000);
  assert.equal(heard.length, 5 + 1 + 5 + 1);
  const { messages: kept } = await messages.list(operator, { limit: 10 });
  assert.deepEqual(kept.map(({ state, attempts, problem }) => [state, attempts, problem]).reverse(), [
    ["failed", 5, "it answered AE"],
    ["failed", 1, "it answered AR"],
    ["failed", 5, "bytes that are no frame"],
    ["sent", 1, undefined],
  ]);
  const opened = await messages.read(operator, kept[2]?.id ?? "");
  assert.match(Buffer.from(opened.answers[0] ?? "").toString(), /MSA\|AR\|/);
  await messages.close();
});

test("a partner that is paused is sent nothing, after a restart too; one message that waits is called off", async () => {
  const { plan, perform, begin, later, heard } = await open();
  let messages = begin();
  await messages.pause(operator, ris.id);
  await plan();
  await perform("1.1", "IN PROGRESS");
  await perform("1.1", "COMPLETED");
  await later(0);
  await messages.close();
  messages = begin();
  await later(0);
  assert.equal(heard.length, 0);
  const [newest] = (await messages.list(operator, { state: "waiting", limit: 10 })).messages;
  assert.equal((await messages.cancel(operator, newest?.id ?? "")).state, "cancelled");
  await assert.rejects(messages.cancel(operator, newest?.id ?? ""), { code: "conflict" });
  await messages.resume(operator, ris.id);
  await later(0);
  assert.equal(statuses(heard), "ORM IP");
  await messages.close();
});

test("a report that comes is told once, with what it says; one that is not whole is not", async () => {
  const { archive, begin, later, heard } = await open();
  const messages = begin();
  await receive(archive, reportFile());
  await archive.settled();
  await later(0);
  assert.equal(heard.length, 1);
  const lines = heard[0]?.text.split("\r") ?? [];
  assert.match(lines[0] ?? "", /\|ORU\^R01\^ORU_R01\|/);
  assert.deepEqual(
    lines.filter((line) => line.startsWith("OBX")).map((line) => line.split("|").slice(2, 7).join("|")),
    [
      "ST|113014^DICOM Study^DCM|1|2.25.77|",
      "ST|^SR Instance UID|1|2.25.77.1|",
      "TX|59776-5^Findings^LN|1|No bleeding.\\.br\\No fracture \\F\\ none.|",
      "NM|33728-7^Size^LN|1|12.5|mm^millimeter^UCUM",
      "CE|19005-8^Impression^LN|1|17621005^Normal^SCT|",
    ],
  );
  assert.match(lines.find((line) => line.startsWith("OBR")) ?? "", /^OBR\|1\|100\|F100\|CTH\^CT head\^L\|.*\|F\|/);
  await receive(archive, reportFile());
  await receive(archive, reportFile({ CompletionFlag: "PARTIAL" }, 2));
  await receive(archive, reportFile({ VerificationFlag: "UNVERIFIED" }, 3));
  await archive.settled();
  await later(0);
  assert.deepEqual(
    heard.map(({ status }) => status),
    ["F", "P"],
  );
  await messages.close();
});

test("a message that went is sent again under its control id, one that came is done again; both are marked", async () => {
  const { plan, perform, begin, later, heard, done } = await open();
  const messages = begin();
  await plan();
  await perform("1.1", "IN PROGRESS");
  await later(0);
  const [sent] = (await messages.list(operator, { limit: 1 })).messages;
  const again = await messages.replay(operator, sent?.id ?? "");
  await later(0);
  assert.deepEqual([heard.length, heard[1]?.text === heard[0]?.text, again.replayOf], [2, true, sent?.id]);
  const bytes = Buffer.from("MSH|^~\\&|RIS\r");
  const came = await messages.heard({
    partner: ris.id,
    kind: "ADT^A08",
    controlId: "7",
    bytes,
    state: "error",
    problem: "no",
  });
  const redone = await messages.replay(operator, came?.id ?? "");
  assert.deepEqual(
    [done, redone.state, redone.direction, redone.replayOf],
    [["MSH|^~\\&|RIS\r"], "accepted", "in", came?.id],
  );
  const inbound = await messages.list(operator, { direction: "in", limit: 1 });
  assert.deepEqual([inbound.messages[0]?.id, inbound.isMore], [redone.id, true]);
  const rest = await messages.list(operator, { direction: "in", limit: 5, before: redone.id });
  assert.deepEqual(
    rest.messages.map(({ id }) => id),
    [came?.id],
  );
  await messages.close();
});

test("who may see that messages went may not read them; each look is logged", async () => {
  const { begin, entries } = await open();
  const messages = begin();
  const bytes = Buffer.from("MSH|^~\\&|RIS\r");
  const came = await messages.heard({ partner: ris.id, kind: "ADT^A08", controlId: "7", bytes, state: "accepted" });
  assert.equal((await messages.list(auditor, { limit: 5 })).messages.length, 1);
  await assert.rejects(messages.read(auditor, came?.id ?? ""), { code: "denied" });
  await assert.rejects(messages.replay(auditor, came?.id ?? ""), { code: "denied" });
  await assert.rejects(messages.pause(auditor, ris.id), { code: "denied" });
  await assert.rejects(messages.list(frontDesk, { limit: 5 }), { code: "denied" });
  assert.equal((await messages.read(operator, came?.id ?? "")).isCut, false);
  const looks = entries.filter(({ act }) => act === "message.read").map(({ outcome, on }) => `${outcome} ${on?.id}`);
  assert.deepEqual(looks, [`refused ${came?.id}`, `done ${came?.id}`]);
  await assert.rejects(messages.read(operator, "DOE^JANE"), { code: "absent" });
  assert.equal(entries.at(-2)?.on?.id, "unknown", "what is no id of ours does not reach the log");
  await messages.close();
});

test("what is over is kept for its days, what waits for as long as it takes", async () => {
  const { plan, perform, begin, later, answering } = await open();
  const messages = begin();
  answering(() => "away");
  await messages.heard({
    partner: ris.id,
    kind: "ADT^A08",
    controlId: "7",
    bytes: Buffer.from("x"),
    state: "accepted",
  });
  await plan();
  await perform("1.1", "IN PROGRESS");
  await later(0);
  await later(31 * 86_400_000);
  await later(120_000);
  assert.deepEqual(
    (await messages.list(operator, { limit: 9 })).messages.map(({ state }) => state),
    ["waiting"],
  );
  await messages.close();
});

test("how a partner is written to is checked, and holds for the next message", async () => {
  const { plan, perform, begin, later, heard } = await open();
  const messages = begin();
  const terms = {
    ...{ application: "EPIC", facility: "HOSP", ownApplication: "RADIOLOGY", ownFacility: "NORTH" },
    ...{ characterSet: "8859/1", acknowledgment: "enhanced" as const },
  };
  const wrong = [{ application: "a\rb" }, { facility: "x".repeat(65) }, { characterSet: "EBCDIC" }];
  for (const one of wrong) {
    await assert.rejects(messages.setPartner(operator, ris.id, { ...terms, ...one }), { code: "invalid" });
  }
  await assert.rejects(messages.setPartner(operator, "f".repeat(32), terms), { code: "absent" });
  await messages.setPartner(operator, ris.id, terms);
  await plan();
  await perform("1.1", "IN PROGRESS");
  await later(0);
  assert.match(
    heard[0]?.text ?? "",
    /^MSH\|\^~\\&\|RADIOLOGY\|NORTH\|EPIC\|HOSP\|.*\|2\.5\.1\|\|\|AL\|NE\|\|8859\/1\r/,
  );
  await messages.close();
});

test("a document that cannot be told of holds nothing up for long; one that is gone holds nothing up at all", async () => {
  const { archive, begin, later, heard, records, plan, perform } = await open();
  const messages = begin();
  const notices = records.shelf("message-notice");
  const gone = { of: "report", studyToken: "f".repeat(32), sopUid: "1.2", told: "0".repeat(32), at: 0 };
  await records.change(notices.put("0".repeat(32), gone));
  await receive(archive, reportFile({ ContentSequence: [] }));
  await plan();
  await perform("1.1", "IN PROGRESS");
  await archive.settled();
  await later(0);
  assert.deepEqual(heard.map(({ kind, status }) => `${kind} ${status}`).sort(), ["ORM IP", "ORU F"]);
  for await (const left of notices.all()) assert.fail(`${left.id} is left`);
  await messages.close();
});

test("a report that names no order is of the one that its study was scheduled by, for the same patient alone", async () => {
  const { archive, begin, later, heard, plan } = await open();
  const messages = begin();
  const ofPatient = (PatientID: string) => ({ ReferencedRequestSequence: [], AccessionNumber: "", PatientID });
  await plan({ study: "2.25.77", accession: "A7", more: { PatientID: "P1" } }, "", "700");
  await receive(archive, reportFile(ofPatient("P1"), 1));
  await receive(archive, reportFile(ofPatient("P2"), 2));
  await archive.settled();
  await later(0);
  const numbers = heard.map(({ text }) => /\rOBR\|1\|(.*?)\|(.*?)\|/.exec(text)?.slice(1).join(" "));
  assert.deepEqual(numbers.sort(), [" ", "700 F700"]);
  assert.ok(heard.some(({ text }) => text.includes("|A7|")));
  await messages.close();
});
