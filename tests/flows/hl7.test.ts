import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import type { StatusView, WaitingView, WorklistView } from "#formats/api";
import { imageFile } from "../../radiology/archive/corrections.fixture.ts";
import { has, newHome, type RunningHouse, startHouse } from "../house/index.ts";
import { codeOf, messageOf, senderAt, senderOn } from "./mllp.fixture.ts";
import { asOperator, wholeLog } from "./modality.fixture.ts";

/*
 * A hospital's systems send orders, appointments and patient data over MLLP. The tests follow on each other.
 */
let house: RunningHouse;
let folder = "";
const environment = { LEADGLASS_HL7_PORT: "0", LEADGLASS_HL7_TLS_PORT: "0" };
const home = newHome();
before(async () => {
  house = await startHouse({ home, environment });
  folder = mkdtempSync(join(tmpdir(), "lg-hl7-"));
  house.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await house?.remove();
});

const pid = (id: string, name: string) => `PID|1||${id}^^^HOSP^MR||${name}||19700102|F`;
function order(controlId: string, number: string, control = "NW", more: { name?: string; time?: string } = {}): string {
  const { name = "Müller^Änne", time = "202603020915" } = more;
  return messageOf("ORM^O01", controlId, [
    pid("P1", name),
    "PV1|1|O|||||||9^Referrer^Rae",
    `ORC|${control}|${number}|F${number}||||^^^${time}`,
    `OBR|1|${number}|F${number}|CTH^CT head^L||||||||||||||A${number}|RP${number}|SPS${number}||||CT`,
  ]);
}
const listed = () => asOperator<WorklistView>(house, "/api/worklist");
const once = async (message: string): Promise<string> => {
  const sender = senderAt(house.hl7);
  const answer = await sender.send(message);
  sender.close();
  return codeOf(answer);
};

test("a system that nobody admitted is refused, logged, and waits to be admitted", async () => {
  assert.equal(await once(order("1", "100")), "AR 207");
  const waiting = await asOperator<WaitingView[]>(house, "/api/devices/waiting");
  assert.deepEqual(
    waiting.map(({ ae, address }) => [ae, address]),
    [["HIS", "127.0.0.1"]],
  );
  assert.equal((await listed()).total, 0);
  house.command(["device", "add", "HIS", "--address", "127.0.0.1", "--may", "orders"]);
  const status = await asOperator<StatusView>(house, "/api/status");
  assert.deepEqual([status.ports.hl7, status.ports.hl7Tls], [house.hl7, house.hl7Tls]);
});

test("an order is in the worklist of the scanner when it is acknowledged; what came already is acknowledged and done once", async () => {
  const sender = senderAt(house.hl7);
  assert.equal(codeOf(await sender.send(order("2", "100"))), "AA");
  const [step, ...others] = (await listed()).steps;
  assert.equal(others.length, 0);
  assert.deepEqual(
    [step?.patientName, step?.modality, step?.startDate, step?.startTime, step?.accessionNumber, step?.stationAes],
    ["Müller^Änne", "CT", "20260302", "0915", "A100", ["CT1"]],
  );
  assert.equal(codeOf(await sender.send(order("2", "100"))), "AA", "the same again");
  assert.equal(codeOf(await sender.send(order("2", "101"))), "AR 205", "another by that control id");
  assert.equal((await listed()).total, 1);
  sender.close();
});

