import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import { createTurns, type Turns } from "#base/turns";
import { readAddCheckpoint } from "./add-checkpoint.ts";
import type { Checkpoint } from "./audit.ts";
import { openCheckpoint, originOfNote } from "./checkpoint.ts";
import { type Cosigner, createNoteVerifier, type NoteVerifier, textOfNote } from "./note.ts";
import { emptyRoot, verifyConsistency } from "./tree.ts";
import type { WitnessRecord } from "./witness-record.ts";

/** An HTTP answer. */
export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422;
  readonly type: string;
  readonly body: string;
}

/** Signs each log's checkpoints, each only when its tree begins with the one that was signed before. */
export interface Witness {
  /** Answers one request of C2SP tlog-witness. Rejects, and has signed nothing, when what it knows cannot be kept. */
  addCheckpoint(body: Uint8Array): Promise<WitnessAnswer>;
  /** Size of the newest tree that was signed of each log, by its name. */
  known(): ReadonlyMap<string, number>;
}

interface WatchedLog {
  readonly verifiers: readonly NoteVerifier[];
  newest: Checkpoint | undefined;
  /** One request for a log at a time: between looking and keeping nothing else may be kept. */
  readonly turns: Turns;
}

/**
 * `logKeys`: the verifier keys of the logs that are watched. Rejects with Problem "damaged" when what is kept of one of them was
 * not signed by its key.
 */
export async function createWitness(parts: {
  readonly cosigner: Cosigner;
  readonly logKeys: readonly string[];
  readonly record: WitnessRecord;
  readonly clock: Clock;
}): Promise<Witness> {
  const { cosigner, record, clock } = parts;
  const logs = new Map<string, WatchedLog>();
  for (const verifier of parts.logKeys.map(createNoteVerifier)) {
    const verifiers = [...(logs.get(verifier.name)?.verifiers ?? []), verifier];
    logs.set(verifier.name, { verifiers, newest: undefined, turns: createTurns() });
  }
  for (const [name, log] of logs) {
    const note = await record.read(name);
    log.newest = note === undefined ? undefined : openedBy(log.verifiers, note);
    if (note !== undefined && log.newest === undefined) throw notKnown(name);
  }

  const decide = async (log: WatchedLog, oldSize: number, proof: readonly Buffer[], next: Checkpoint) => {
    const known = log.newest?.size ?? 0;
    const knownRoot = log.newest?.rootHash ?? emptyRoot;
    if (oldSize > next.size) return said(400, "the old size is larger than the checkpoint's");
    if (oldSize !== known) return conflict(known);
    if (next.size === 0 && !next.rootHash.equals(emptyRoot)) return said(422, "an empty tree has another root");
    if (next.size === known && log.newest !== undefined && !next.rootHash.equals(knownRoot)) return conflict(known);
    const holds =
      known === 0 ? proof.length === 0 : verifyConsistency(known, knownRoot, next.size, next.rootHash, proof);
    if (!holds) return said(422, "the tree does not begin with the one that was signed before");
    // Kept before it is signed: a signature that nobody remembers could be followed by one of another tree.
    await record.write(next.origin, next.note);
    log.newest = next;
    const line = cosigner.cosign(textOfNote(next.note) ?? "", clock.now());
    return { status: 200, type: "text/plain; charset=utf-8", body: line } as const;
  };

  return {
    async addCheckpoint(body) {
      const request = readAddCheckpoint(body);
      const origin = request && originOfNote(request.note);
      if (request === undefined || origin === undefined) return said(400, "not an add-checkpoint request");
      const log = logs.get(origin);
      if (log === undefined) return said(404, "this log is not watched here");
      const next = openedBy(log.verifiers, request.note);
      if (next === undefined) return said(403, "no key of this log signed the checkpoint");
      return log.turns.take(() => decide(log, request.oldSize, request.proof, next));
    },
    known: () => new Map([...logs].map(([name, { newest }]) => [name, newest?.size ?? 0])),
  };
}

function openedBy(verifiers: readonly NoteVerifier[], note: string): Checkpoint | undefined {
  for (const verifier of verifiers) {
    const checkpoint = openCheckpoint(verifier, note);
    if (checkpoint !== undefined) return checkpoint;
  }
  return undefined;
}

const said = (status: 400 | 403 | 404 | 422, why: string): WitnessAnswer => ({
  status,
  type: "text/plain; charset=utf-8",
  body: `${why}\n`,
});

const conflict = (known: number): WitnessAnswer => ({ status: 409, type: "text/x.tlog.size", body: `${known}\n` });

const notKnown = (name: string) =>
  new Problem("damaged", `what the witness keeps of the log ${name} is not signed by a key it was given`, {
    remedy: "give the key that the log had then too, with another --log; never delete what the witness keeps",
  });
