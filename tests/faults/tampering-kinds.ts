import type { Random } from "#base/id";

/** A log as it is before it is written. */
export interface Export {
  readonly lines: readonly Buffer[];
  readonly notes: readonly string[];
  readonly key: string;
  readonly witnessKey: string;
}

/** The three files of an export. */
export interface SignedExport {
  readonly entries: Buffer;
  readonly checkpoints: Buffer;
  readonly key: Buffer;
}

/** A whole number from 0 to below. */
export type Chosen = (below: number) => number;

export const chosenBy =
  (random: Random): Chosen =>
  (below) =>
    Buffer.from(random(new Uint8Array(4))).readUInt32BE(0) % below;

export interface Given extends Export {
  readonly whole: SignedExport;
  /** The same log to some entry, then another, all checkpoints signed by the log's own key. */
  readonly fork: Export;
  /** The same entries, signed by another key of the same name. */
  readonly resigned: Export;
  /** A sound log of another name and key. */
  readonly foreign: Export;
  readonly chosen: Chosen;
}

type Kind = (given: Given) => Partial<SignedExport>;

const ofLines = (lines: readonly Buffer[]) => ({
  entries: Buffer.concat(lines.flatMap((line) => [line, Buffer.from("\n")])),
});
const ofNotes = (notes: readonly string[]) => ({ checkpoints: Buffer.from(notes.join("")) });
const newest = ({ notes }: Given): string => notes.at(-1) ?? "";
const withNewest = (given: Given, note: string) => ofNotes(given.notes.with(-1, note));
const oneLine = (given: Given) => given.chosen(given.lines.length);
const textOf = (note: string) => note.slice(0, note.lastIndexOf("\n\n") + 1);
const signaturesOf = (note: string) => note.slice(note.lastIndexOf("\n\n") + 2).split(/(?<=\n)/);
const base64Of = (line: string) => line.trimEnd().split(" ").at(-1) ?? "";

/** One line of the entries changed as text. */
const changedLine = (change: (text: string) => string) => (given: Given) => {
  const at = oneLine(given);
  return ofLines(given.lines.with(at, Buffer.from(change(String(given.lines[at])))));
};

/** Another text for the same bytes: the bits that a last digit has too many. */
function malleated(base64: string): string {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const at = base64.indexOf("=") - 1;
  return base64.slice(0, at) + digits[digits.indexOf(base64[at] ?? "") ^ 1] + base64.slice(at + 1);
}

