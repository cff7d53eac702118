import type { Checkpoint } from "./audit.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { lineBytesMost } from "./line.ts";
import { type CosignatureVerifier, createCosignatureVerifier, createNoteVerifier, type NoteVerifier } from "./note.ts";
import { createTree, zeroedLeafHash } from "./tree.ts";

export interface ExportedLog {
  /** Lines as `AuditLog.lines` gives them, all from the first on, a newline behind each, cut into pieces anywhere. */
  readonly text: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** Notes, oldest first. */
  readonly checkpoints: readonly string[];
  readonly verifierKey: string;
  /** Keys of witnesses: what one of them has not signed is not vouched for. */
  readonly witnessKeys?: readonly string[];
  /** Notes of this log that the auditor kept from before: the log has to go on from each. */
  readonly seen?: readonly string[];
}

/** What can be said of an exported log. */
export interface LogVerdict {
  /** Every entry is vouched for and nothing is there that is not. */
  readonly ok: boolean;
  /** Entries that were there. */
  readonly size: number;
  /** The first entry that cannot be vouched for: all before it are, byte for byte and in order, what was signed. */
  readonly vouchedUntil: number;
  /** The checkpoint that vouches for them. */
  readonly vouchedBy?: Checkpoint;
  /** Names of the witnesses that signed it too. */
  readonly witnesses: readonly string[];
  /** What is wrong; absent when nothing is. */
  readonly what?: string;
}

/**
 * Proves a log from its exported lines and checkpoints and public keys alone. Each checkpoint's root is computed again from the
 * lines, so each two of them are consistent when all hold. Throws Problem "invalid" for what is no verifier key.
 */
export async function verifyLog(log: ExportedLog): Promise<LogVerdict> {
  const { claims, newest, bad } = readClaims(log);
  const tree = createTree();
  let next = 0;
  let vouched: Claim | undefined;
  let what: string | undefined;

  /** Compares with all that was claimed of the size that is reached. */
  const compare = () => {
    for (let claim = claims[next]; claim?.size === tree.size() && what === undefined; claim = claims[++next]) {
      if (!tree.root().equals(claim.rootHash)) what = `the entries are not those that ${claim.name} signed`;
      else if (claim.own && claim.unwitnessed.length === 0) vouched = claim;
    }
  };
  compare();
  const { size, torn } = await takeLines(log.text, (leaf) => {
    if (what !== undefined) return;
    tree.appendLeaf(leaf);
    if (claims[next]?.size === tree.size()) compare();
  });
  const missing = claims[next];
  what ??= torn;
  if (missing !== undefined) what ??= `${size} entries are there, ${missing.name} signed ${missing.size}`;
  what ??= bad ?? unvouched(size, newest);
  return {
    ok: what === undefined,
    size,
    vouchedUntil: vouched?.size ?? 0,
    ...(vouched === undefined ? {} : { vouchedBy: vouched.checkpoint }),
    witnesses: vouched?.witnesses ?? [],
    ...(what === undefined ? {} : { what }),
  };
}

function unvouched(size: number, newest: Claim | undefined): string | undefined {
  if (newest === undefined) return "there is no checkpoint";
  if (size > newest.size) return `no checkpoint vouches for the last ${size - newest.size} entries`;
  const [absent] = newest.unwitnessed;
  return absent === undefined ? undefined : `the newest checkpoint is not signed by the witness ${absent}`;
}

/** That the log of so many entries had this root. */
interface Claim {
  readonly size: number;
  readonly rootHash: Buffer;
  readonly checkpoint: Checkpoint;
  readonly name: string;
  /** From the export itself, not from what the auditor kept. */
  readonly own: boolean;
  readonly witnesses: readonly string[];
  readonly unwitnessed: readonly string[];
}

/** All claims by size, up to the first note that is not what it must be. */
function readClaims({ checkpoints, verifierKey, witnessKeys = [], seen = [] }: ExportedLog) {
  const verifier = createNoteVerifier(verifierKey);
  const witnesses = witnessKeys.map(createCosignatureVerifier);
  const claims: Claim[] = [];
  let bad: string | undefined;
  for (const [at, note] of checkpoints.entries()) {
    const claim = claimOf(note, `checkpoint ${at}`, verifier, witnesses);
    const before = claims.at(-1)?.size ?? -1;
    if (typeof claim === "string") bad = claim;
    else if (claim.size <= before) bad = `checkpoint ${at} is not of a larger tree than the one before it`;
    else {
      claims.push(claim);
      continue;
    }
    break;
  }
  const newest = claims.at(-1);
  for (const note of seen) {
    const claim = claimOf(note, "a checkpoint kept from before", verifier, []);
    if (typeof claim === "string") bad ??= claim;
    else claims.push({ ...claim, own: false });
  }
  return { claims: claims.sort((a, b) => a.size - b.size), newest, bad };
}

/** The claim, or what is wrong with the note. */
function claimOf(
  note: string,
  name: string,
  verifier: NoteVerifier,
  witnesses: readonly CosignatureVerifier[],
): Claim | string {
  const checkpoint = openCheckpoint(verifier, note);
  if (checkpoint === undefined) return `${name} is not signed by this key for this log`;
  const { size, rootHash } = checkpoint;
  const found = witnesses.map((witness) => ({ witness: witness.name, signed: witness.find(note) }));
  const forged = found.find(({ signed }) => signed === "void");
  if (forged !== undefined) return `${name} holds a false signature of the witness ${forged.witness}`;
  const named = (by: typeof found) => by.map(({ witness }) => witness);
  return {
    ...{ size, rootHash, checkpoint, name, own: true },
    witnesses: named(found.filter(({ signed }) => signed !== undefined)),
    unwitnessed: named(found.filter(({ signed }) => signed === undefined)),
  };
}

const newline = 0x0a;

/** Hashes each line where it lies: the byte before it, the newline of the last, becomes the zero of RFC 6962 §2.1. */
async function takeLines(text: ExportedLog["text"], take: (leaf: Buffer) => void) {
  let size = 0;
  /** What came of a line whose newline has not. */
  let begun = Buffer.alloc(0);
  for await (const piece of text) {
    const bytes = Buffer.concat([Buffer.of(0), begun, piece]);
    let start = 1;
    for (let end = bytes.indexOf(newline, start); end >= 0; end = bytes.indexOf(newline, start)) {
      bytes[start - 1] = 0;
      take(zeroedLeafHash(bytes.subarray(start - 1, end)));
      size++;
      start = end + 1;
    }
    begun = bytes.subarray(start);
    if (begun.length > lineBytesMost) return { size, torn: `entry ${size} is longer than an entry can be` };
  }
  return { size, torn: begun.length > 0 ? `entry ${size} is cut off` : undefined };
}
