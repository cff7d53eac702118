import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemClock } from "#base/clock";
import { dial, openAssociation } from "#doors/dimse";
import type {
  DeviceRequest,
  DeviceView,
  MessageDetail,
  MessagePage,
  MessageView,
  PartnerView,
  WorklistView,
} from "#formats/api";
import { elementsOf, TransferSyntaxUid } from "#formats/dicom";
import { reportFile } from "../../radiology/relay/messages.fixture.ts";
import { newHome, type RunningHouse, startHouse } from "../house/index.ts";
import { codeOf, controlIdOf, messageOf, type Receiver, receiverAt, senderAt } from "./mllp.fixture.ts";
import { asOperator, wholeLog } from "./modality.fixture.ts";

/*
 * A hospital's systems are told by HL7 what becomes of orders and what reports say. The tests follow on each other.
 */
const mpps = "1.2.840.10008.3.1.2.3.3";
const environment = { LEADGLASS_HL7_PORT: "0" };
const home = newHome();
let house: RunningHouse;
let folder = "";
let ris: Receiver;
before(async () => {
  house = await startHouse({ home, environment });
  folder = mkdtempSync(join(tmpdir(), "lg-hl7-out-"));
  ris = await receiverAt();
  await addDevice({ ae: "CT1" });
  await addDevice({ ae: "HIS", may: ["orders"] });
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await ris?.stop();
  await house?.remove();
});

const addDevice = (device: Omit<DeviceRequest, "address">) =>
  asOperator<DeviceView>(house, "/api/devices", "POST", { address: "127.0.0.1", ...device });
const resume = ({ device }: PartnerView) => asOperator(house, `/api/partners/${device.id}/resume`, "POST");
const listed = (query = "") => asOperator<MessagePage>(house, `/api/messages${query}`);
const partners = () => asOperator<PartnerView[]>(house, "/api/partners");
/** Resolves when nothing waits for any of them. */
async function allSent(): Promise<void> {
  while ((await partners()).some(({ waiting }) => waiting > 0));
}
async function order(number: string, control = "NW"): Promise<void> {
  const sender = senderAt(house.hl7);
  const message = messageOf("ORM^O01", `${control}${number}`, [
    "PID|1||P1^^^HOSP^MR||Müller^Änne||19700102|F",
    `ORC|${control}|${number}|F${number}||||^^^202603020915`,
    `OBR|1|${number}|F${number}|CTH^CT head^L||||||||||||||A${number}|RP${number}|SPS${number}||||CT`,
    `ZDS|2.25.${number}^^Application^DICOM`,
  ]);
  assert.equal(codeOf(await sender.send(message)), "AA");
  sender.close();
}
async function perform(uid: string, number: string): Promise<void> {
  const worklist = await asOperator<WorklistView>(house, "/api/worklist");
  assert.ok(worklist.steps.some(({ accessionNumber }) => accessionNumber === `A${number}`));
  const contexts = [{ sopClassUid: mpps, transferSyntaxUids: [TransferSyntaxUid.implicitLittleEndian] }];
  const titles = { callingAe: "CT1", calledAe: "LEADGLASS", contexts };
  const connection = dial({ host: "127.0.0.1", port: house.dicom });
  const association = await openAssociation(connection, titles, { clock: systemClock });
  const beginning = elementsOf({
    ScheduledStepAttributesSequence: [{ StudyInstanceUID: `2.25.${number}`, ScheduledProcedureStepID: `SPS${number}` }],
    ...{ PerformedProcedureStepID: "P1", PerformedStationAETitle: "CT1", Modality: "CT" },
    ...{ PerformedProcedureStepStartDate: "20260302", PerformedProcedureStepStartTime: "0916" },
    PerformedProcedureStepStatus: "IN PROGRESS",
  });
  assert.equal((await association.create(mpps, uid, beginning)).status, 0);
  const end = elementsOf({
    ...{ PerformedProcedureStepStatus: "COMPLETED", PerformedProcedureStepEndDate: "20260302" },
    PerformedProcedureStepEndTime: "0930",
    PerformedSeriesSequence: [{ SeriesInstanceUID: "1.2.3.4", ProtocolName: "Head" }],
  });
  assert.equal((await association.set(mpps, uid, end)).status, 0);
  await association.release();
}
const statusOf = (message: string) => /\rORC\|SC\|(\d+)\|F\d+\|\|([A-Z]{2})\|/.exec(message)?.slice(1).join(" ");

