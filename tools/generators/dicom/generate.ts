/**
 * Writes the tables of formats/dicom from the standard's own tables:
 *
 *     LEADGLASS_DATA=../shared/data node tools/generators/dicom/generate.ts
 *
 * `dictionary.generated.ts` one line an attribute: tag, VR, VM, Basic Profile action (PS3.15 E.1-1), keyword, R if retired
 * `profile-options.generated.ts` one line an attribute that options of the profile treat otherwise (PS3.15 E.1-1)
 * `names.generated.ts`      the names that are not the keyword with spaces
 * `sop-classes.generated.ts` UID, S for storage or - , name
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spacedKeyword } from "../../../formats/dicom/keyword-words.ts";
import { commandElements, retiredStorage, serviceClasses } from "./supplement.ts";

interface AttributeRow {
  readonly tag: string;
  readonly name: string;
  readonly keyword: string;
  readonly valueRepresentation: string;
  readonly valueMultiplicity: string;
  readonly retired: "Y" | "N";
}

const root = join(import.meta.dirname, "../../..");
const source = join(process.env.LEADGLASS_DATA ?? join(root, "../shared/data"), "standard");
const read = <Row>(name: string): Row[] => JSON.parse(readFileSync(join(source, `${name}.json`), "utf8")) as Row[];
const write = (name: string, text: string) => writeFileSync(join(root, "formats/dicom", `${name}.generated.ts`), text);

const head = "// Written by tools/generators/dicom/generate.ts; do not edit.\n";
const hex = (tag: string) => tag.replace(/[(),]/g, "").replaceAll("X", "x");

/** VRs that depend on other attributes (PS3.6 §6, PS3.5 Annex A) as one two-letter word each, resolved by dictionary.ts. */
const openVr: Readonly<Record<string, string>> = {
  "US or SS": "xs",
  "OB or OW": "ox",
  "US or OW": "uw",
  "US or SS or OW": "xw",
};

const actions = new Map<string, string>();
for (const row of read<{ tag: string; basicProfile: string }>("confidentiality_profile_attributes")) {
  actions.set(hex(row.tag), row.basicProfile);
}

/** Columns of PS3.15 Table E.1-1 in the order in which they stand there, each with the letter that the table uses for it. */
const optionColumns = {
  P: "rtnSafePrivOpt",
  U: "rtnUIDsOpt",
  D: "rtnDevIdOpt",
  I: "rtnInstIdOpt",
  C: "rtnPatCharsOpt",
  F: "rtnLongFullDatesOpt",
  M: "rtnLongModifDatesOpt",
  T: "cleanDescOpt",
} as const;

function optionLines(): string[] {
  const rows = read<{ tag: string } & Readonly<Record<string, string | undefined>>>(
    "confidentiality_profile_attributes",
  );
  return rows
    .map((row) => ({
      tag: hex(row.tag),
      given: Object.entries(optionColumns).flatMap(([letter, column]) => (row[column] ? [letter + row[column]] : [])),
    }))
    .filter(({ tag, given }) => given.length > 0 && /^[0-9A-Fa-fx]{8}$/.test(tag))
    .map(({ tag, given }) => `${tag} ${given.join(" ")}`)
    .sort();
}

interface Line {
  readonly tag: string;
  readonly text: string;
  readonly name: string;
}

function lines(): Line[] {
  const out: Line[] = commandElements.map(([tag, vr, vm, keyword, retired]) => ({
    tag,
    text: `${tag} ${vr} ${vm} - ${keyword}${retired ? " R" : ""}`,
    name: spacedKeyword(keyword),
  }));
  for (const row of read<AttributeRow>("attributes")) {
    const tag = hex(row.tag);
    const vr = openVr[row.valueRepresentation] ?? row.valueRepresentation;
    if (!/^[A-Za-z]{2}$/.test(vr)) continue; // items and delimiters (FFFE) and withdrawn tags have no VR
    const vm = row.valueMultiplicity.split(" ")[0] || "1";
    const action = actions.get(tag) ?? "-";
    const keyword = row.keyword.replaceAll(/[^A-Za-z0-9]/g, "") || "-";
    out.push({
      tag,
      text: `${tag} ${vr} ${vm} ${action} ${keyword}${row.retired === "Y" ? " R" : ""}`,
      name: row.name.replaceAll(/[\u200b\s]+/g, " ").trim(),
    });
  }
  return out.sort((a, b) => (a.tag < b.tag ? -1 : 1));
}

const all = lines();
const single = all.filter((line) => !line.tag.includes("x"));
const repeating = all.filter((line) => line.tag.includes("x"));
const keywordIn = (line: Line) => line.text.split(" ")[4]!;
const table = (rows: readonly string[]) => `\`\\\n${rows.join("\n")}\``;

write(
  "dictionary",
  `${head}
/** PS3.6 and PS3.7 E.1: tag VR VM action keyword [R]. \`xs\` is US or SS, \`ox\` OB or OW, \`uw\` US or OW, \`xw\` US, SS or OW. */
export const attributeLines: string = ${table(single.map((line) => line.text))};

/** The same for repeating groups and elements: x stands for any digit. */
export const repeatingLines: string = ${table(repeating.map((line) => line.text))};
`,
);

write(
  "profile-options",
  `${head}
/**
 * PS3.15 Table E.1-1: tag, and what options do instead of the profile, K keep or C clean. Retain: P safe private, U UIDs, D device,
 * I institution, C patient characteristics, F full dates, M modified dates. T cleans descriptors.
 */
export const optionLines: string = ${table(optionLines())};
`,
);

write(
  "names",
  `${head}
/** Attribute names that are not simply the words of the keyword: keyword, tab, name. */
export const nameLines: string = ${table(
    all
      .filter((line) => line.name !== "" && line.name !== spacedKeyword(keywordIn(line)))
      .map((line) => `${keywordIn(line)}\t${line.name.replaceAll("`", "'")}`),
  )};
`,
);

const notStored = new Set(["1.2.840.10008.1.3.10"]); // a DICOMDIR is made for media, never sent by C-STORE
const classes = new Map<string, string>();
for (const [uid, name] of serviceClasses) classes.set(uid, `${uid} - ${name}`);
for (const [uid, name] of retiredStorage) classes.set(uid, `${uid} S ${name}`);
for (const { id, name } of read<{ id: string; name: string }>("sops")) {
  classes.set(id, `${id} ${notStored.has(id) ? "-" : "S"} ${name}`);
}
write(
  "sop-classes",
  `${head}
/** PS3.4 and PS3.6 A: UID, S when instances are stored by C-STORE, name. */
export const sopClassLines: string = ${table([...classes.values()].sort())};
`,
);
