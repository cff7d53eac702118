/*
 * What fields are called (v2.5.1, chapters 2, 3, 4, 7, 10 and 15), of the segments that come and go here; from field 1 on, "" for one that is
 * rarely seen.
 */

const fields = (names: string): readonly string[] => names.split(",");

const names: ReadonlyMap<string, readonly string[]> = new Map([
  [
    "MSH",
    fields(
      "Field separator,Encoding characters,Sending application,Sending facility,Receiving application,Receiving facility,Time of message,Security,Message type,Control ID,Processing ID,Version,Sequence number,Continuation pointer,Accept acknowledgment,Application acknowledgment,Country,Character set,Language",
    ),
  ],
  ["EVN", fields("Event type,Recorded,Planned,Reason,Operator,Occurred,Facility")],
  [
    "PID",
    fields(
      "Set ID,Patient ID,Identifiers,Alternate ID,Name,Mother's maiden name,Born,Sex,Alias,Race,Address,County,Home phone,Business phone,Language,Marital status,Religion,Account number,Social security number",
    ),
  ],
  ["MRG", fields("Prior identifiers,Prior alternate ID,Prior account number,Prior patient ID,,,Prior name")],
  [
    "PV1",
    fields(
      "Set ID,Patient class,Location,Admission type,Preadmit number,Prior location,Attending doctor,Referring doctor,Consulting doctor,Hospital service,,,,,Ambulatory status,,Admitting doctor,Patient type,Visit number",
    ),
  ],
  [
    "ORC",
    fields(
      "Order control,Placer order number,Filler order number,Placer group number,Order status,Response flag,Quantity and timing,Parent,Time of transaction,Entered by,Verified by,Ordering provider,Enterer's location,Call back phone,Effective,Control code reason,Entering organization",
    ),
  ],
  [
    "OBR",
    fields(
      "Set ID,Placer order number,Filler order number,Service,Priority,Requested,Observed,Observation end,Collection volume,Collector,Specimen action,Danger code,Clinical information,Specimen received,Specimen source,Ordering provider,Call back phone,Placer field 1 (accession number),Placer field 2 (requested procedure),Filler field 1 (scheduled step),Filler field 2,Status changed,Charge,Section (modality),Result status,Parent result,Quantity and timing,Copies to,Parent,Transport,Reason for study,Principal interpreter,Assistant interpreter,Technician,Transcriptionist,Scheduled",
    ),
  ],
  [
    "OBX",
    fields(
      "Set ID,Value type,Observation,Sub-ID,Value,Units,Reference range,Abnormal flags,Probability,Nature of test,Status,Effective,User access checks,Observed,Producer,Responsible observer,Method",
    ),
  ],
  ["NTE", fields("Set ID,Source,Comment,Type")],
  ["MSA", fields("Code,Control ID,Text,Expected sequence number,,Error condition")],
  ["ERR", fields("Code and location,Location,Code,Severity,Application code,Parameter,Diagnostics,User message")],
  [
    "SCH",
    fields(
      "Placer appointment,Filler appointment,Occurrence,Placer group,Schedule,Event reason,Appointment reason,Type,Duration,Duration units,Timing,,,,,,,,,,,,,,Filler status,Placer order number,Filler order number",
    ),
  ],
  ["RGS", fields("Set ID,Action,Resource group")],
  ["AIS", fields("Set ID,Action,Service,Start,Offset,Offset units,Duration,Duration units,Substitution,Filler status")],
  ["AIG", fields("Set ID,Action,Resource,Resource type,Group,Quantity,,Start")],
  ["AIL", fields("Set ID,Action,Location,Location type,Group,Start")],
  ["AIP", fields("Set ID,Action,Personnel,Role,Group,Start")],
  ["TQ1", fields("Set ID,Quantity,Repeat pattern,Explicit time,Interval,Service duration,Start,End,Priority")],
  [
    "IPC",
    fields(
      "Accession number,Requested procedure ID,Study Instance UID,Scheduled step ID,Modality,Protocol,Station name,Location,Station AE title",
    ),
  ],
  ["ZDS", fields("Study Instance UID")],
]);

/** Empty for one that has no name here. */
export function fieldName(segment: string, field: number): string {
  return names.get(segment)?.[field - 1] ?? "";
}