test("a partner needs a port, and without TLS an address near by", () => {
  const add = (...words: string[]) => house.tryCommand(["device", "add", "RIS", ...words]);
  assert.match(add("--address", "10.0.0.9", "--may", "status").stderr, /needs a port/);
  assert.match(
    add("--address", "8.8.8.8", "--port", "2575", "--may", "status").stderr,
    /loopback or a private address/,
  );
  const near = add("--address", "127.0.0.1", "--port", String(ris.port), "--may", "status,results");
  assert.match(near.stdout, /may results, status, and takes what is sent to it/);
  assert.equal(house.command(["partner", "list"]).split("\n").length, 1);
});

test("what a scanner says that it does reaches the system that placed the order, in its order, over one connection", async () => {
  await order("100");
  await perform("1.9.1", "100");
  await ris.until(2);
  assert.deepEqual(ris.heard.map(statusOf), ["100 IP", "100 CM"]);
  assert.match(ris.heard[0] ?? "", /\rPID\|1\|\|P1\^\^\^HOSP\|\|Müller\^Änne\^/);
  assert.match(ris.heard[0] ?? "", /\rZDS\|2\.25\.100\^\^Application\^DICOM\r/);
  assert.equal(ris.connections(), 1);
});

test("a report that is stored is sent with what it says", async () => {
  writeFileSync(join(folder, "report.dcm"), reportFile());
  house.command(["import", join(folder, "report.dcm")]);
  await ris.until(3);
  assert.match(ris.heard[2] ?? "", /\|ORU\^R01\^ORU_R01\|/);
  assert.match(
    ris.heard[2] ?? "",
    /\rOBX\|3\|TX\|59776-5\^Findings\^LN\|1\|No bleeding\.\\\.br\\No fracture \\F\\ none\.\|/,
  );
});

test("who looks after messages sees what came and went, reads one, and has it sent again under its control id", async () => {
  await allSent();
  const { messages } = await listed();
  assert.deepEqual(
    messages.map(({ direction, partner, kind, state }) => `${direction} ${partner.ae} ${kind} ${state}`),
    ["out RIS ORU^R01 sent", "out RIS ORM^O01 sent", "out RIS ORM^O01 sent", "in HIS ORM^O01 accepted"],
  );
  const id = messages[1]?.id ?? "";
  const shown = house.command(["message", "show", id]);
  assert.match(shown, /Order status +CM/);
  assert.match(shown, /answer 1:[\s\S]*Code +AA/);
  house.command(["message", "replay", id]);
  await ris.until(4);
  assert.equal(ris.heard[3], ris.heard[1]);
  await allSent();
  const again = (await listed("?direction=out&limit=1")).messages[0];
  assert.equal(again?.replayOf, id);
  const page = JSON.parse(house.command(["messages", "--direction", "in", "--json"])) as MessagePage;
  assert.equal(page.messages.length, 1);
  const came = await asOperator<MessageDetail>(house, `/api/messages/${page.messages[0]?.id}`);
  assert.match(Buffer.from(came.bytes, "base64").toString(), /^MSH\|\^~\\&\|HIS\|/);
  const redone = JSON.parse(house.command(["message", "replay", came.id, "--json"])) as MessageView;
  assert.deepEqual([redone.direction, redone.state, redone.replayOf], ["in", "accepted", came.id]);
  const acts = new Set((await wholeLog(house)).map(({ act, actor }) => `${act} ${actor.split(":")[0]}`));
  for (const act of ["message.send system", "step.announce system", "result.announce system", "message.read operator"])
    assert.ok(acts.has(act), act);
});

test("a partner that refuses a message has it set aside, and is sent the next one", async () => {
  ris.answering((message) => (statusOf(message)?.startsWith("200") ? "AR" : "AA"));
  const count = ris.heard.length;
  await order("200");
  await order("201");
  await order("200", "CA");
  await order("201", "CA");
  await ris.until(count + 2);
  assert.deepEqual(ris.heard.slice(count).map(statusOf), ["200 CA", "201 CA"]);
  await allSent();
  const { messages } = await listed("?state=failed");
  assert.deepEqual(
    messages.map(({ problem, attempts }) => [problem, attempts]),
    [["it answered AR", 1]],
  );
});

