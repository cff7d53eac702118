import { tagOf } from "#formats/dicom";

/*
 * Table K.6-1 of PS3.4: the attributes of the modality worklist's information model. What is not in it is answered where a step has it,
 * and not matched by.
 */

const requestKeywords = `
  AccessionNumber IssuerOfAccessionNumberSequence RequestingPhysician RequestingPhysicianIdentificationSequence
  ReferringPhysicianName ReferringPhysicianIdentificationSequence ImagingServiceRequestComments RequestingService
  RequestingServiceCodeSequence IssueDateOfImagingServiceRequest IssueTimeOfImagingServiceRequest OrderEnteredBy OrderEntererLocation
  OrderCallbackPhoneNumber PlacerOrderNumberImagingServiceRequest FillerOrderNumberImagingServiceRequest
  OrderPlacerIdentifierSequence OrderFillerIdentifierSequence ReasonForTheImagingServiceRequest`;

const procedureKeywords = `
  RequestedProcedureID RequestedProcedureDescription RequestedProcedureCodeSequence StudyInstanceUID StudyDate StudyTime
  ReferencedStudySequence RequestedProcedurePriority PatientTransportArrangements ReasonForTheRequestedProcedure
  ReasonForRequestedProcedureCodeSequence RequestedProcedureComments RequestedProcedureLocation ConfidentialityCode ReportingPriority
  NamesOfIntendedRecipientsOfResults IntendedRecipientsOfResultsIdentificationSequence`;

const visitKeywords = `
  AdmissionID IssuerOfAdmissionIDSequence InstitutionName InstitutionAddress InstitutionCodeSequence CurrentPatientLocation
  VisitStatusID PatientInstitutionResidence VisitComments ReferencedPatientSequence AdmittingDate AdmittingTime
  AdmittingDiagnosesDescription AdmittingDiagnosesCodeSequence RouteOfAdmissions`;

const patientKeywords = `
  PatientName PatientID IssuerOfPatientID IssuerOfPatientIDQualifiersSequence OtherPatientIDs OtherPatientIDsSequence OtherPatientNames
  PatientBirthName PatientMotherBirthName PatientBirthDate PatientBirthTime PatientSex PatientAge PatientWeight PatientSize
  PatientAddress MilitaryRank BranchOfService CountryOfResidence RegionOfResidence PatientTelephoneNumbers Occupation EthnicGroup
  PatientReligiousPreference PatientPrimaryLanguageCodeSequence PatientComments ConfidentialityConstraintOnPatientDataDescription
  PatientState PregnancyStatus MedicalAlerts Allergies SpecialNeeds SmokingStatus AdditionalPatientHistory LastMenstrualDate
  PatientSexNeutered PatientSpeciesDescription PatientSpeciesCodeSequence PatientBreedDescription PatientBreedCodeSequence
  ResponsiblePerson ResponsiblePersonRole ResponsibleOrganization`;

const stepKeywords = `
  ScheduledStationAETitle ScheduledStationName ScheduledProcedureStepStartDate ScheduledProcedureStepStartTime
  ScheduledProcedureStepEndDate ScheduledProcedureStepEndTime Modality ScheduledPerformingPhysicianName
  ScheduledPerformingPhysicianIdentificationSequence ScheduledProcedureStepDescription ScheduledProtocolCodeSequence
  ScheduledProcedureStepID ScheduledProcedureStepStatus ScheduledProcedureStepLocation CommentsOnTheScheduledProcedureStep
  PreMedication RequestedContrastAgent AnatomicalOrientationType ScheduledSpecimenSequence`;

const tagsOf = (keywords: string): ReadonlySet<number> => new Set(keywords.trim().split(/\s+/).map(tagOf));

const itemTags = tagsOf(
  `SpecificCharacterSet TimezoneOffsetFromUTC ScheduledProcedureStepSequence ${requestKeywords} ${procedureKeywords} ${visitKeywords} ${patientKeywords}`,
);
const stepTags = tagsOf(stepKeywords);

/** Of type 1C: a step has a description or a code, and what it does not have is not there, not empty. */
const conditional = tagsOf(`
  RequestedProcedureDescription RequestedProcedureCodeSequence ScheduledProcedureStepDescription ScheduledProtocolCodeSequence`);

export function isConditional(tag: number): boolean {
  return conditional.has(tag);
}

/** Whether the information model has it, at the top of an item or in its Scheduled Procedure Step Sequence. */
export function isWorklistKey(tag: number, within: "item" | "step"): boolean {
  return (within === "item" ? itemTags : stepTags).has(tag);
}
