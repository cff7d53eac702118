// Where two archives with the same corpus answer otherwise, and who is right: all of it, neither more nor less, a test sees to it.

interface Explanation {
  readonly what: string;
  readonly right: "Leadglass" | "Leadglass finds more" | "Orthanc, by the letter" | "both";
  /** With the paragraph. */
  readonly why: string;
  /** The question, an arrow, what differs. */
  readonly differences: readonly string[];
}

/** Beside Orthanc 1.10.1 with its DICOMweb plugin 1.7, as Debian 12 has them, set to UTF-8. */
export const explanations: readonly Explanation[] = [
  {
    what: "Latin letters match without their accents",
    right: "Leadglass finds more",
    why: "PS3.4 §C.2.2.2.1 lets an archive match names so; a person who types without accents finds whom is meant",
    differences: [
      "STUDY PatientName=muller* => only here: mueller-ct mueller-mr",
      "/studies?PatientName=muller* => only here: mueller-ct mueller-mr",
    ],
  },
  {
    what: "A name with one component group is looked for in each of the three, and `=` before a group looks in that group alone",
    right: "Leadglass",
    why: "PS3.4 §C.2.2.2.1.1, PS3.5 §6.2.1",
    differences: [
      "STUDY PatientName=山田* => only here: yamada-mr",
      "STUDY PatientName==山田* => only here: yamada-mr",
    ],
  },
  {
    what: "A name that was sent with empty components behind it is the same name",
    right: "Leadglass",
    why: "PS3.5 §6.2.1.1: delimiters behind the last component that is there may be left out",
    differences: [
      "STUDY PatientName=DOE^JOHN => only here: doe-xa",
      "/studies?PatientName=DOE^JOHN => only here: doe-xa",
    ],
  },
  {
    what: "A range does not match what has no date or time at all; Orthanc takes an empty value as before every other",
    right: "Leadglass",
    why: "PS3.4 §C.2.2.2.5: occurrences of dates before and including the end",
    differences: [
      "STUDY PatientBirthDate=-19500101 => only there: doe-dx nobody-us",
      "STUDY StudyDate=-20240101 => only there: nobody-us",
      "STUDY StudyTime=-0900 => only there: nobody-us",
      "/studies?PatientBirthDate=-19500101 => only there: doe-dx nobody-us",
      "/studies?StudyDate=-20240101 => only there: nobody-us",
      "/studies?StudyTime=-0900 => only there: nobody-us",
    ],
  },
  {
    what: "A time of less precision stands for the whole minute, hour or second",
    right: "Leadglass finds more",
    why: "PS3.5 §6.2 TM; consoles ask so",
    differences: [
      "STUDY StudyTime=1015 => only here: mueller-ct",
      "STUDY StudyTime=10 => only here: mueller-ct",
      "STUDY StudyTime=235959 => only here: mueller-mr",
      "/studies?StudyTime=1015 => only here: mueller-ct",
      "/studies?StudyTime=10 => only here: mueller-ct",
      "/studies?StudyTime=235959 => only here: mueller-mr",
    ],
  },
  {
    what: "Descriptions match wildcards without case and accents",
    right: "Orthanc, by the letter",
    why: "PS3.4 §C.2.2.2.4 matches them with case; viewers send what a person typed between asterisks, so more is found here",
    differences: [
      "STUDY StudyDescription=*BRAIN* => only here: berg-mr mueller-mr yamada-mr",
      "STUDY StudyDescription=*schadel => only here: mueller-ct",
      "SERIES StudyInstanceUID={roe-two} & SeriesDescription=*1 MM => only here: roe-two/1 roe-two/2",
      "/studies?StudyDescription=*schadel => only here: mueller-ct",
    ],
  },
  {
    what: "An IS is compared as a number",
    right: "both",
    why: "PS3.4 §C.2.2.2.1 leaves it to the server whether 02 is 2 (CP-2305)",
    differences: ["SERIES StudyInstanceUID={roe-two} & SeriesNumber=02 => only here: roe-two/2"],
  },
  {
    what: "A query without the unique key above its level is refused where relational queries were not negotiated",
    right: "Leadglass",
    why: "PS3.4 §C.4.1.2.1, §C.4.1.3.1.1; Orthanc negotiates nothing and answers",
    differences: ["SERIES Modality=CT => refused here"],
  },
  {
    what: "Orthanc's plugin finds nothing by a value with a character that is percent-encoded in the URL: a space, a letter outside ASCII",
    right: "Leadglass",
    why: "RFC 3986 §2.1, PS3.18 §8.3.1",
    differences: [
      "/studies?PatientName=Müller^Jane => only here: mueller-ct mueller-mr",
      "/studies?PatientName=MÜLLER^JANE => only here: mueller-ct mueller-mr",
      "/studies?PatientName=Mül* => only here: mueller-ct mueller-mr",
      "/studies?PatientName=山田* => only here: yamada-mr",
      "/studies?PatientName=*やまだ* => only here: yamada-mr",
      "/studies?PatientName=Yamada^Tarou=山田^太郎=やまだ^たろう => only here: yamada-mr",
      "/studies?PatientName==山田* => only here: yamada-mr",
      "/studies?PatientName=Пет* => only here: petrov-ct",
      "/studies?PatientName=петров^иван => only here: petrov-ct",
      "/studies?PatientName=van der* => only here: berg-mr",
      "/studies?StudyDescription=MR brain => only here: yamada-mr",
      "/studies?StudyDescription=*Schädel => only here: mueller-ct",
      "/studies?StudyDescription=КТ => only here: petrov-ct",
    ],
  },
  {
    what: "A list in a URL may have backslashes between its values, as in DIMSE",
    right: "Leadglass finds more",
    why: "PS3.18 §8.3.4.1 has commas; OHIF sends backslashes",
    differences: [
      "/studies?StudyInstanceUID={mueller-ct}\\{doe-dx} => only here: doe-dx mueller-ct",
      "/studies?ModalitiesInStudy=CT\\DX => only here: doe-dx mueller-ct petrov-ct roe-two",
    ],
  },
  {
    what: "Orthanc's plugin compares identifiers and codes without case unless it is set to `QidoCaseSensitive`",
    right: "Leadglass",
    why: "PS3.4 §C.2.2.2.1: exactly the value, but for names",
    differences: [
      "/studies?PatientID=P1 => only there: berg-mr",
      "/studies?PatientID=p1 => only there: mueller-ct mueller-mr",
      "/studies?PatientID=P* => only there: berg-mr",
      "/studies?PatientID=P? => only there: berg-mr",
      "/studies?PatientID=P1* => only there: berg-mr",
      "/studies?PatientSex=f => only there: doe-dx mueller-ct mueller-mr",
      "/studies?AccessionNumber=a1 => only there: doe-dx mueller-ct",
    ],
  },
  {
    what: "With `fuzzymatching` the words of a name are looked for in any order; Orthanc ignores it",
    right: "both",
    why: "PS3.18 §8.3.4.2: how names are matched is the server's",
    differences: [
      "/studies?PatientName=Mul*&fuzzymatching=true => only here: mueller-ct mueller-mr",
      "/studies?PatientName=jane&fuzzymatching=true => only here: doe-dx mueller-ct mueller-mr",
    ],
  },
  {
    what: "The newest study comes first here, the one that came first there; a page is another one",
    right: "both",
    why: "PS3.18 §8.3.4.4 asks for an order that stays, not for which",
    differences: [
      "/studies?limit=3 => only here: petrov-ct yamada-mr",
      "/studies?limit=3 => only there: doe-dx doe-xa",
      "/studies?limit=100&offset=4 => only here: doe-dx doe-xa",
      "/studies?limit=100&offset=4 => only there: mueller-mr petrov-ct",
      "/studies?ModalitiesInStudy=MR&limit=1&offset=1 => only here: yamada-mr",
      "/studies/{roe-two}/series?limit=1 => only here: roe-two/1",
      "/studies/{roe-two}/series?limit=1 => only there: roe-two/2",
      "/instances?limit=5 => only here: berg-mr/1/1 berg-mr/1/2 petrov-ct/1/1 petrov-ct/1/2 yamada-mr/1/1",
      "/instances?limit=5 => only there: mueller-ct/1/1 mueller-ct/1/2 mueller-mr/1/1 mueller-mr/1/2 roe-two/1/1",
    ],
  },
  {
    what: "SOP Classes in Study comes when it is included",
    right: "Leadglass",
    why: "PS3.18 §8.3.4.3; Orthanc leaves it out in QIDO-RS and has it in C-FIND",
    differences: [
      '/studies?PatientID=P2&includefield=SOPClassesInStudy&includefield=NumberOfPatientRelatedStudies => SOPClassesInStudy of roe-two: "1.2.840.10008.5.1.4.1.1.1.1\\1.2.840.10008.5.1.4.1.1.2" here, "" there',
    ],
  },
  {
    what: "A key that is not searched by is ignored, and a warning says so; Orthanc reads an instance of each study for it",
    right: "both",
    why: "PS3.18 §8.3.4.1: what the server does not support it ignores, with status 200",
    differences: [
      "/studies?InstitutionName=Elsewhere => only here: berg-mr doe-dx doe-xa mueller-ct mueller-mr nobody-us petrov-ct roe-two yamada-mr",
    ],
  },
  {
    what: "A key of a lower level is ignored, and a warning says so; Orthanc finds nothing by it",
    right: "Leadglass",
    why: "PS3.18 Table 10.6.1-5: a study is matched by attributes of studies",
    differences: [
      "/studies?Modality=CT => only here: berg-mr doe-dx doe-xa mueller-ct mueller-mr nobody-us petrov-ct roe-two yamada-mr",
    ],
  },
  {
    what: "A value that is no date is refused; Orthanc looks for it and finds none",
    right: "Leadglass",
    why: "PS3.18 §8.3.1: 400 for a value that cannot be read",
    differences: ["/studies?StudyDate=2024-03-01 => refused here"],
  },
  {
    what: "A key in a sequence is matched by; Orthanc ignores it and answers with everything",
    right: "Leadglass",
    why: "PS3.18 §8.3.4.1, Table 10.6.1-5",
    differences: [
      "/series?RequestAttributesSequence.ScheduledProcedureStepID=SPS1 => only there: berg-mr/1 doe-dx/1 doe-xa/1 mueller-mr/1 nobody-us/1 petrov-ct/1 roe-two/1 roe-two/2 yamada-mr/1",
    ],
  },
];

/** The same as rows of a table, its head first. */
export const comparison = (): readonly (readonly string[])[] => [
  ["what differs", "who is right", "why", "asked"],
  ...explanations.map(({ what, right, why, differences }) => [what, right, why, askedIn(differences)]),
];

/** The questions, each once. */
function askedIn(differences: readonly string[]): string {
  const questions = new Set(differences.map((line) => line.split(" => ")[0] ?? ""));
  return [...questions].map((question) => `\`${question}\``).join(", ");
}