test("kill -9 while a partner is away: all is there after it, in its order, and the same message under its control id", async () => {
  ris.answering(() => undefined);
  const count = ris.heard.length;
  await order("300");
  await order("301");
  await order("300", "CA");
  await order("301", "CA");
  await ris.until(count + 1);
  const first = controlIdOf(ris.heard[count] ?? "");
  const { port } = ris;
  await ris.stop();
  await house.stop("SIGKILL");
  assert.ok(!/Müller|\bP1\b/.test(house.output()), "no identifying value in the log of the process");
  ris = await receiverAt(port);
  house = await startHouse({ home, environment });
  await ris.until(2);
  assert.deepEqual(ris.heard.map(statusOf), ["300 CA", "301 CA"]);
  assert.equal(controlIdOf(ris.heard[0] ?? ""), first);
});

test("attack 79: garbage, answers that are too long, to another message, or never ended make nothing done, and lose nothing", async () => {
  const answers = [
    Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"),
    Buffer.from("\u000bMSH|^~\\&|RIS||LEADGLASS||20260301||ACK|1|P|2.5.1\rMSA|AA|somebody-else\r\u001c\r"),
    Buffer.concat([Uint8Array.of(0x0b), Buffer.alloc(2 * 1024 * 1024, "x")]),
    Buffer.from("\u000bMSH|\u000bMSH|\u001c\r"),
  ];
  for (const [at, answer] of answers.entries()) {
    const count = ris.heard.length;
    ris.answering(() => answer);
    await order(`40${at}`);
    await order(`40${at}`, "CA");
    await ris.until(count + 1);
    let [partner] = await partners();
    while (partner?.problem === undefined) [partner] = await partners();
    assert.equal(partner.waiting, 1);
    ris.answering(() => "AA");
    await resume(partner);
    await ris.until(count + 2);
    assert.equal(controlIdOf(ris.heard[count + 1] ?? ""), controlIdOf(ris.heard[count] ?? ""));
  }
  await allSent();
  assert.equal((await listed("?state=failed")).messages.length, 1, "the one that was refused before");
});

test("over TLS nothing is sent to who does not show the certificate; in enhanced mode that it was taken is enough", async () => {
  const given = join(folder, "ehr");
  const add = ["device", "add", "EHR", "--address", "127.0.0.1", "--may", "status", "--tls"];
  house.command([...add, "--port", "9", "--certificate", given]);
  const [key, cert] = ["key.pem", "certificate.pem"].map((name) => readFileSync(join(given, name)));
  assert.ok(key && cert);
  const stranger = join(folder, "stranger");
  house.command(["device", "add", "OTHER", "--address", "127.0.0.1", "--may", "orders", "--certificate", stranger]);
  const wrong = await receiverAt(0, {
    key: readFileSync(join(stranger, "key.pem")),
    cert: readFileSync(join(stranger, "certificate.pem")),
  });
  house.command([...add, "--port", String(wrong.port)]);
  house.command(["partner", "set", "EHR", "--to", "EPIC|HOSP", "--as", "RAD", "--acknowledgment", "enhanced"]);
  await order("500");
  await order("500", "CA");
  const stateOf = async () => (await partners()).find(({ device }) => device.ae === "EHR");
  let state = await stateOf();
  while (state?.problem === undefined) state = await stateOf();
  assert.match(state.problem, /certificate/);
  assert.deepEqual([wrong.heard.length, state.waiting], [0, 1]);
  await wrong.stop();
  const ehr = await receiverAt(0, { key, cert });
  ehr.answering(() => "CA");
  house.command([...add, "--port", String(ehr.port)]);
  await resume(state);
  await ehr.until(1);
  assert.match(ehr.heard[0] ?? "", /^MSH\|\^~\\&\|RAD\|\|EPIC\|HOSP\|.*\|2\.5\.1\|\|\|AL\|NE\|/);
  await allSent();
  await ehr.stop();
});

test("another Leadglass takes what this one sends, and is told of no change that it made", async () => {
  const title = "LEADGLASS";
  await addDevice({ ae: title, port: house.hl7 ?? 0, may: ["orders", "status"] });
  await order("600");
  await perform("1.9.6", "600");
  const toItself = async () => {
    const [device] = (await partners()).filter(({ device }) => device.ae === title);
    return (await listed(`?partner=${device?.device.id}`)).messages.map(
      ({ direction, state }) => `${direction} ${state}`,
    );
  };
  let all = await toItself();
  while (all.filter((one) => one === "out sent").length < 2) all = await toItself();
  assert.deepEqual(
    all.filter((one) => one.startsWith("in")),
    ["in accepted", "in accepted"],
  );
});
