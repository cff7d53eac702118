import { createVirtualClock } from "#base/clock";
import { seededRandom } from "#base/id";
import {
  type DataSet,
  type DataSetInput,
  elementsOf,
  type KeywordDataSet,
  readDataSet,
  TransferSyntaxUid,
  writeDataSet,
} from "#formats/dicom";
import { createMemoryRecordStore } from "#stores/memory";
import { actorOf, createGate } from "#trust/access";
import type { AuditEntry, AuditLog } from "#trust/audit";
import { createRecords, type RecordStore } from "#trust/vault";
import { policyWhere } from "../../trust/access/grants.fixture.ts";
import { openVault } from "../../trust/vault/vault.fixture.ts";
import { createSchedule } from "./index.ts";

export const console1 = actorOf("device", "c1");
export const frontDesk = actorOf("user", "f");
const transferSyntaxUid = TransferSyntaxUid.explicitLittleEndian;

/** A data set as it comes over a wire. */
export function received(input: DataSetInput): DataSet {
  return readDataSet(writeDataSet(input, { transferSyntaxUid }), { transferSyntaxUid });
}

export const dataSetOf = (values: KeywordDataSet): DataSet => received(elementsOf(values));

/** What of a worklist item a test says; the rest is made up. */
export interface Planned {
  readonly study?: string;
  readonly step?: string;
  readonly name?: string;
  readonly accession?: string;
  readonly aes?: string[];
  readonly modality?: string;
  readonly date?: string;
  readonly time?: string;
  readonly more?: KeywordDataSet;
  readonly moreOfStep?: KeywordDataSet;
}

export function itemValues(planned: Planned = {}): KeywordDataSet {
  const {
    study = "1.2.3",
    step = "SPS1",
    name = "Doe^Jane",
    accession = "A1",
    aes = ["CT1"],
    modality = "CT",
  } = planned;
  const { date = "20260301", time = "083000", more, moreOfStep } = planned;
  return {
    AccessionNumber: accession,
    PatientName: name,
    PatientID: `of ${name}`.slice(0, 60),
    StudyInstanceUID: study,
    RequestedProcedureID: "RP1",
    ScheduledProcedureStepSequence: [
      {
        Modality: modality,
        ScheduledStationAETitle: aes,
        ScheduledProcedureStepStartDate: date,
        ScheduledProcedureStepStartTime: time,
        ScheduledProcedureStepID: step,
        ...moreOfStep,
      },
    ],
    ...more,
  };
}

export const itemOf = (planned: Planned = {}): DataSet =>
  dataSetOf({ SpecificCharacterSet: "ISO_IR 192", ...itemValues(planned) });

type Appended = Omit<AuditEntry, "at">;

/** A schedule over records in memory; the log is a list. `again` opens it anew, as after a restart. */
export async function openSchedule(
  givenRights: Parameters<typeof policyWhere>[0] = {},
  store: RecordStore = createMemoryRecordStore(),
) {
  const clock = createVirtualClock(Date.UTC(2026, 2, 1, 8));
  const entries: Appended[] = [];
  const audit = { append: async (entry: Appended) => entries.push(entry) } as Partial<AuditLog> as AuditLog;
  const gate = createGate({ policy: policyWhere({ [frontDesk.id]: ["front-desk"], ...givenRights }), audit, clock });
  const { vault } = await openVault();
  const again = () =>
    createSchedule({ records: createRecords({ store, vault }), gate, clock, random: seededRandom(2) });
  return { schedule: again(), again, clock, entries, store };
}
