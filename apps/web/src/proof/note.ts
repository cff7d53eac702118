import { type Bytes, fromBase64, isSame, joined, sha256, toHex, utf8 } from "./bytes.ts";

/*
 * Signed notes, checkpoints and cosignatures (C2SP signed-note, tlog-checkpoint, tlog-cosignature), checked without the server: this
 * browser hashes and verifies by itself.
 */
const logType = 1;
const witnessType = 4;

export interface SignedBy {
  readonly name: string;
  readonly id: Bytes;
  /** Behind the key id. */
  readonly bytes: Bytes;
}

export interface Note {
  readonly text: string;
  readonly signatures: readonly SignedBy[];
}

/** Undefined for what is no note. */
export function parseNote(note: string): Note | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (note.length > 65_536 || !note.isWellFormed() || /[\0-\x09\x0b-\x1f]/.test(note)) return undefined;
  const blank = note.lastIndexOf("\n\n");
  if (blank < 0 || !note.endsWith("\n")) return undefined;
  const signatures: SignedBy[] = [];
  for (const line of note.slice(blank + 2, -1).split("\n")) {
    const [, name = "", base64 = ""] = /^\u2014 ([^+\s]+) ([A-Za-z0-9+/]+=*)$/.exec(line) ?? [];
    const bytes = fromBase64(base64);
    if (name === "" || bytes === undefined || bytes.length <= 4) return undefined;
    signatures.push({ name, id: bytes.slice(0, 4), bytes: bytes.slice(4) });
  }
  return { text: note.slice(0, blank + 1), signatures };
}

export interface VerifierKey {
  readonly name: string;
  readonly kind: "log" | "witness";
  readonly id: Bytes;
  readonly publicKey: Bytes;
  /** As it is written: `name+hash+base64`. */
  readonly text: string;
}

/** Undefined for what is no Ed25519 key of a log or a witness, one whose hash is not its own included. */
export async function parseVerifierKey(text: string): Promise<VerifierKey | undefined> {
  const [, name = "", idHex = "", base64 = ""] = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text) ?? [];
  const typed = fromBase64(base64);
  const type = typed?.[0];
  if (typed?.length !== 33 || (type !== logType && type !== witnessType)) return undefined;
  const id = (await sha256(joined(utf8(`${name}\n`), typed))).slice(0, 4);
  if (toHex(id) !== idHex) return undefined;
  return { name, kind: type === logType ? "log" : "witness", id, publicKey: typed.slice(1), text };
}

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Bytes;
  /** Epoch milliseconds; 0 where it does not say. */
  readonly at: number;
}

/** What the text of a note says; undefined where it is no checkpoint. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const parts = /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n(?:at ([0-9]{1,15})\n)?(?:[^\n]+\n)*$/.exec(
    text,
  );
  const [, origin, size, root, at] = parts ?? [];
  const bytes = root === undefined ? undefined : fromBase64(root);
  if (origin === undefined || bytes === undefined || !Number.isSafeInteger(Number(size))) return undefined;
  return { origin, size: Number(size), root: bytes, at: Number(at ?? 0) };
}

/** `absent`: this key has not signed it; `unknown`: this browser has no Ed25519. */
export type Signed = "holds" | "fails" | "absent" | "unknown";

/** Whether the log's key signed the note; one false signature of it makes the whole note void. */
export async function signedByLog(note: Note, key: VerifierKey): Promise<Signed> {
  const ours = ofKey(note, key);
  return verified(
    key,
    ours.map(({ bytes }) => [utf8(note.text), bytes] as const),
  );
}

/** The same for a witness, which signs the time too. */
export async function signedByWitness(note: Note, key: VerifierKey): Promise<{ signed: Signed; at: number }> {
  const ours = ofKey(note, key);
  const signed = await verified(
    key,
    ours.map(({ bytes }) => [utf8(`cosignature/v1\ntime ${secondsIn(bytes)}\n${note.text}`), bytes.slice(8)] as const),
  );
  return { signed, at: Number(secondsIn(ours[0]?.bytes ?? new Uint8Array(8))) * 1000 };
}

const ofKey = (note: Note, key: VerifierKey) =>
  note.signatures.filter(({ name, id }) => name === key.name && isSame(id, key.id));

function secondsIn(bytes: Uint8Array): bigint {
  return bytes.length < 8 ? 0n : new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
}

async function verified(key: VerifierKey, signed: readonly (readonly [Bytes, Bytes])[]): Promise<Signed> {
  if (signed.length === 0) return "absent";
  let imported: CryptoKey;
  try {
    imported = await crypto.subtle.importKey("raw", key.publicKey, { name: "Ed25519" }, false, ["verify"]);
  } catch (error) {
    // A browser without the algorithm says so; 32 bytes that are no point of the curve are a false key.
    return error instanceof Error && error.name === "NotSupportedError" ? "unknown" : "fails";
  }
  for (const [message, signature] of signed) {
    if (!(await crypto.subtle.verify({ name: "Ed25519" }, imported, signature, message))) return "fails";
  }
  return "holds";
}
