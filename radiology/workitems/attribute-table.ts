import { keyOf } from "#radiology/schedule";

/** When an attribute must have a value before a work item ends (PS3.4 Table CC.2.5-1). RC depends on what only its performer knows. */
export type FinalState = "R" | "P" | "X" | "O" | "RC";

/**
 * A requirement of who sends: type 1 there with a value, 2 there, 3 left out or there, C on a condition; and of what is kept, 1 always with a
 * value. `empty`: there without a value. `-`: not by them.
 */
export type Requirement = `${1 | 2 | 3}/${1 | 2 | 3}` | "empty" | "-";

export interface AttributeRule {
  readonly keyword: string;
  readonly at: string;
  readonly create: Requirement;
  readonly set: Requirement;
  readonly final: FinalState;
  /** Of the items of a sequence. */
  readonly items: readonly AttributeRule[];
}

/*
 * PS3.4 Table CC.2.5-3: attribute, N-CREATE, N-SET, final state; `>` as there. What a condition asks for (1C, 2C) is taken as 3: the
 * conditions are known to who sends. All else of the IOD is 3/3 and O. The outputs of a step may be none (remark in the table), so they are O
 * here. SOP Class and Instance UID, the state and the time of modification are set by us.
 */
const table = `
  TransactionUID                                        empty -    O
  ScheduledProcedureStepPriority                        1/1   3/1  R
  ProcedureStepLabel                                    1/1   3/1  R
  WorklistLabel                                         2/1   3/1  O
  ScheduledProcessingParametersSequence                 2/2   3/2  O
  ScheduledStationNameCodeSequence                      2/2   3/2  O
  ScheduledStationClassCodeSequence                     2/2   3/2  O
  ScheduledStationGeographicLocationCodeSequence        2/2   3/2  O
  ScheduledHumanPerformersSequence                      3/2   3/2  O
  >HumanPerformerCodeSequence                           1/1   1/1  O
  >HumanPerformerName                                   1/1   1/1  O
  >HumanPerformerOrganization                           1/1   1/1  O
  ScheduledProcedureStepStartDateTime                   1/1   3/1  R
  ExpectedCompletionDateTime                            3/1   3/1  O
  ScheduledProcedureStepExpirationDateTime              3/3   3/3  O
  ScheduledWorkitemCodeSequence                         2/2   3/1  O
  CommentsOnTheScheduledProcedureStep                   2/2   3/1  O
  InputReadinessState                                   1/1   3/1  R
  InputInformationSequence                              2/2   3/2  O
  StudyInstanceUID                                      3/2   3/2  O
  PatientName                                           2/2   -    O
  PatientID                                             3/2   -    O
  IssuerOfPatientID                                     3/2   -    O
  IssuerOfPatientIDQualifiersSequence                   3/2   -    O
  OtherPatientIDsSequence                               2/2   3/3  O
  PatientBirthDate                                      2/2   -    O
  PatientSex                                            2/2   -    O
  AdmissionID                                           2/2   -    O
  IssuerOfAdmissionIDSequence                           2/2   -    O
  AdmittingDiagnosesDescription                         2/2   -    O
  AdmittingDiagnosesCodeSequence                        2/2   -    O
  ReferencedRequestSequence                             2/2   -    O
  >StudyInstanceUID                                     1/1   -    O
  ReplacedProcedureStepSequence                         3/1   -    O
  >ReferencedSOPClassUID                                1/1   -    O
  >ReferencedSOPInstanceUID                             1/1   -    O
  MedicalAlerts                                         3/2   3/2  O
  PregnancyStatus                                       3/2   3/2  O
  SpecialNeeds                                          3/2   3/2  O
  ProcedureStepState                                    1/1   -    R
  ProcedureStepProgressInformationSequence              empty 3/2  X
  >ProcedureStepProgress                                -     3/1  O
  >ProcedureStepProgressDescription                     -     3/1  O
  >ProcedureStepProgressParametersSequence              -     3/3  O
  >ProcedureStepCommunicationsURISequence               -     3/1  O
  >>ContactURI                                          -     1/1  O
  >>ContactDisplayName                                  -     3/1  O
  >ProcedureStepCancellationDateTime                    -     3/1  X
  >ReasonForCancellation                                -     3/1  O
  >ProcedureStepDiscontinuationReasonCodeSequence       -     3/1  X
  UnifiedProcedureStepPerformedProcedureSequence        empty 3/2  P
  >ActualHumanPerformersSequence                        -     3/1  RC
  >>HumanPerformerCodeSequence                          -     3/1  RC
  >>HumanPerformerName                                  -     3/1  RC
  >>HumanPerformerOrganization                          -     3/1  O
  >PerformedStationNameCodeSequence                     -     3/2  P
  >PerformedStationClassCodeSequence                    -     3/2  O
  >PerformedStationGeographicLocationCodeSequence       -     3/2  O
  >PerformedProcedureStepStartDateTime                  -     3/1  P
  >PerformedProcedureStepDescription                    -     3/1  O
  >CommentsOnThePerformedProcedureStep                  -     3/1  O
  >PerformedWorkitemCodeSequence                        -     3/1  P
  >PerformedProcessingParametersSequence                -     3/1  O
  >PerformedProcedureStepEndDateTime                    -     3/1  P
  >OutputInformationSequence                            -     2/2  O`;

export const attributeRules: readonly AttributeRule[] = read(table);

function read(text: string): AttributeRule[] {
  const top: AttributeRule[] = [];
  const open: AttributeRule[][] = [top];
  for (const line of text.trim().split("\n")) {
    const [name = "", create, set, final] = line.trim().split(/\s+/);
    const keyword = name.replace(/^>+/, "");
    const depth = name.length - keyword.length;
    const items: AttributeRule[] = [];
    const rule = { keyword, at: keyOf(keyword), create, set, final, items } as AttributeRule;
    open[depth]?.push(rule);
    open[depth + 1] = items;
  }
  return top;
}

/** PS3.3 §C.30.1 and §C.30.2: the values that there are. */
export const enumerations: Readonly<Record<string, readonly string[]>> = {
  ScheduledProcedureStepPriority: ["HIGH", "MEDIUM", "LOW"],
  InputReadinessState: ["INCOMPLETE", "UNAVAILABLE", "READY"],
};

/** Return keys of type 1 and 2 in the same table, and those of type 1C that an item has: what a search always answers. */
export const returnKeys: readonly string[] = `
  SpecificCharacterSet SOPClassUID SOPInstanceUID ScheduledProcedureStepPriority ScheduledProcedureStepModificationDateTime
  ProcedureStepLabel WorklistLabel ScheduledStationNameCodeSequence ScheduledStationClassCodeSequence
  ScheduledStationGeographicLocationCodeSequence ScheduledHumanPerformersSequence ScheduledProcedureStepStartDateTime
  ExpectedCompletionDateTime ScheduledWorkitemCodeSequence InputReadinessState StudyInstanceUID PatientName PatientID IssuerOfPatientID
  IssuerOfPatientIDQualifiersSequence OtherPatientIDsSequence PatientBirthDate PatientSex AdmissionID IssuerOfAdmissionIDSequence
  AdmittingDiagnosesDescription AdmittingDiagnosesCodeSequence ReferencedRequestSequence ReplacedProcedureStepSequence
  ProcedureStepState ProcedureStepProgressInformationSequence`
  .trim()
  .split(/\s+/)
  .map(keyOf);
