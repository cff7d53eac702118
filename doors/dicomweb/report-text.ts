import {
  type CodedConcept,
  type ContentItem,
  codeOf,
  contentItems,
  type DataSet,
  measuredOf,
  plainTextOf,
  sopClassOf,
  tagOf,
} from "#formats/dicom";

/** Of a content tree that nobody writes larger, and of its text: the rest is left out, and that is said. */
const itemsMax = 20_000;
const textMax = 4 * 1024 * 1024;

/** One content item: what it is about, what it says, and how deep it stands. */
interface Line {
  readonly depth: number;
  readonly name: string;
  readonly value: string;
}

const tag = {
  reference: tagOf("ReferencedSOPSequence"),
  referencedClass: tagOf("ReferencedSOPClassUID"),
  graphic: tagOf("GraphicType"),
  range: tagOf("TemporalRangeType"),
} as const;

const meaningOf = (code: CodedConcept | undefined): string => code?.meaning || code?.value || "";

function saidBy(content: ContentItem): string {
  const { type, item } = content;
  const plain = plainTextOf(content);
  if (plain !== undefined) return plain;
  if (type === "CODE") return meaningOf(codeOf(content));
  if (type === "NUM") {
    const { number, units } = measuredOf(content);
    return [number, meaningOf(units)].filter((each) => each !== "").join(" ");
  }
  if (type === "IMAGE" || type === "COMPOSITE" || type === "WAVEFORM") {
    const uid = item.items(tag.reference)?.[0]?.text(tag.referencedClass) ?? "";
    return `[${sopClassOf(uid)?.name ?? "an object"}]`;
  }
  if (type === "SCOORD" || type === "SCOORD3D") return `[${item.text(tag.graphic) ?? "a place"}]`;
  if (type === "TCOORD") return `[${item.text(tag.range) ?? "a time"}]`;
  return "";
}

function linesOf(report: DataSet): { lines: Line[]; isCut: boolean } {
  const lines: Line[] = [];
  let size = 0;
  for (const content of contentItems(report)) {
    const line = { depth: content.depth, name: meaningOf(content.concept), value: saidBy(content) };
    size += line.name.length + line.value.length;
    if (lines.length >= itemsMax || size > textMax) return { lines, isCut: true };
    if (line.name !== "" || line.value !== "") lines.push(line);
  }
  return { lines, isCut: false };
}

const heads = [
  ["Patient", tagOf("PatientName")],
  ["Patient ID", tagOf("PatientID")],
  ["Date", tagOf("ContentDate")],
  ["Completion", tagOf("CompletionFlag")],
  ["Verification", tagOf("VerificationFlag")],
] as const;

const headsOf = (report: DataSet) =>
  heads.flatMap(([name, at]) => (report.text(at) ? [{ name, value: report.text(at) ?? "" }] : []));

const cutNote = "The report is longer than what is shown here: retrieve it whole.";

/** A structured report as plain text. */
export function reportText(report: DataSet): string {
  const { lines, isCut } = linesOf(report);
  const said = lines.map(({ depth, name, value }) => {
    const text = [name, value].filter((each) => each !== "").join(": ");
    return `${"  ".repeat(Math.min(depth, 20))}${text.replaceAll(/\r\n|[\r\n]/g, "\n")}`;
  });
  const head = headsOf(report).map(({ name, value }) => `${name}: ${value}`);
  return `${[...head, "", ...said, ...(isCut ? ["", cutNote] : [])].join("\n")}\n`;
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escaped = (text: string) => text.replaceAll(/[&<>"']/g, (each) => escapes[each] ?? "");

/** The same as a page without anything that acts; every value is text in it. */
export function reportHtml(report: DataSet): string {
  const { lines, isCut } = linesOf(report);
  const rows = lines.map(({ depth, name, value }) => {
    const indent = `style="margin-left:${Math.min(depth, 20)}em"`;
    if (value === "") return `<p ${indent}><strong>${escaped(name)}</strong></p>`;
    return `<p ${indent}>${name === "" ? "" : `<em>${escaped(name)}</em>: `}${escaped(value)}</p>`;
  });
  const head = headsOf(report).map(({ name, value }) => `<tr><th>${name}</th><td>${escaped(value)}</td></tr>`);
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Structured report</title>',
    "<style>body{font:16px/1.5 sans-serif;max-width:50em;margin:2em auto}p{margin:.2em 0;white-space:pre-wrap}th{text-align:left;padding-right:1em}</style>",
    `</head><body><table>${head.join("")}</table>`,
    ...rows,
    isCut ? `<p>${cutNote}</p>` : "",
    "</body></html>\n",
  ].join("\n");
}
