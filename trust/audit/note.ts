import { hash } from "node:crypto";
import { Problem } from "#base/problem";
import { signingKey, type Verify, verifyingKey } from "./ed25519.ts";

/**
 * Signed notes (C2SP signed-note): text, a blank line, a line for each signature. Ed25519 only: a log's own signature (type 1)
 * and the timestamped cosignature of a witness (type 4, C2SP tlog-cosignature v1).
 */
export interface NoteSigner {
  /** The note of a text that ends with a newline. */
  sign(text: string): string;
  /** `name+hash+base64`. */
  verifierKey(): string;
}

export interface NoteVerifier {
  readonly name: string;
  /** The text of a note that this key signed; undefined for any other, and for what is no note. */
  open(note: string): string | undefined;
}

/** Signs checkpoints of logs that are not its own. */
export interface Cosigner {
  readonly name: string;
  /** One signature line, to be put behind the note of `text`. `at` is rounded down to a second. */
  cosign(text: string, at: number): string;
  verifierKey(): string;
}

export interface CosignatureVerifier {
  readonly name: string;
  /**
   * The signature line of this witness on a note, and when it was made (epoch milliseconds); undefined when there is none.
   * `void`: there is one and it is false, which makes the whole note void.
   */
  find(note: string): { readonly line: string; readonly at: number } | "void" | undefined;
}

const logType = 1;
const cosignatureType = 4;
const dash = "\u2014 ";
const noteBytesMost = 64 * 1024;
const keyIdBytes = 4;
/** Of which the milliseconds are still a whole number. */
const secondsMost = BigInt(Math.floor(Number.MAX_SAFE_INTEGER / 1000));

/** `name` has no blank, no `+`; `seed` is 32 bytes. */
export function createNoteSigner(name: string, seed: Uint8Array): NoteSigner {
  const { id, sign, verifierKey } = namedKey(name, seed, logType);
  return {
    sign(text) {
      if (!text.endsWith("\n")) throw new Problem("fault", "the text of a note does not end with a newline");
      return `${text}\n${signatureLine(name, Buffer.concat([id, sign(Buffer.from(text))]))}`;
    },
    verifierKey,
  };
}

/** A witness's key. Its seed signs nothing else: what is signed does not name the witness. */
export function createCosigner(name: string, seed: Uint8Array): Cosigner {
  const { id, sign, verifierKey } = namedKey(name, seed, cosignatureType);
  return {
    name,
    cosign(text, at) {
      const time = Buffer.alloc(8);
      time.writeBigUInt64BE(BigInt(Math.floor(at / 1000)));
      return signatureLine(name, Buffer.concat([id, time, sign(cosignedText(text, time))]));
    },
    verifierKey,
  };
}

/** From a log's verifier key as `verifierKey` gives it. Throws Problem "invalid" for anything else. */
export function createNoteVerifier(verifierKey: string): NoteVerifier {
  const { name, id, verify } = parseVerifierKey(verifierKey, logType);
  return {
    name,
    open(note) {
      const parts = parseNote(note);
      const ours = parts?.signatures.filter((one) => one.name === name && one.id.equals(id)) ?? [];
      // A signature of a known key that fails makes the whole note void.
      const holds = parts !== undefined && ours.every(({ bytes }) => verify(Buffer.from(parts.text), bytes));
      return holds && ours.length > 0 ? parts.text : undefined;
    },
  };
}

/** From a witness's verifier key. Throws Problem "invalid" for anything else. */
export function createCosignatureVerifier(verifierKey: string): CosignatureVerifier {
  const { name, id, verify } = parseVerifierKey(verifierKey, cosignatureType);
  return {
    name,
    find(note) {
      const parts = parseNote(note);
      if (parts === undefined) return "void";
      const ours = parts.signatures.filter((one) => one.name === name && one.id.equals(id));
      const [first] = ours;
      if (first === undefined) return undefined;
      const holds = ours.every(({ bytes }) => verify(cosignedText(parts.text, bytes), bytes.subarray(8)));
      const seconds = first.bytes.length < 8 ? 0n : first.bytes.readBigUInt64BE(0);
      if (!holds || seconds > secondsMost) return "void";
      return { line: signatureLine(name, Buffer.concat([id, first.bytes])), at: Number(seconds) * 1000 };
    },
  };
}

