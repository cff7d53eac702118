import type { IndexBox } from "#trust/vault";
import { keyIn, keysAt, placeKey, type SearchKey } from "./matching.ts";
import type { IndexedValues, Level } from "./study-index.ts";

/** Keyed digest, 8 bytes, of one thing that can be asked of a study, as a string of one character a byte. */
export type Term = string;

/** Which terms a key of a study has. Lengths are in characters (code points). */
interface Shape {
  /** Equality: each text has a term, or shares one of so many (`shared`) with others. */
  readonly exact?: "own" | "shared";
  /** Beginnings of one to so many characters. */
  readonly prefixes?: number;
  /** Pieces of so many characters. */
  readonly pieces?: readonly number[];
  /** A date: its day and its month. */
  readonly calendar?: true;
}

const nameShape: Shape = { exact: "shared", prefixes: 6, pieces: [1, 2, 3] };
const idShape: Shape = { exact: "shared", prefixes: 8, pieces: [2, 3] };

const shapes: Readonly<Record<SearchKey, Shape>> = {
  "PatientName/alphabetic": nameShape,
  "PatientName/ideographic": nameShape,
  "PatientName/phonetic": nameShape,
  "ReferringPhysicianName/alphabetic": nameShape,
  "ReferringPhysicianName/ideographic": nameShape,
  "ReferringPhysicianName/phonetic": nameShape,
  PatientID: idShape,
  AccessionNumber: idShape,
  StudyID: idShape,
  IssuerOfPatientID: { exact: "own" },
  PatientSex: { exact: "own" },
  "StudyDescription/folded": { exact: "shared", prefixes: 4, pieces: [1, 2, 3] },
  Modality: { exact: "own" },
  "SeriesDescription/folded": { exact: "shared", prefixes: 4, pieces: [2, 3] },
  BodyPartExamined: { exact: "own", prefixes: 3, pieces: [3] },
  StationName: { exact: "own", prefixes: 4, pieces: [3] },
  ScheduledProcedureStepID: { exact: "shared", pieces: [2, 3] },
  RequestedProcedureID: { exact: "shared", pieces: [2, 3] },
  SeriesDate: { calendar: true },
  PerformedProcedureStepStartDate: { calendar: true },
  SOPClassUID: { exact: "own" },
  ContentDate: { calendar: true },
  [placeKey("facility")]: { exact: "own" },
  [placeKey("patient")]: { exact: "own" },
  [placeKey("order")]: { exact: "own" },
};

export const shapeOf = (key: SearchKey): Shape => shapes[key] ?? {};

const pieceLengthMost = 3;
/** More pieces than these narrow a search no further. */
const piecesAskedMost = 4;
const monthLength = 6;
const dayLength = 8;
export const calendarDate = /^\d{4}(0[1-9]|1[0-2])\d\d$/;
const rememberedMost = 16_384;

export interface Terms {
  /** The whole text. */
  exact(key: SearchKey, text: string): Term;
  /** A beginning as long as there are terms for. */
  prefix(key: SearchKey, text: string): Term;
  /** Some of its pieces, of the greatest length for which there are terms; none when it is too short. */
  pieces(key: SearchKey, text: string): Term[];
  day(key: SearchKey, text: string): Term;
  month(key: SearchKey, text: string): Term;
  /** Texts that are not eight digits with a month of a calendar. */
  odd(key: SearchKey): Term;
  /** All terms of one text under a key. */
  all(key: SearchKey, text: string): Term[];
}

/** `sharedTerms`: by how many terms all texts of a key with shared terms are told apart. */
export function createTerms(box: Pick<IndexBox, "digest">, sharedTerms: number): Terms {
  // The same pieces come again and again; a digest costs more than a look.
  const remembered = new Map<string, Term>();
  const termOf = (key: SearchKey, kind: string, text: string): Term => {
    const name = `${key} ${kind} ${text}`;
    const known = remembered.get(name);
    if (known !== undefined) return known;
    const term = box.digest(`term ${key} ${kind}`, text).toString("latin1", 0, 8);
    if (remembered.size >= rememberedMost) remembered.clear();
    remembered.set(name, term);
    return term;
  };
  const terms: Omit<Terms, "all"> = {
    exact(key, text) {
      if (shapeOf(key).exact !== "shared") return termOf(key, "exact", text);
      const share = box.digest(`share ${key}`, text).readUInt32BE(0) % sharedTerms;
      return box.digest(`term ${key} share`, String(share)).toString("latin1", 0, 8);
    },
    prefix: (key, text) => termOf(key, "prefix", beginning(text, shapeOf(key).prefixes ?? 0)),
    pieces(key, text) {
      const characters = [...text];
      const length = (shapeOf(key).pieces ?? []).findLast((one) => one <= characters.length);
      if (length === undefined) return [];
      const last = characters.length - length;
      const steps = Math.min(piecesAskedMost - 1, Math.ceil(last / length));
      const starts = Array.from({ length: steps + 1 }, (_, at) => (steps === 0 ? 0 : Math.round((at * last) / steps)));
      return [...new Set(starts)].map((at) => termOf(key, "piece", characters.slice(at, at + length).join("")));
    },
    day: (key, text) => termOf(key, "day", text.slice(0, dayLength)),
    month: (key, text) => termOf(key, "month", text.slice(0, monthLength)),
    odd: (key) => termOf(key, "odd", ""),
  };
  return {
    ...terms,
    all(key, text) {
      if (text === "") return [];
      const shape = shapeOf(key);
      const found = new Set<Term>();
      if (shape.exact !== undefined) found.add(terms.exact(key, text));
      if (shape.calendar === true) {
        found.add(terms.day(key, text)).add(terms.month(key, text));
        if (!calendarDate.test(text)) found.add(terms.odd(key));
      }
      const characters = [...text];
      for (let length = 1; length <= Math.min(shape.prefixes ?? 0, characters.length); length++) {
        found.add(termOf(key, "prefix", characters.slice(0, length).join("")));
      }
      for (const length of shape.pieces ?? []) {
        for (let at = 0; at + length <= characters.length; at++) {
          found.add(termOf(key, "piece", characters.slice(at, at + length).join("")));
        }
      }
      return [...found];
    },
  };
}

export function beginning(text: string, characters: number): string {
  return [...text.slice(0, 2 * characters)].slice(0, characters).join("");
}

/** Whether one term says all that a test for this text asks. */
export const isBeginningTerm = (key: SearchKey, text: string): boolean =>
  [...text].length <= (shapeOf(key).prefixes ?? 0);
export const isPieceTerm = (key: SearchKey, text: string): boolean =>
  (shapeOf(key).pieces ?? []).includes([...text.slice(0, 2 * pieceLengthMost + 1)].length);

/** What can be asked of a study by one level's values: texts under keys, in the form of `Terms.all`. */
export function termTexts(level: Level, values: IndexedValues): { readonly key: SearchKey; readonly text: string }[] {
  const found = keysAt(level).flatMap((key) => {
    const text = shapes[key] === undefined ? "" : String(keyIn(values, key));
    return text === "" ? [] : [{ key, text }];
  });
  // A study is asked for one of several modalities of a series.
  const modalities = level === "series" ? modalitiesIn(values) : [];
  return [...found, ...modalities.map((text) => ({ key: "Modality", text }))];
}

export const modalitiesIn = (values: IndexedValues): string[] =>
  String(keyIn(values, "Modality"))
    .split("\\")
    .filter((modality) => modality !== "");
