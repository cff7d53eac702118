import { matchesPattern, patternOf } from "#formats/dicom";

/**
 * Defined terms of Modality (PS3.3 §C.7.3.1.1.1), retired ones at the end. The list is open to other terms, but the index shows
 * modalities in the clear: what is none of these may be anybody's name.
 */
const definedTerms: ReadonlySet<string> = new Set(
  `ANN AR ASMT AU BDUS BI BMD CFM CR CT CTPROTOCOL DG DMS DOC DX ECG EEG EMG EOG EPS ES FID GM HC HD IO IOL IVOCT IVUS KER KO LEN LP LS
   M3D MG MR NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD
   RTRECORD RTSEGANN RTSTRUCT RWV SC SEG SM SMR SR SRF STAIN TEXTUREMAP TG US VA VFE XA XAPROTOCOL XC
   AS CD CF CP CS DD DF DM DS EC FA FS MA MS OPR ST VF`.split(/\s+/),
);

const other = "OT";

/** The modality, or modalities, as lists and searches have them: other terms than the defined ones are "other". */
export function shownModality(text: string): string {
  const terms = text.split("\\").map((term) => (definedTerms.has(term) ? term : other));
  return [...new Set(terms)].join("\\");
}

/** The terms that a wildcard stands for (PS3.4 §C.2.2.2.4); itself where it stands for none, which no instance has. */
export function modalitiesLike(value: string): readonly string[] {
  if (!/[*?]/.test(value)) return [value];
  const parts = patternOf(value);
  const terms = [...definedTerms].filter((term) => matchesPattern(parts, term));
  return terms.length === 0 ? [value] : terms;
}
