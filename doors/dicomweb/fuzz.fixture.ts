// What the fuzzer (tests/fuzz) feeds: bodies of uploads and what a search asks. A target throws where they do what they must not.
import assert from "node:assert/strict";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import { parseAccept, parseMediaType } from "./media-types.ts";
import { createMultipartReader } from "./multipart-reader.ts";
import { parseSearch } from "./search-query.ts";

const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const body = (...parts: readonly string[]) =>
  bytesOf(`${parts.map((part) => `--b\r\nContent-Type: application/dicom\r\n\r\n${part}\r\n`).join("")}--b--\r\n`);

/** The parts of a body that comes in pieces of these sizes, and how it ended: whether whole, or why it was refused. */
function parts(input: Uint8Array, sizes: readonly number[]): { told: unknown[]; end: boolean | string } {
  const told: unknown[] = [];
  let data = "";
  const flush = () => {
    if (data !== "") told.push(data);
    data = "";
  };
  try {
    const reader = createMultipartReader("b");
    for (let at = 0, index = 0; at < input.length; index++) {
      const piece = Uint8Array.from(input.subarray(at, at + (sizes[index % sizes.length] ?? 1)));
      at += piece.length;
      for (const each of reader.push(piece)) {
        if (each.kind === "data") data += Buffer.from(each.bytes).toString("hex");
        else {
          flush();
          told.push(each.kind === "headers" ? [...each.headers] : each.kind);
        }
      }
    }
    flush();
    return { told, end: reader.end() };
  } catch (error) {
    if (!isProblem(error, "invalid")) throw error;
    return { told, end: error.message };
  }
}

/** However a body comes, its parts are the same; of one that is refused as many may have been told as had come whole. */
export const multipartTarget = {
  cpuMsMax: 100,
  seeds: (): Uint8Array[] => [
    body("one"),
    body("one", "", "\r\n-", "--b"),
    bytesOf("before\r\n--b  \r\n\r\nx\r\n--b--behind"),
  ],
  words: ["\r\n--b", "\r\n--b--", "\r\n\r\n", "\r\n", "--", "\r", "\n", "Content-Type: x\r\n", ": ", " \t", "\0"].map(
    bytesOf,
  ),
  built: fc
    .array(fc.constantFrom("\r", "\n", "\r\n", "-", "--b", "\r\n--b", "\r\n--b--", "A: b", "x", " ", "\0"), {
      maxLength: 60,
    })
    .map((pieces) => bytesOf(pieces.join(""))),
  run(input: Uint8Array): void {
    const sizes = [...input.subarray(-5)].map((byte) => 1 + (byte >> 2));
    const [divided, whole] = [parts(input, sizes), parts(input, [input.length])];
    assert.equal(divided.end, whole.end);
    if (typeof whole.end === "boolean") assert.deepEqual(divided.told, whole.told);
    else assert.deepEqual(divided.told.slice(0, whole.told.length), whole.told);
  },
};

const searches = [
  "PatientName=M%C3%BCller*&StudyDate=20200101-20240101&limit=10&offset=3&includefield=all",
  "00100020=4711&ModalitiesInStudy=CT%5CMR&includefield=00081030,StudyTime&fuzzymatching=true",
  "StudyInstanceUID=1.2.3,1.2.4&StudyTime=10-1230&AccessionNumber=?7*&SeriesNumber=4",
];

/** What a search asks, and what it wants to be answered in: read, or refused with a reason. */
export const searchTarget = {
  cpuMsMax: 100,
  seeds: (): Uint8Array[] => searches.map(bytesOf),
  words: [
    "&PatientName=",
    "&includefield=",
    "&limit=",
    "%00",
    "%",
    "*",
    "?",
    ",",
    "%5C",
    "-",
    "&00080052=",
    ".",
    "=",
    "99999999",
  ].map(bytesOf),
  built: fc
    .array(
      fc.tuple(fc.constantFrom("PatientName", "StudyDate", "limit", "offset", "00100010", "includefield"), fc.string()),
      {
        maxLength: 12,
      },
    )
    .map((pairs) => bytesOf(new URLSearchParams(pairs).toString())),
  run(input: Uint8Array): void {
    const text = Buffer.from(input).toString("latin1");
    parseMediaType(text);
    parseAccept(text);
    for (const level of ["study", "series", "instance"] as const) {
      try {
        parseSearch(new URLSearchParams(text), level, {}, { limitDefault: 100, limitMax: 1_000, offsetMax: 10_000 });
      } catch (error) {
        if (!isProblem(error, "invalid")) throw error;
      }
    }
  },
};
