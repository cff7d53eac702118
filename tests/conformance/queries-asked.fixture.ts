// What two archives are asked, as lines: keys × kinds of matching (PS3.4 §C.2.2.2). `{mueller-ct}` stands for the UID of what the corpus calls so.

/** Of a key, each value that is asked for. */
type Values = Readonly<Record<string, readonly string[]>>;

const eachOf = (values: Values, question: (key: string, value: string) => string): string[] =>
  Object.entries(values).flatMap(([key, given]) => given.map((value) => question(key, value)));

const names = ["Müller^Jane", "MÜLLER^JANE", "muller*", "Mül*", "*jane", "D?E^*", "Roe^Richard", "Roe", "*^Richard^*"];
const otherGroups = [
  "Yamada*",
  "山田*",
  "*やまだ*",
  "Yamada^Tarou=山田^太郎=やまだ^たろう",
  "=山田*",
  "Пет*",
  "петров^иван",
];

/** Asked of studies in both ways. */
const ofStudies: Values = {
  PatientName: [...names, ...otherGroups, "van der*", "DOE^JOHN", "*", "?*", "nobody"],
  PatientID: ["P1", "p1", "P*", "P?", "*1", "P1*", "nobody"],
  PatientSex: ["F", "f", "O"],
  PatientBirthDate: ["19700102", "19591231-19700102", "-19500101", "19900101-"],
  StudyDate: ["20240301", "20240101-20240301", "20240302-", "-20240101", "20230101-20231231", "20990101"],
  StudyTime: ["101500", "1015", "10", "235959", "0800-0801", "180000-", "-0900", "0915"],
  AccessionNumber: ["A1", "a1", "A?", "A1*", "*", "B-1"],
  StudyDescription: ["MR brain", "mr brain", "*BRAIN*", "*Schädel", "*schadel", "КТ"],
  ReferringPhysicianName: ["House^Gregory", "house*"],
  StudyID: ["S1", "S?"],
  ModalitiesInStudy: ["CT", "DX", "MR", "C*", "PT"],
};

const dimseStudies = [
  ...eachOf(ofStudies, (key, value) => `STUDY ${key}=${value}`),
  "STUDY",
  "STUDY ModalitiesInStudy=CT\\DX",
  "STUDY StudyInstanceUID={mueller-ct}",
  "STUDY StudyInstanceUID={mueller-ct}\\{doe-dx}\\1.2.3",
  "STUDY StudyInstanceUID=1.2.3",
  "STUDY StudyDate=20240301 & StudyTime=0900-1000",
  "STUDY PatientID=P1 & StudyDate=20240201-",
  "STUDY SOPClassesInStudy=",
  "STUDY NumberOfStudyRelatedSeries= & NumberOfStudyRelatedInstances=",
  "STUDY InstitutionName=Phantom Hospital",
];

const dimseBelow = [
  "PATIENT",
  "PATIENT PatientName=*jane*",
  "PATIENT PatientID=P1",
  "PATIENT PatientBirthDate=19400229 & PatientSex=M",
  "PATIENT NumberOfPatientRelatedStudies= & NumberOfPatientRelatedSeries= & NumberOfPatientRelatedInstances=",
  "patient root STUDY PatientID=P1 & StudyDate=20240101-",
  "SERIES StudyInstanceUID={roe-two}",
  "SERIES StudyInstanceUID={roe-two} & Modality=DX",
  "SERIES StudyInstanceUID={roe-two} & Modality=dx",
  "SERIES StudyInstanceUID={roe-two} & SeriesNumber=2",
  "SERIES StudyInstanceUID={roe-two} & SeriesNumber=02",
  "SERIES StudyInstanceUID={roe-two} & SeriesDescription=*1 MM",
  "SERIES StudyInstanceUID={roe-two} & SeriesInstanceUID={roe-two/1}\\{roe-two/2}",
  "SERIES StudyInstanceUID={mueller-ct} & BodyPartExamined=HE?D",
  "SERIES StudyInstanceUID={mueller-ct} & StationName=CT-ONE & NumberOfSeriesRelatedInstances=",
  "SERIES StudyInstanceUID={mueller-ct} & SeriesDate=20250101-",
  "SERIES StudyInstanceUID={doe-dx} & PerformedProcedureStepStartDate=20240229 & PerformedProcedureStepStartTime=1100-1200",
  "SERIES StudyInstanceUID={mueller-ct} & Manufacturer=",
  "SERIES Modality=CT",
  "relational SERIES Modality=CT",
  "relational SERIES PatientName=*jane* & Modality=",
  "IMAGE StudyInstanceUID={mueller-ct} & SeriesInstanceUID={mueller-ct/1}",
  "IMAGE StudyInstanceUID={mueller-ct} & SeriesInstanceUID={mueller-ct/1} & InstanceNumber=2",
  "IMAGE StudyInstanceUID={mueller-ct} & SeriesInstanceUID={mueller-ct/1} & SOPInstanceUID={mueller-ct/1/1}",
  "IMAGE StudyInstanceUID={mueller-ct} & SeriesInstanceUID={mueller-ct/1} & Rows= & ImageType=",
  "IMAGE StudyInstanceUID={mueller-ct} & SeriesInstanceUID={mueller-ct/1} & SOPClassUID=1.2.840.10008.5.1.4.1.1.2",
  "relational IMAGE SOPInstanceUID={doe-dx/1/1}",
];