test("findscu, as a scanner, finds the order", (t) => {
  if (!has("findscu")) return t.skip("needs dcmtk: apt install dcmtk");
  const words = `-W -aet CT1 -aec LEADGLASS -k 0010,0010 -k 0020,000d -k 0040,0100[0].0008,0060=CT 127.0.0.1 ${house.dicom}`;
  const found = spawnSync("findscu", ["-v", ...words.split(" ")], { encoding: "utf8" });
  assert.match(found.stdout + found.stderr, /\(0020,000d\) UI \[2\.25\.\d+/);
});

test("an order is changed, cancelled and planned again; what cannot be done is answered with the reason", async () => {
  const sender = senderAt(house.hl7);
  const code = async (message: string) => codeOf(await sender.send(message));
  assert.equal(await code(order("3", "100", "XO", { time: "202603031000" })), "AA");
  assert.equal((await listed()).steps[0]?.startDate, "20260303");
  assert.equal(await code(order("4", "100", "CA")), "AA");
  assert.equal((await listed()).steps[0]?.status, "CANCELED");
  assert.equal(await code(order("5", "100", "NW")), "AA");
  assert.equal((await listed()).steps[0]?.status, "SCHEDULED");
  assert.equal(await code(order("6", "999", "CA")), "AE 204");
  assert.equal(await code(order("7", "100", "HD")), "AR 103");
  assert.equal(await code(messageOf("ORU^R01", "8", [])), "AR 200");
  assert.equal(await code(messageOf("ADT^A99", "9", [])), "AR 201");
  assert.equal(
    await code(messageOf("ADT^A08", "10", [pid("P1", "Other^Name")])),
    "AR 207",
    "it was let send orders alone",
  );
  const moved = messageOf("SIU^S13", "11", [
    "SCH||||||||||||||||||||||||||100",
    pid("P1", "M"),
    "AIS|1||CTH|20260304113000",
  ]);
  assert.equal(await code(moved), "AA");
  assert.deepEqual(
    [(await listed()).steps[0]?.startDate, (await listed()).steps[0]?.startTime],
    ["20260304", "113000"],
  );
  sender.close();
});

test("in enhanced mode a message is taken and then done, each with its answer", async () => {
  const sender = senderAt(house.hl7);
  const message = order("12", "100", "XO").replace("|2.5.1\r", "|2.5.1|||AL|AL\r");
  assert.equal(codeOf(await sender.send(message)), "CA");
  assert.equal(codeOf(await sender.next()), "AA");
  sender.close();
});

test("patient data: studies and steps say what the index of patients says, and a merge moves both", async () => {
  house.command(["device", "add", "HIS", "--address", "127.0.0.1", "--may", "orders,patients"]);
  const files = [
    imageFile({ PatientID: "P1", PatientName: "Muller^A" }, { study: "1" }),
    imageFile({ PatientID: "P2", PatientName: "Doe^Jane" }, { study: "2" }),
  ];
  for (const [at, file] of files.entries()) writeFileSync(join(folder, `${at}.dcm`), file);
  house.command(["import", folder]);
  const studies = async () => {
    const answer = await house.fetch("/dicom-web/studies?includefield=PatientName,PatientID");
    const rows = (await answer.json()) as Record<string, { Value?: [{ Alphabetic?: string } & string] }>[];
    return rows.map((row) => `${row["00100010"]?.Value?.[0]?.Alphabetic} ${row["00100020"]?.Value?.[0]}`).sort();
  };
  assert.equal(await once(messageOf("ADT^A08", "20", [pid("P1", "Müller-Meier^Änne")])), "AA");
  assert.deepEqual(await studies(), ["Doe^Jane P2", "Müller-Meier^Änne P1"]);
  assert.equal((await listed()).steps[0]?.patientName, "Müller-Meier^Änne");
  const merge = messageOf("ADT^A40^ADT_A39", "21", [pid("P2", "Doe^Jane"), "MRG|P1^^^HOSP^MR"]);
  assert.equal(await once(merge), "AA");
  assert.deepEqual(await studies(), ["Doe^Jane P2", "Doe^Jane P2"]);
  assert.deepEqual([(await listed()).steps[0]?.patientName, (await listed()).steps[0]?.patientId], ["Doe^Jane", "P2"]);
  assert.equal(await once(messageOf("ADT^A47", "22", [pid("N2", "Doe^Jane"), "MRG|P2^^^HOSP^MR"])), "AA");
  assert.deepEqual(await studies(), ["Doe^Jane N2", "Doe^Jane N2"]);
  assert.equal(await once(messageOf("ADT^A01", "23", [pid("X9", "Nobody^Known")])), "AA");
  const acts = new Set((await wholeLog(house)).map(({ act, actor }) => `${act} ${actor.split(":")[0]}`));
  for (const act of ["message.receive", "worklist.write", "patient.correct", "patient.merge"])
    assert.ok(acts.has(`${act} device`), act);
  assert.ok(!/Müller|Doe|P1\b/.test(house.output()), "no identifying value in the log of the process");
});

test("over TLS a system comes in with its certificate alone", async () => {
  const given = join(folder, "his");
  house.command(["device", "add", "PACSHIS", "--address", "127.0.0.1", "--may", "orders", "--certificate", given]);
  const message = order("30", "300").replace("|HIS|", "|PACSHIS|");
  assert.equal(await once(message), "AR 207", "not in the clear");
  const at = { host: "127.0.0.1", port: house.hl7Tls ?? 0, rejectUnauthorized: false };
  const bare = senderOn(connectTls(at));
  assert.equal(await bare.send(message), undefined, "nor without a certificate");
  const key = readFileSync(join(given, "key.pem"));
  const cert = readFileSync(join(given, "certificate.pem"));
  const known = senderOn(connectTls({ ...at, key, cert }));
  assert.equal(codeOf(await known.send(message)), "AA");
  assert.equal(codeOf(await known.send(order("31", "301"))), "AR 207", "and for nobody else");
});

test("what was acknowledged is there after the process was killed", async () => {
  assert.equal(await once(order("40", "400", "NW", { name: "After^Kill" })), "AA");
  await house.stop("SIGKILL");
  house = await startHouse({ home, environment });
  assert.ok((await listed()).steps.some(({ patientName }) => patientName === "After^Kill"));
  assert.equal(await once(order("40", "400", "NW", { name: "After^Kill" })), "AA");
  assert.equal(await once(order("40", "401", "NW", { name: "After^Kill" })), "AR 205", "and known by its control id");
});
