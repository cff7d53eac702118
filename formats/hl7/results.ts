import { usualDelimiters } from "./delimiters.ts";
import type { Message, Segment } from "./message.ts";
import {
  type Code,
  codeField,
  componentsOf,
  type Envelope,
  messageOf,
  nameField,
  type OutgoingPatient,
  patientSegment,
  segmentOf,
} from "./outgoing.ts";
import type { PersonName } from "./values.ts";

/** A report as it is told to systems outside, whoever wrote it. Empty: not known. */
export interface Report {
  readonly patient: OutgoingPatient;
  readonly placer: string;
  readonly filler: string;
  readonly accessionNumber: string;
  readonly procedure: Code;
  readonly studyUid: string;
  /** Of the document. */
  readonly documentUid: string;
  /** When it was observed, and when the report came to stand so: `YYYYMMDD[HHMM[SS]]`. */
  readonly observedAt: string;
  readonly reportedAt: string;
  /** `preliminary` until somebody answers for it; `corrected` takes the place of one that was final. */
  readonly status: "final" | "preliminary" | "corrected";
  readonly interpreters: readonly PersonName[];
  readonly items: readonly ReportItem[];
}

/** One thing that a report says, and what about. */
export interface ReportItem {
  readonly concept: Code;
  readonly value:
    | { readonly kind: "text"; readonly text: string }
    | { readonly kind: "number"; readonly number: string; readonly units: Code }
    | { readonly kind: "code"; readonly code: Code };
}

/** OBR-25 and OBX-11 (tables 0123 and 0085). */
const statusCodes: Readonly<Record<Report["status"], string>> = { final: "F", preliminary: "P", corrected: "C" };

/** Of one OBX: receivers take 64 KiB of a TX at most (v2.5.1 §2A.79), some much less. */
const textMax = 16_000;

/** ORU^R01: each item of a report is an OBX with the code of what it is about, the study and the document stand before them. */
export function resultMessage(report: Report, envelope: Envelope): Message {
  const status = statusCodes[report.status];
  const [placer, filler] = [componentsOf(report.placer), componentsOf(report.filler)];
  const named = report.interpreters.map((name) => nameField(name, [""])).join(usualDelimiters.repetition);
  const observed: Observed[] = [
    ...uidItem({ code: "113014", meaning: "DICOM Study", scheme: "DCM" }, report.studyUid),
    ...uidItem({ code: "", meaning: "SR Instance UID", scheme: "" }, report.documentUid),
    ...report.items.flatMap(observedOf),
  ];
  const seen = new Map<string, number>();
  const observations = observed.map(({ type, concept, value, units }, at): Segment => {
    const about = codeField(concept);
    const nth = (seen.get(about) ?? 0) + 1;
    seen.set(about, nth);
    const fields = { 1: String(at + 1), 2: type, 3: about, 4: String(nth), 5: value, 6: units, 11: status };
    return segmentOf("OBX", { ...fields, 14: report.observedAt });
  });
  return messageOf(
    envelope,
    ["ORU", "R01", "ORU_R01"],
    [
      patientSegment(report.patient),
      ...(placer === "" && filler === "" ? [] : [segmentOf("ORC", { 1: "RE", 2: placer, 3: filler })]),
      segmentOf("OBR", {
        1: "1",
        2: placer,
        3: filler,
        4: codeField(report.procedure),
        7: report.observedAt,
        18: componentsOf(report.accessionNumber),
        22: report.reportedAt,
        25: status,
        32: named,
      }),
      ...observations,
    ],
  );
}

interface Observed {
  readonly type: "ST" | "TX" | "NM" | "CE";
  readonly concept: Code;
  readonly value: string;
  readonly units: string;
}

/** As report managers of IHE name what a report is of. */
const uidItem = (concept: Code, uid: string): Observed[] =>
  uid === "" ? [] : [{ type: "ST", concept, value: componentsOf(uid), units: "" }];

function observedOf({ concept, value }: ReportItem): Observed[] {
  if (value.kind === "code") return [{ type: "CE", concept, value: codeField(value.code), units: "" }];
  if (value.kind === "number") {
    const number = value.number.trim();
    // NM knows no exponent (v2.5.1 §2A.46), which DS has.
    const type = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(number) ? "NM" : "TX";
    return [{ type, concept, value: componentsOf(number), units: codeField(value.units) }];
  }
  return piecesOf(value.text).map((piece) => ({ type: "TX", concept, value: componentsOf(piece), units: "" }));
}

/** A long text in parts that end where a line, a word, or else a character does. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; ) {
    const whole = text.slice(at, at + textMax);
    if (at + whole.length >= text.length) {
      pieces.push(whole);
      break;
    }
    const ends = Math.max(whole.lastIndexOf("\n"), whole.lastIndexOf(" "));
    const last = whole.charCodeAt(whole.length - 1);
    const isSplit = last >= 0xd800 && last <= 0xdbff;
    const length = ends > textMax / 2 ? ends + 1 : whole.length - Number(isSplit);
    pieces.push(whole.slice(0, length));
    at += length;
  }
  return pieces;
}