/** The same signature with its number enlarged by the order of the group (RFC 8032 §8.4). */
function enlarged(signature: Buffer): Buffer {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString("hex")}`) + order;
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, "0"), "hex").reverse()]);
}

/** Every way of tampering that both verifiers must refuse, with the log's key, a witness's, and the newest checkpoint in hand. */
export const kinds: Readonly<Record<string, Kind>> = {
  "a byte changed"(given) {
    const entries = Buffer.from(given.whole.entries);
    const at = given.chosen(entries.length);
    entries[at] = (entries[at] ?? 0) ^ (1 + given.chosen(255));
    return { entries };
  },
  "the first line removed": ({ lines }) => ofLines(lines.slice(1)),
  "a line in the middle removed": (given) =>
    ofLines(given.lines.toSpliced(1 + given.chosen(given.lines.length - 2), 1)),
  "the last line removed": ({ lines }) => ofLines(lines.slice(0, -1)),
  "two lines swapped"(given) {
    const { lines, chosen } = given;
    const one = oneLine(given);
    const other = (one + 1 + chosen(lines.length - 1)) % lines.length;
    return ofLines(lines.with(one, lines[other] as Buffer).with(other, lines[one] as Buffer));
  },
  "a line doubled"(given) {
    const at = oneLine(given);
    return ofLines(given.lines.toSpliced(at, 0, given.lines[at] as Buffer));
  },
  "a line inserted": (given) => ofLines(given.lines.toSpliced(oneLine(given), 0, Buffer.from('{"at":1}'))),
  "a line in two"(given) {
    const at = oneLine(given);
    const line = given.lines[at] as Buffer;
    return ofLines(given.lines.toSpliced(at, 1, line.subarray(0, 9), line.subarray(9)));
  },
  "an empty line at the end": (given) => ofLines([...given.lines, Buffer.alloc(0)]),
  "another line at the end": (given) => ofLines([...given.lines, Buffer.from('{"at":1}')]),
  "cut within a line": (given) => ({
    entries: given.whole.entries.subarray(0, given.whole.entries.length - 2 - given.chosen(20)),
  }),
  "no newline at the end": ({ whole }) => ({ entries: whole.entries.subarray(0, -1) }),
  "garbage at the end": ({ whole }) => ({ entries: Buffer.concat([whole.entries, Buffer.of(0, 255, 7)]) }),
  "a long line without end": ({ whole }) => ({ entries: Buffer.concat([whole.entries, Buffer.alloc(70_000, "x")]) }),
  "lines ended as on Windows": ({ whole }) => ({
    entries: Buffer.from(String(whole.entries).replaceAll("\n", "\r\n")),
  }),
  "a mark of byte order before the lines": ({ whole }) => ({
    entries: Buffer.concat([Buffer.from("\ufeff"), whole.entries]),
  }),
  "a field of an entry doubled": changedLine((text) => text.replace('"outcome"', '"outcome":"failed","outcome"')),
  "blanks in an entry": changedLine((text) => text.replace('{"at":', '{ "at": ')),
  "another way to write a letter": changedLine((text) => text.replace("study", "\\u0073tudy")),
  "no entries": () => ({ entries: Buffer.alloc(0) }),
  "no checkpoints": () => ({ checkpoints: Buffer.alloc(0) }),
  "nothing at all": () => ({ entries: Buffer.alloc(0), checkpoints: Buffer.alloc(0) }),
  "checkpoints signed by another key": ({ resigned }) => ofNotes(resigned.notes),
  "all signed by another key, which lies with it": ({ resigned }) => ({
    ...ofLines(resigned.lines),
    ...ofNotes(resigned.notes),
    key: Buffer.from(`${resigned.key}\n`),
  }),
  "another log": ({ foreign }) => ({
    ...ofLines(foreign.lines),
    ...ofNotes(foreign.notes),
    key: Buffer.from(`${foreign.key}\n`),
  }),
  "the newest checkpoint of another log": (given) => withNewest(given, given.foreign.notes.at(-1) ?? ""),
  "a forged root"(given) {
    const note = newest(given);
    const [, , rootHash = ""] = note.split("\n");
    return withNewest(given, note.replace(rootHash, Buffer.alloc(32, given.chosen(256)).toString("base64")));
  },
  "a forged size": (given) =>
    withNewest(
      given,
      newest(given).replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) - 1}\n`),
    ),
  "a size with a zero before it": (given) => withNewest(given, newest(given).replace(/\n(\d+)\n/, "\n0$1\n")),
  "a forged time": (given) =>
    withNewest(
      given,
      newest(given).replace(/\nat (\d+)\n/, (_, at) => `\nat ${Number(at) + 1}\n`),
    ),
  "an older log, sound for itself"({ lines, notes }) {
    const size = Number((notes.at(-2) ?? "").split("\n")[1]);
    return { ...ofLines(lines.slice(0, size)), ...ofNotes(notes.slice(0, -1)) };
  },
  "the newest checkpoint left out": ({ notes }) => ofNotes(notes.slice(0, -1)),
  "checkpoints in another order": ({ notes }) => ofNotes(notes.toReversed()),
  "a checkpoint twice": (given) => ofNotes([...given.notes, newest(given)]),
  "a fork that the log's own key signed": ({ fork }) => ({
    ...ofLines(fork.lines),
    ...ofNotes(fork.notes.map((note) => `${textOf(note)}\n${signaturesOf(note)[0]}`)),
  }),
  "a fork that carries the witness's signatures": ({ fork, notes }) => ({
    ...ofLines(fork.lines),
    ...ofNotes(
      fork.notes.map((note, at) => `${textOf(note)}\n${signaturesOf(note)[0]}${signaturesOf(notes[at] ?? "")[1]}`),
    ),
  }),
  "a cosignature of another checkpoint": (given) =>
    withNewest(
      given,
      `${textOf(newest(given))}\n${signaturesOf(newest(given))[0]}${signaturesOf(given.notes[0] ?? "")[1]}`,
    ),
  "the newest cosignature left out": (given) =>
    withNewest(given, `${textOf(newest(given))}\n${signaturesOf(newest(given))[0]}`),
  "another time in a cosignature"(given) {
    const old = base64Of(signaturesOf(newest(given))[1] ?? "");
    const bytes = Buffer.from(old, "base64");
    bytes[11] = (bytes[11] ?? 0) ^ 1;
    return withNewest(given, newest(given).replace(old, bytes.toString("base64")));
  },
  "a witness's signature for the log's": (given) =>
    withNewest(given, `${textOf(newest(given))}\n${signaturesOf(newest(given))[1]}`),
  "the log's signature under another name": (given) => withNewest(given, newest(given).replace("— log", "— blog")),
  "a signature of another type of key"(given) {
    const old = base64Of(signaturesOf(newest(given))[0] ?? "");
    const bytes = Buffer.from(old, "base64");
    const timed = Buffer.concat([bytes.subarray(0, 4), Buffer.alloc(8), bytes.subarray(4)]);
    return withNewest(given, newest(given).replace(old, timed.toString("base64")));
  },
  "another text of the same signature"(given) {
    const old = base64Of(signaturesOf(newest(given))[0] ?? "");
    return withNewest(given, newest(given).replace(old, malleated(old)));
  },
  "another text of the same root"(given) {
    const [, , rootHash = ""] = newest(given).split("\n");
    return withNewest(given, newest(given).replace(rootHash, malleated(rootHash)));
  },
  "another signature of the same text by no key"(given) {
    const old = base64Of(signaturesOf(newest(given))[0] ?? "");
    const bytes = Buffer.from(old, "base64");
    const made = Buffer.concat([bytes.subarray(0, 4), enlarged(bytes.subarray(4))]);
    return withNewest(given, newest(given).replace(old, made.toString("base64")));
  },
  "checkpoints ended as on Windows": ({ whole }) => ({
    checkpoints: Buffer.from(String(whole.checkpoints).replaceAll("\n", "\r\n")),
  }),
  "a mark of byte order before the checkpoints": ({ whole }) => ({
    checkpoints: Buffer.concat([Buffer.from("\ufeff"), whole.checkpoints]),
  }),
  "garbage between checkpoints": ({ notes }) => ofNotes(notes.toSpliced(1, 0, "garbage\n")),
  "an empty line behind the checkpoints": ({ notes }) => ofNotes([...notes, "\n"]),
  "bytes that are no text in the checkpoints": ({ whole }) => ({
    checkpoints: Buffer.concat([whole.checkpoints, Buffer.of(0xff, 0xfe)]),
  }),
};
