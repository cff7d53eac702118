import { createVirtualClock } from "#base/clock";
import { seededRandom } from "#base/id";
import type { DicomJson, JsonElement, JsonValue } from "#formats/dicom";
import { attributeOf, tagOf } from "#formats/dicom";
import { keyOf } from "#radiology/schedule";
import { createMemoryRecordStore } from "#stores/memory";
import { actorOf, createGate, type StudyFacts } from "#trust/access";
import type { AuditEntry, AuditLog } from "#trust/audit";
import { createRecords } from "#trust/vault";
import { policyWhere } from "../../trust/access/grants.fixture.ts";
import { openVault } from "../../trust/vault/vault.fixture.ts";
import { createWorkItems, type EventReport, type WorkItems } from "./index.ts";

export const planner = actorOf("client", "planner");
export const reader = actorOf("user", "reader");
export const stranger = actorOf("user", "stranger");

/** Attributes by keyword, values alone; an array of objects is a sequence. */
export function jsonOf(values: Readonly<Record<string, JsonValue | readonly JsonValue[]>>): DicomJson {
  return Object.fromEntries(
    Object.entries(values).map(([keyword, value]): [string, JsonElement] => {
      const vr = attributeOf(tagOf(keyword))?.vrs[0] ?? "UN";
      const Value = (Array.isArray(value) ? value : [value]) as JsonValue[];
      return [keyOf(keyword), Value.length === 0 ? { vr } : { vr, Value }];
    }),
  );
}

export const codeOf = (code: string): DicomJson =>
  jsonOf({ CodeValue: code, CodingSchemeDesignator: "99TEST", CodeMeaning: code });

/** A work item with all that it must have, and what a test says of it. */
export function scheduledItem(more: Parameters<typeof jsonOf>[0] = {}): DicomJson {
  return jsonOf({
    ProcedureStepState: "SCHEDULED",
    ScheduledProcedureStepPriority: "MEDIUM",
    ProcedureStepLabel: "Segment the liver",
    InputReadinessState: "READY",
    ScheduledProcedureStepStartDateTime: "20260301083000",
    PatientName: { Alphabetic: "Doe^Jane" },
    PatientID: "P1",
    ...more,
  });
}

/** What completes one (PS3.4 Table CC.2.5-3, final state P). */
export const performed: DicomJson = jsonOf({
  UnifiedProcedureStepPerformedProcedureSequence: [
    jsonOf({
      PerformedStationNameCodeSequence: [codeOf("STATION1")],
      PerformedWorkitemCodeSequence: [codeOf("SEGMENT")],
      PerformedProcedureStepStartDateTime: "20260301090000",
      PerformedProcedureStepEndDateTime: "20260301091500",
      OutputInformationSequence: [],
    }),
  ],
});

export const claim = (state: string, transactionUid?: string): DicomJson =>
  jsonOf({ ProcedureStepState: state, ...(transactionUid !== undefined && { TransactionUID: transactionUid }) });

type Appended = Omit<AuditEntry, "at">;

/** Work items over records in memory; `again` opens them anew, as after a restart. */
export async function openWorkItems(
  rights: Parameters<typeof policyWhere>[0] = {},
  studies: Readonly<Record<string, StudyFacts>> = {},
) {
  const clock = createVirtualClock(Date.UTC(2026, 2, 1, 8));
  const entries: Appended[] = [];
  const audit = { append: async (entry: Appended) => entries.push(entry) } as Partial<AuditLog> as AuditLog;
  const policy = policyWhere({ [planner.id]: ["service"], [reader.id]: ["radiologist"], ...rights });
  const gate = createGate({ policy, audit, clock });
  const { vault } = await openVault();
  const store = createMemoryRecordStore();
  const records = createRecords({ store, vault });
  const again = () =>
    createWorkItems({
      ...{ records, gate, policy, clock, random: seededRandom(3), ownTitle: "LEADGLASS" },
      factsOfStudy: async (studyUid) => studies[studyUid],
    });
  return { items: again(), again, clock, entries, store };
}

/** What is told to who listens for a subscriber. */
export async function listenTo(items: WorkItems, ae: string, actor = reader) {
  const reports: EventReport[] = [];
  let ended = false;
  const listening = await items.listen(actor, ae, {
    send: (report) => reports.push(report),
    end() {
      ended = true;
    },
  });
  const firstOf = (report: EventReport, at: string) => report[at]?.Value?.[0];
  return {
    ...listening,
    reports,
    hasEnded: () => ended,
    /** Event types and states, and forgets them. */
    told: () =>
      reports.splice(0).map((report) => [firstOf(report, "00001002"), firstOf(report, keyOf("ProcedureStepState"))]),
  };
}
