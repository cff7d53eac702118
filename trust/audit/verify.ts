import type { Checkpoint } from "./audit.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { createNoteVerifier } from "./note.ts";
import { createTree } from "./tree.ts";

export interface ExportedLog {
  /** Lines as `AuditLog.lines` gives them, without newline, all from the first on. */
  readonly entries: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** Notes, oldest first. */
  readonly checkpoints: readonly string[];
  readonly verifierKey: string;
}

/** What can be said of an exported log. */
export interface LogVerdict {
  readonly ok: boolean;
  /** Entries that were there. */
  readonly size: number;
  /**
   * The first entry that cannot be vouched for: all before it are, byte for byte and in order, what was signed. With `ok` it
   * is the size of the latest checkpoint; entries behind that are not signed yet.
   */
  readonly vouchedUntil: number;
  /** The checkpoint that vouches for them. */
  readonly vouchedBy?: Checkpoint;
  /** What is wrong; absent when nothing is. */
  readonly what?: string;
}

/**
 * Proves a log from its exported lines and checkpoints and the public key alone. Each checkpoint's root is computed again
 * from the lines, so each two of them are consistent when all hold. Throws Problem "invalid" for what is no verifier key.
 */
export async function verifyLog({ entries, checkpoints: notes, verifierKey }: ExportedLog): Promise<LogVerdict> {
  const verifier = createNoteVerifier(verifierKey);
  const checkpoints = notes.map((note) => openCheckpoint(verifier, note));
  const badNote = checkpoints.indexOf(undefined);
  const good = (badNote < 0 ? checkpoints : checkpoints.slice(0, badNote)) as Checkpoint[];
  const tree = createTree();
  let next = 0;
  let vouchedBy: Checkpoint | undefined;
  let what: string | undefined;

  /** Compares with every checkpoint of the size that is reached. */
  const compare = () => {
    for (let due = good[next]; what === undefined && due !== undefined && due.size <= tree.size(); due = good[++next]) {
      if (due.size < tree.size()) what = `checkpoint ${next} is of a smaller tree than the one before it`;
      else if (!tree.root().equals(due.rootHash)) what = `the entries are not those that checkpoint ${next} signed`;
      else vouchedBy = due;
    }
  };
  compare();
  let size = 0;
  for await (const line of entries) {
    size++;
    if (what !== undefined) continue;
    tree.append(line);
    compare();
  }
  const missing = good[next];
  if (what === undefined && missing !== undefined)
    what = `${size} entries are there, checkpoint ${next} signed ${missing.size}`;
  if (what === undefined && badNote >= 0) what = `checkpoint ${badNote} is not signed by this key for this log`;
  if (what === undefined && notes.length === 0 && size > 0) what = "no checkpoint vouches for the entries";
  return {
    ok: what === undefined,
    size,
    vouchedUntil: vouchedBy?.size ?? 0,
    ...(vouchedBy === undefined ? {} : { vouchedBy }),
    ...(what === undefined ? {} : { what }),
  };
}
