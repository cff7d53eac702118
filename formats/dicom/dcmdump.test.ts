import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { isProblem } from "#base/problem";
import type { DataSet } from "./data-set.ts";
import { undefinedLength } from "./element-head.ts";
import { readFile } from "./read-data-set.ts";
import { createReader } from "./reader.ts";
import { hexOfTag } from "./tags.ts";
import { type Vr, vrTable } from "./vr.ts";

const data = join(process.env.LEADGLASS_DATA ?? join(import.meta.dirname, "../../../shared/data"), "dicom");
const run = promisify(execFile);
const haveDcmdump = process.env.PATH?.split(":").some((folder) => existsSync(join(folder, "dcmdump"))) ?? false;
const needsData = existsSync(data) ? false : "needs the shared test data: set LEADGLASS_DATA";
const needsDcmtk = haveDcmdump ? needsData : "needs dcmtk: apt install dcmtk";

interface Deviation {
  readonly files: readonly string[];
  readonly ours: string;
  readonly theirs: string;
  readonly why: string;
}

/** Lines where dcmdump is not followed. */
const dcmtkErrs: readonly Deviation[] = [
  {
    files: ["objects/mg-cr-dx/dx_image.dcm"],
    ours: "0 7FE00010 OB 35659",
    theirs: "0 7FE00010 OB 35660",
    why: "the file states an odd length; DCMTK pads it on reading and prints what it would write",
  },
  {
    files: [
      "CTImage.dcm_JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90.dcm",
      "CTImage.dcm_JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91.dcm",
      "CTImage.dcm_JPEGLSLossyTransferSyntax_1.2.840.10008.1.2.4.81.dcm",
      "MR_small_jp2klossless.dcm",
      "MR_small_jpeg_ls_lossless.dcm",
      "SC_rgb_rle_16bit_2frame.dcm",
      "emri_small_jpeg_2k_lossless.dcm",
      "emri_small_jpeg_ls_lossless.dcm",
      "rtdose_rle.dcm",
    ].map((name) => `transfer-syntaxes/${name}`),
    ours: "0 7FE00010 OW u/l",
    theirs: "0 7FE00010 OB u/l",
    why: "the file writes OW, against PS3.5 §A.4; DCMTK prints OB, which is what it would write",
  },
];

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(md|tsv|mpeg)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** A file as dcmdump prints it: depth, tag, VR, length and, for text of up to 64 KiB, the bytes without padding. */
function ourLines(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  let depth = 0;
  const up = () => {
    depth -= 1;
  };
  const vrs = new Map<number, Vr>();
  collectVrs(readFile(bytes, { partial: true }).dataSet, vrs);
  const line = (tag: string, vr: string, length: number) =>
    lines.push(`${depth} ${tag} ${vr} ${length === undefinedLength ? "u/l" : length}`);
  const reader = createReader({
    capture: (_tag, vr, length) => isText(vr) && length > 0 && length <= textBytesMax,
    events: {
      element: (tag, vr, offset, length) => void line(hexOfTag(tag), vrs.get(offset) ?? vr, length),
      value(from, start, end) {
        const last = `${lines.at(-1)} ${octal(Buffer.from(from.slice(start, end)))}`;
        lines[lines.length - 1] = last.trimEnd();
      },
      sequenceStart(tag, _vr, _offset, length) {
        line(hexOfTag(tag), "SQ", length);
        depth += 1;
      },
      itemStart(_index, _offset, length) {
        line("FFFEE000", "na", length);
        depth += 1;
      },
      itemEnd: up,
      sequenceEnd: up,
      encapsulatedStart(tag, vr) {
        line(hexOfTag(tag), vr, undefinedLength);
        depth += 1;
      },
      fragment: (_index, _offset, length) => void line("FFFEE000", "pi", length),
      encapsulatedEnd: up,
    },
  });
  reader.write(bytes);
  const { problem } = reader.end();
  if (problem !== undefined) lines.push(`problem ${problem.message}`);
  return lines;
}

/** The VRs that data sets settle on (US or SS), by offset. */
function collectVrs(dataSet: DataSet, vrs: Map<number, Vr>): void {
  for (const element of dataSet) {
    vrs.set(element.offset, dataSet.vrOf(element));
    for (const item of element.items ?? []) collectVrs(item, vrs);
  }
}

const textBytesMax = 64 * 1024;
const isText = (vr: Vr) => vrTable[vr].kind === "text" || vrTable[vr].kind === "words";

