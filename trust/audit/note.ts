import { hash } from "node:crypto";
import { Problem } from "#base/problem";
import { signingKey, type Verify, verifyingKey } from "./ed25519.ts";

/** Signed notes (C2SP signed-note): text, a blank line, a line for each signature. Ed25519 only (type 1). */
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

const ed25519Type = 1;
const dash = "\u2014 ";
const noteBytesMost = 64 * 1024;

/** `name` has no blank, no `+`; `seed` is 32 bytes. */
export function createNoteSigner(name: string, seed: Uint8Array): NoteSigner {
  if (!isKeyName(name)) throw new Problem("invalid", "the name of a signing key holds a blank or a plus, or is empty");
  const { publicKey, sign } = signingKey(seed);
  const id = keyId(name, publicKey);
  return {
    sign(text) {
      if (!text.endsWith("\n")) throw new Problem("fault", "the text of a note does not end with a newline");
      const signature = Buffer.concat([id, sign(Buffer.from(text))]);
      return `${text}\n${dash}${name} ${signature.toString("base64")}\n`;
    },
    verifierKey: () =>
      `${name}+${id.toString("hex")}+${Buffer.concat([Buffer.of(ed25519Type), publicKey]).toString("base64")}`,
  };
}

/** From a verifier key as `verifierKey` gives it. Throws Problem "invalid" for anything else. */
export function createNoteVerifier(verifierKey: string): NoteVerifier {
  const [, name = "", idHex = "", base64 = ""] =
    /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(verifierKey) ?? [];
  const key = Buffer.from(base64, "base64");
  const publicKey = key.subarray(1);
  if (key.length !== 33 || key[0] !== ed25519Type || key.toString("base64") !== base64) throw notAKey();
  const id = keyId(name, publicKey);
  if (id.toString("hex") !== idHex) throw notAKey();
  const verify = verifyingKey(publicKey);
  return { name, open: (note) => openNote(note, name, id, verify) };
}

const notAKey = () =>
  new Problem("invalid", "not an Ed25519 verifier key", { remedy: "copy the whole key, as name+hash+base64" });

/** C2SP signed-note: SHA-256 over name, newline, type and key; the first four bytes. */
function keyId(name: string, publicKey: Uint8Array): Buffer {
  const text = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ed25519Type), publicKey]);
  return hash("sha256", text, "buffer").subarray(0, 4);
}

const isKeyName = (name: string) => /^[^+\s]+$/u.test(name) && name.isWellFormed();

function openNote(note: string, name: string, id: Buffer, verify: Verify): string | undefined {
  // No control characters but newlines, and well-formed UTF-8 (signed-note, "Format").
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (note.length > noteBytesMost || !note.isWellFormed() || /[\0-\x09\x0b-\x1f]/.test(note)) return undefined;
  const blank = note.lastIndexOf("\n\n");
  if (blank < 0 || !note.endsWith("\n")) return undefined;
  const text = note.slice(0, blank + 1);
  const lines = note.slice(blank + 2, -1).split("\n");
  let holds = false;
  for (const line of lines) {
    const [, signer, base64 = ""] = /^\u2014 ([^+\s]+) ([A-Za-z0-9+/]+=*)$/.exec(line) ?? [];
    const signature = Buffer.from(base64, "base64");
    if (signer === undefined || signature.length < 5 || signature.toString("base64") !== base64) return undefined;
    if (signer !== name || !signature.subarray(0, 4).equals(id)) continue;
    // A signature of a known key that fails makes the whole note void.
    if (!verify(Buffer.from(text), signature.subarray(4))) return undefined;
    holds = true;
  }
  return holds ? text : undefined;
}