/** The text of a note, verified by nobody; undefined for what is no note. */
export function textOfNote(note: string): string | undefined {
  return parseNote(note)?.text;
}

/** tlog-cosignature "Ed25519 signed message". `timed` begins with the time in 8 bytes. */
function cosignedText(text: string, timed: Buffer): Buffer {
  const seconds = timed.length < 8 ? 0n : timed.readBigUInt64BE(0);
  return Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`);
}

const signatureLine = (name: string, signature: Buffer) => `${dash}${name} ${signature.toString("base64")}\n`;

function namedKey(name: string, seed: Uint8Array, type: number) {
  if (!isKeyName(name)) throw new Problem("invalid", "the name of a signing key holds a blank or a plus, or is empty");
  const { publicKey, sign } = signingKey(seed);
  const id = keyId(name, type, publicKey);
  const typed = Buffer.concat([Buffer.of(type), publicKey]).toString("base64");
  return { id, sign, verifierKey: () => `${name}+${id.toString("hex")}+${typed}` };
}

function parseVerifierKey(verifierKey: string, type: number): { name: string; id: Buffer; verify: Verify } {
  const [, name = "", idHex = "", base64 = ""] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(verifierKey) ?? [];
  const key = bytesOf(base64);
  if (key?.length !== 33 || key[0] !== type || !isKeyName(name)) throw notAKey(type);
  const publicKey = key.subarray(1);
  const id = keyId(name, type, publicKey);
  if (id.toString("hex") !== idHex) throw notAKey(type);
  return { name, id, verify: verifyingKey(publicKey) };
}

const notAKey = (type: number) =>
  new Problem("invalid", `not an Ed25519 verifier key of a ${type === logType ? "log" : "witness"}`, {
    remedy: "copy the whole key, as name+hash+base64",
  });

/** C2SP signed-note: SHA-256 over name, newline, type and key; the first four bytes. */
function keyId(name: string, type: number, publicKey: Uint8Array): Buffer {
  const text = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), publicKey]);
  return hash("sha256", text, "buffer").subarray(0, keyIdBytes);
}

/** Unicode's spaces by the names of both JavaScript and Python, as both verifiers must agree; no control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const isKeyName = (name: string) => /^[^+\s\0-\x1f\x85\ufeff]+$/u.test(name) && name.isWellFormed();

/** The bytes of a base64 text; undefined when it is not the one way to write them. */
function bytesOf(base64: string): Buffer | undefined {
  const bytes = Buffer.from(base64, "base64");
  return bytes.toString("base64") === base64 ? bytes : undefined;
}

interface NoteParts {
  readonly text: string;
  readonly signatures: readonly { readonly name: string; readonly id: Buffer; readonly bytes: Buffer }[];
}

function parseNote(note: string): NoteParts | undefined {
  // No control characters but newlines, and well-formed UTF-8 (signed-note, "Format").
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (note.length > noteBytesMost || !note.isWellFormed() || /[\0-\x09\x0b-\x1f]/.test(note)) return undefined;
  const blank = note.lastIndexOf("\n\n");
  if (blank < 0 || !note.endsWith("\n")) return undefined;
  const signatures: { name: string; id: Buffer; bytes: Buffer }[] = [];
  for (const line of note.slice(blank + 2, -1).split("\n")) {
    const [, name = "", base64 = ""] = /^\u2014 ([^+ ]+) ([A-Za-z0-9+/]+=*)$/.exec(line) ?? [];
    const bytes = bytesOf(base64);
    if (!isKeyName(name) || bytes === undefined || bytes.length <= keyIdBytes) return undefined;
    signatures.push({ name, id: bytes.subarray(0, keyIdBytes), bytes: bytes.subarray(keyIdBytes) });
  }
  return { text: note.slice(0, blank + 1), signatures };
}
