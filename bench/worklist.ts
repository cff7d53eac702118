import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "#base/clock";
import { silentLog } from "#base/log";
import { createDimseDoor, dial, type OutboundAssociation, openAssociation, storagePolicy } from "#doors/dimse";
import { elementsOf, type KeywordDataSet, TransferSyntaxUid } from "#formats/dicom";
import type { Schedule } from "#radiology/schedule";
import { openAccessDatabase } from "#stores/sql";
import type { RecordStore } from "#trust/vault";
import { console1, frontDesk, itemOf, openSchedule } from "../radiology/schedule/schedule.fixture.ts";
import { servicesFor } from "../tests/conformance/worklist-door.fixture.ts";
import { machine, median, percentile, print, table } from "./report.ts";

const sopClass = "1.2.840.10008.5.1.4.31";
const machines = 20;
const modalities = ["CT", "MR", "DX", "US"];

/** C-FIND of the modality worklist at our door, over loopback; the log is in memory. */
export async function worklist(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: { steps: { type: "string", default: "10000" }, times: { type: "string", default: "200" } },
  });
  const [steps, times] = [Number(values.steps), Number(values.times)];
  print(`The modality worklist with ${steps} steps. ${machine()}.`);
  const folder = mkdtempSync(join(tmpdir(), "lg-worklist-"));
  const place = { path: join(folder, "access.db"), home: "00", log: silentLog };
  const { recordStore, close } = await openAccessDatabase(place);
  try {
    await measure(recordStore, steps, times);
  } finally {
    await close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(store: RecordStore, steps: number, times: number): Promise<void> {
  const { schedule: first, again } = await openSchedule({}, store);
  for (let at = 0; at < steps; at++) await first.put(frontDesk, () => itemOf(planned(at)), "");
  const schedule = again();
  const opening = systemClock.monotonicMs();
  await schedule.list(frontDesk);
  const openedMs = systemClock.monotonicMs() - opening;
  print(`opened in ${openedMs.toFixed(0)} ms`);
  await ask(schedule, steps, times);
}

const days = 30;
const dayOf = (at: number) => `202603${String(1 + (at % days)).padStart(2, "0")}`;

function planned(at: number) {
  const person = `Patient${at}^P${at % 97}`;
  return {
    ...{ study: `1.2.840.99.${at}`, step: `S${at}`, name: person, accession: `A${at}`, date: dayOf(at) },
    aes: [`AE${at % machines}`],
    modality: modalities[at % modalities.length]!,
    time: `${String(7 + (at % 12)).padStart(2, "0")}${String(at % 60).padStart(2, "0")}00`,
  };
}

async function ask(schedule: Schedule, steps: number, times: number): Promise<void> {
  const services = servicesFor(schedule, console1);
  const door = createDimseDoor({
    callers: { admit: async () => ({ admitted: true, services }) },
    policy: storagePolicy,
    clock: systemClock,
    log: silentLog,
  });
  const listener = await door.listen({ host: "127.0.0.1", port: 0 });
  const contexts = [{ sopClassUid: sopClass, transferSyntaxUids: [TransferSyntaxUid.implicitLittleEndian] }];
  const proposal = { callingAe: "CT1", calledAe: "LEADGLASS", contexts };
  const at = dial({ host: "127.0.0.1", port: listener.port });
  const association = await openAssociation(at, proposal, { clock: systemClock });
  const rows: (string | number)[][] = [];
  for (const [name, keys, most] of questions(steps)) {
    const taken: number[] = [];
    let found = 0;
    for (let turn = 0; turn < Math.min(times, most); turn++) {
      const began = systemClock.monotonicMs();
      found = await count(association, keys(turn));
      taken.push(systemClock.monotonicMs() - began);
    }
    rows.push([name, found, median(taken).toFixed(2), percentile(taken, 95).toFixed(2)]);
  }
  print(table(["query", "found", "median ms", "p95 ms"], rows));
  await association.release();
  await listener.close();
}

type Question = readonly [name: string, keys: (turn: number) => KeywordDataSet, most: number];

function questions(steps: number): Question[] {
  const shown = { PatientName: "", PatientID: "", AccessionNumber: "", StudyInstanceUID: "" };
  const one = (turn: number) => (turn * 7_919) % steps;
  return [
    [
      "a console's day: AE title, modality, date",
      (turn) => {
        const { aes, modality, date } = planned(one(turn));
        const keys = { ScheduledStationAETitle: aes, Modality: modality, ScheduledProcedureStepStartDate: date };
        return { ...shown, ScheduledProcedureStepSequence: [{ ...keys, ScheduledProcedureStepID: "" }] };
      },
      1_000,
    ],
    ["one accession number", (turn) => ({ ...shown, AccessionNumber: `A${one(turn)}` }), 1_000],
    ["a name's beginning", (turn) => ({ ...shown, PatientName: `patient${one(turn)}^*` }), 1_000],
    ["all", () => ({ ...shown, ScheduledProcedureStepSequence: [] }), 5],
  ];
}

async function count(association: OutboundAssociation, keys: KeywordDataSet): Promise<number> {
  let found = 0;
  for await (const _ of association.find(sopClass, elementsOf(keys))) found++;
  return found;
}