const qidoStudies = [
  ...eachOf(ofStudies, (key, value) => `/studies?${key}=${value}`),
  "/studies",
  "/studies?00100020=P2",
  "/studies?00100020=P2&includefield=00081030",
  "/studies?PatientID=P2&includefield=StudyDescription,00081032",
  "/studies?PatientID=P2&includefield=SOPClassesInStudy&includefield=NumberOfPatientRelatedStudies",
  "/studies?PatientID=P2&includefield=all",
  "/studies?PatientName=Mul*&fuzzymatching=true",
  "/studies?PatientName=jane&fuzzymatching=true",
  "/studies?StudyInstanceUID={mueller-ct}",
  "/studies?StudyInstanceUID={mueller-ct},{doe-dx}",
  "/studies?StudyInstanceUID={mueller-ct}\\{doe-dx}",
  "/studies?ModalitiesInStudy=CT,DX",
  "/studies?ModalitiesInStudy=CT\\DX",
  "/studies?StudyDate=20240301&StudyTime=0900-1000",
  "/studies?limit=3",
  "/studies?limit=100&offset=4",
  "/studies?offset=100",
  "/studies?ModalitiesInStudy=MR&limit=1&offset=1",
  "/studies?unknown=1",
  "/studies?00091001=1",
  "/studies?InstitutionName=Elsewhere",
  "/studies?Modality=CT",
  "/studies?StudyDate=2024-03-01",
];

const qidoBelow = [
  "/series",
  "/series?Modality=CT",
  "/series?PatientName=Roe*&Modality=DX",
  "/series?SeriesInstanceUID={roe-two/1}",
  "/series?RequestAttributesSequence.ScheduledProcedureStepID=SPS1",
  "/series?SeriesDescription=*mm",
  "/studies/{roe-two}/series",
  "/studies/{roe-two}/series?Modality=DX",
  "/studies/{roe-two}/series?SeriesNumber=2&includefield=BodyPartExamined",
  "/studies/{roe-two}/series?includefield=Manufacturer,StationName",
  "/studies/{roe-two}/series?limit=1",
  "/studies/1.2.3/series",
  "/studies/{mueller-ct}/instances",
  "/studies/{mueller-ct}/instances?InstanceNumber=2",
  "/studies/{roe-two}/instances?Modality=DX",
  "/studies/{mueller-ct}/series/{mueller-ct/1}/instances",
  "/studies/{mueller-ct}/series/{mueller-ct/1}/instances?includefield=00280030,WindowCenter",
  "/studies/{mueller-ct}/series/{roe-two/1}/instances",
  "/instances?SOPInstanceUID={doe-dx/1/1}",
  "/instances?SOPClassUID=1.2.840.10008.5.1.4.1.1.4&StudyDate=20240301",
  "/instances?limit=5",
];

/** C-FIND: the model where it is not Study Root, the level, keys. */
export const dimseQuestions: readonly string[] = [...dimseStudies, ...dimseBelow];
/** QIDO-RS: path and query, as a person reads it. */
export const qidoQuestions: readonly string[] = [...qidoStudies, ...qidoBelow];
