import type { DicomJson } from "#formats/dicom";
import { itemsOf, keyOf, textAt } from "#radiology/schedule";
import { element, key, picked, progressOf, stateOf, upsPush } from "./attributes.ts";

/** What subscribers are told (PS3.4 Table CC.2.4-1), without the message's number, which each connection counts for itself. */
export type EventReport = DicomJson;

const eventType = { state: 1, cancelRequested: 2, progress: 3, scpStatus: 4, assigned: 5 } as const;

function reportOf(type: keyof typeof eventType, uid: string, attributes: DicomJson): EventReport {
  return {
    "00000002": element("UI", upsPush),
    "00001000": element("UI", uid),
    "00001002": element("US", eventType[type]),
    ...attributes,
  };
}

/** Where it stands, and why it ended so. */
export function stateReport(uid: string, attributes: DicomJson): EventReport {
  const why = stateOf(attributes) === "CANCELED" ? picked(progressOf(attributes), [key.reason, key.reasonCodes]) : {};
  return reportOf("state", uid, { ...picked(attributes, [key.readiness, key.state]), ...why });
}

export function cancelRequestedReport(uid: string, requestingAe: string, request: DicomJson): EventReport {
  const told = picked(request, [key.contactUri, key.contactName, key.reasonCodes, key.reason]);
  return reportOf("cancelRequested", uid, { ...told, [key.requestingAe]: element("AE", requestingAe) });
}

export function progressReport(uid: string, attributes: DicomJson): EventReport {
  return reportOf("progress", uid, { [key.progress]: attributes[key.progress] ?? element("SQ") });
}

/** Whose it is now: stations by their codes, people by theirs. */
export function assignedReport(uid: string, attributes: DicomJson): EventReport {
  const people = itemsOf(attributes[key.performers]);
  const codes = people.flatMap((person) => itemsOf(person[key.performerCode]));
  const organization = people.map((person) => textAt(person, key.performerOrganization)).find((text) => text !== "");
  return reportOf("assigned", uid, {
    ...picked(attributes, isAssigned(attributes, key.stations) ? [key.stations] : []),
    ...(codes.length > 0 && { [key.performerCode]: element("SQ", ...codes) }),
    ...(organization !== undefined && { [key.performerOrganization]: element("LO", organization) }),
  });
}

const isAssigned = (attributes: DicomJson, at: string) => itemsOf(attributes[at]).length > 0;

/** We were started anew; work items and subscriptions are what they were (§CC.2.4.3). */
export function restartedReport(uid: string): EventReport {
  return reportOf("scpStatus", uid, {
    [keyOf("SCPStatus")]: element("CS", "RESTARTED"),
    [keyOf("SubscriptionListStatus")]: element("CS", "WARM START"),
    [keyOf("UnifiedProcedureStepListStatus")]: element("CS", "WARM START"),
  });
}

/** What of a new work item is told to who follows all of them. */
export function creationReports(uid: string, attributes: DicomJson): EventReport[] {
  const assigned = [key.stations, key.performers].some((at) => isAssigned(attributes, at));
  return [stateReport(uid, attributes), ...(assigned ? [assignedReport(uid, attributes)] : [])];
}

/** What of a change is told (§CC.2.4.3). */
export function changeReports(uid: string, before: DicomJson, after: DicomJson): EventReport[] {
  const hasChanged = (...keys: string[]) => keys.some((at) => JSON.stringify(before[at]) !== JSON.stringify(after[at]));
  return [
    ...(hasChanged(key.state, key.readiness) ? [stateReport(uid, after)] : []),
    ...(hasChanged(key.stations, key.performers) ? [assignedReport(uid, after)] : []),
    ...(hasChanged(key.progress) && !hasChanged(key.state) ? [progressReport(uid, after)] : []),
  ];
}