function octal(bytes: Buffer): string {
  return bytes
    .toString("latin1")
    .replace(/[\0 ]+$/, "")
    .replace(/[^\x20-\x7e]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

const dumpLine = /^( *)\(([0-9a-f]{4}),([0-9a-f]{4})\) (\S\S) (.*?) *# +(\d+|u\/l), *\d+ \S.*$/;

/** dcmdump's own words: no VR known, US or SS without Pixel Representation, offsets in a DICOMDIR. */
const ownVrs: Readonly<Record<string, string>> = { "??": "UN", xs: "US", up: "UL" };

function theirLines(dump: string): string[] {
  const lines: string[] = [];
  for (const text of dump.split("\n")) {
    if (text === "" || text.trimStart().startsWith("#")) continue;
    const match = dumpLine.exec(text);
    if (match === null) {
      lines.push(`not understood: ${text}`);
      continue;
    }
    const [, indent = "", group, element, printedVr = "", value = "", length] = match;
    const vr = ownVrs[printedVr] ?? printedVr;
    const tag = `${group}${element}`.toUpperCase();
    if (tag === "FFFEE00D" || tag === "FFFEE0DD") continue;
    const shown = /^\[(.*)\]$/.exec(value)?.[1];
    const head = `${indent.length / 2} ${tag} ${vr} ${length}`;
    lines.push(
      shown === undefined || !isText(vr as Vr) ? head : `${head} ${shown.replace(/(\\000| )+$/, "")}`.trimEnd(),
    );
  }
  return lines;
}

async function dumpsOf(files: readonly string[]): Promise<Map<string, string>> {
  const standardOnly = globSync("/usr/share/{libdcmtk*,dcmtk*}/dicom.dic")[0];
  const options = ["+F", "-q", "+L", "+R", "64", "+Qo", "-Un"];
  const { stdout } = await run("dcmdump", [...options, ...files], {
    maxBuffer: 512 * 1024 * 1024,
    encoding: "latin1",
    env: { ...process.env, ...(standardOnly && { DCMDICTPATH: standardOnly }) },
  }).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? "" }));
  const dumps = new Map<string, string>();
  for (const part of stdout.split(/^# dcmdump \(\d+\/\d+\): /m).slice(1)) {
    const end = part.indexOf("\n");
    dumps.set(part.slice(0, end), part.slice(end + 1));
  }
  return dumps;
}

test("On real files the reader's tags, VRs, lengths and text equal dcmdump's", { skip: needsDcmtk }, async () => {
  const files = filesUnder(data).filter((file) => !file.includes(`${sep}malformed${sep}`));
  const differing: string[] = [];
  for (let at = 0; at < files.length; at += 100) {
    const batch = files.slice(at, at + 100);
    const dumps = await dumpsOf(batch);
    for (const file of batch) {
      const name = relative(data, file);
      const ours = ourLines(readFileSync(file));
      const known = dcmtkErrs.find(({ files }) => files.includes(name));
      const theirs = theirLines(dumps.get(file) ?? "").map((line) => (line === known?.theirs ? known.ours : line));
      const i = ours.findIndex((line, n) => line !== theirs[n]);
      if (i >= 0 || theirs.length !== ours.length) {
        differing.push(`${name}: line ${i}: ${ours[i]} | ${theirs[i]} (${ours.length} and ${theirs.length} lines)`);
      }
    }
  }
  assert.deepEqual(differing, []);
  assert.ok(files.length > 600, `${files.length} files`);
});

/** How the readable part of these ends; every other file of the folder is read to its end. */
const malformedEnds: Readonly<Record<string, RegExp>> = {
  "3gb-bulk-data-truncated": /^the input ends 3221127392 bytes before a value does: \(7FE0,0010\)/,
  "MR_truncated.dcm": /^the input ends 62 bytes before a value does: \(7FE0,0010\)/,
  "emri_small_jpeg_2k_lossless_too_short.dcm": /^the input ends inside \(7FE0,0010\).* delimiter is missing$/,
  "no_meta.dcm": /^neither a DICOM file nor a data set/,
  "rtplan_truncated.dcm":
    /^the input ends 21 bytes before a value does: \(300A,00B0\)\[0\]\.\(300A,0111\)\[0\]\.\(300A,012C\)/,
};

test("Malformed files end with what could be read and a clear problem", { skip: needsData }, () => {
  const files = filesUnder(join(data, "malformed"));
  for (const file of files) {
    const bytes = readFileSync(file);
    const before = process.memoryUsage().arrayBuffers;
    const started = process.cpuUsage();
    const { dataSet, problem } = readFile(bytes, { partial: true });
    assert.ok(process.cpuUsage(started).user < 5_000_000, file);
    assert.ok(process.memoryUsage().arrayBuffers - before < 4 * bytes.length + 1_000_000, file);
    assert.ok(problem === undefined || isProblem(problem, "invalid") || isProblem(problem, "too-large"), file);
    const reader = createReader();
    for (let at = 0; at < bytes.length && reader.write(bytes.subarray(at, at + 4096)); at += 4096);
    assert.equal(reader.end().problem?.message, problem?.message, file);
    for (const element of dataSet) dataSet.textsOf(element);
    if (file.includes(`${sep}fuzz${sep}`)) continue;
    const expected = malformedEnds[basename(file)];
    if (expected === undefined) assert.equal(problem, undefined, file);
    else assert.match(problem?.message ?? "", expected, file);
  }
  assert.ok(files.length > 100, `${files.length} files`);
});
