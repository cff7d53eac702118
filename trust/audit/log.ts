import type { Clock, Timer } from "#base/clock";
import { asProblem, Problem } from "#base/problem";
import type { AuditEntry, AuditLog, Checkpoint } from "./audit.ts";
import { openCheckpoint, signCheckpoint } from "./checkpoint.ts";
import type { EntryStore } from "./entry-store.ts";
import { type KeptTree, openTree } from "./kept-tree.ts";
import { entryOf, lineOf } from "./line.ts";
import { createNoteSigner, createNoteVerifier, type NoteVerifier } from "./note.ts";

export interface AuditLogParts {
  readonly store: EntryStore;
  /** 32 bytes; the Ed25519 key that signs checkpoints comes from it. */
  readonly signingSeed: Uint8Array;
  /** Name of the log, for example `leadglass.example.org/audit/tenant`: no blank, no plus. */
  readonly origin: string;
  readonly clock: Clock;
}

const checkpointEveryMs = 60_000;
const batchLinesMost = 1024;
const notesAtOnce = 256;

/**
 * Opens the log: proves that what is stored begins with what the latest checkpoint signed, and goes on from there.
 * Rejects with Problem "damaged" when it does not.
 */
export async function createAuditLog({ store, signingSeed, origin, clock }: AuditLogParts): Promise<AuditLog> {
  const signer = createNoteSigner(origin, signingSeed);
  const verifier = createNoteVerifier(signer.verifierKey());
  const count = store.checkpointCount();
  const [note] = count === 0 ? [] : await store.readCheckpoints(count - 1, count);
  const found = note === undefined ? undefined : checkpointOf(note, verifier);
  const tree = await openTree(store, found);
  const checkpoints = createCheckpoints({ store, tree, clock, latest: found }, (head) =>
    signCheckpoint(signer, { origin, ...head }),
  );
  const appending = createAppending(store, tree, clock, checkpoints.due);
  // What came behind the last checkpoint before a crash is signed in a minute too.
  if (tree.size() > (found?.size ?? 0)) checkpoints.due();
  let closed = false;
  const lines = (from: number, to: number) => {
    const end = Math.min(to, tree.size());
    return from < end ? store.read(Math.max(0, from), end) : Promise.resolve([]);
  };

  return {
    append: async (entry) => {
      if (closed) throw new Problem("unavailable", "the audit log is closed");
      return appending.append(entry);
    },
    size: tree.size,
    latestCheckpoint: checkpoints.latest,
    checkpoint: checkpoints.sign,
    entries: async (from, to) => (await lines(from, to)).map(entryOf),
    lines,
    prove: tree.prove,
    proveConsistency: tree.proveConsistency,
    async *checkpoints() {
      const end = store.checkpointCount();
      for (let from = 0; from < end; from += notesAtOnce) {
        const notes = await store.readCheckpoints(from, Math.min(end, from + notesAtOnce));
        for (const one of notes) yield checkpointOf(one, verifier);
      }
    },
    verifierKey: signer.verifierKey,
    async close() {
      if (closed) return;
      closed = true;
      checkpoints.stop();
      await appending.idle();
      try {
        if (tree.size() > (checkpoints.latest()?.size ?? 0)) await checkpoints.sign();
      } finally {
        await store.close();
      }
    },
  };
}

function checkpointOf(note: Buffer, verifier: NoteVerifier): Checkpoint {
  const checkpoint = openCheckpoint(verifier, note.toString("utf8"));
  if (checkpoint !== undefined) return checkpoint;
  throw new Problem("damaged", "a checkpoint of the audit log is not signed by this log's key", {
    remedy: "check that the log and the keys belong to the same home",
  });
}

interface Waiting {
  readonly line: Buffer;
  resolve(index: number): void;
  reject(problem: Problem): void;
}

/** Callers that come while a write is under way share the next one. */
function createAppending(store: EntryStore, tree: KeptTree, clock: Clock, appended: () => void) {
  let queue: Waiting[] = [];
  let running: Promise<void> | undefined;

  const writeBatch = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      await store.append(batch.map(({ line }) => line));
    } catch (error) {
      const problem = asProblem(error, "writing the audit log");
      for (const { reject } of batch) reject(problem);
      return;
    }
    for (const { line, resolve } of batch) {
      resolve(tree.size());
      tree.append(line);
    }
    appended();
    // Hashes can be made again: a failure here comes back when the next checkpoint needs them.
    await tree.relieve().catch(() => {});
  };
  const run = async (): Promise<void> => {
    // Those that are appended in the same turn go together.
    await undefined;
    while (queue.length > 0) {
      const batch = queue.slice(0, batchLinesMost);
      queue = queue.slice(batchLinesMost);
      await writeBatch(batch);
    }
    running = undefined;
  };
  return {
    append(entry: Omit<AuditEntry, "at">): Promise<number> {
      const line = lineOf({ ...entry, at: clock.now() });
      return new Promise((resolve, reject) => {
        queue.push({ line, resolve, reject });
        running ??= run();
      });
    },
    idle: async () => running,
  };
}

interface CheckpointParts {
  readonly store: EntryStore;
  readonly tree: KeptTree;
  readonly clock: Clock;
  readonly latest: Checkpoint | undefined;
}

function createCheckpoints(
  { store, tree, clock, latest: found }: CheckpointParts,
  signed: (head: Pick<Checkpoint, "size" | "rootHash" | "at">) => Checkpoint,
) {
  let latest = found;
  let timer: Timer | undefined;
  let signing: Promise<unknown> = Promise.resolve();
  let stopped = false;

  const signNow = async (): Promise<Checkpoint> => {
    const head = { size: tree.size(), rootHash: tree.root(), at: clock.now() };
    if (latest !== undefined && latest.size === head.size) return latest;
    // The hashes first: a checkpoint says that they are there.
    await tree.settle();
    const checkpoint = signed(head);
    await store.appendCheckpoint(Buffer.from(checkpoint.note));
    latest = checkpoint;
    return checkpoint;
  };
  const sign = (): Promise<Checkpoint> => {
    const next = signing.then(signNow, signNow);
    signing = next.catch(() => {});
    return next;
  };
  /** There are entries without a checkpoint: sign within a minute. One that fails is tried again a minute later. */
  const due = (): void => {
    if (timer !== undefined || stopped) return;
    timer = clock.after(checkpointEveryMs, () => {
      timer = undefined;
      sign().then(
        () => tree.size() > (latest?.size ?? 0) && due(),
        () => due(),
      );
    });
  };
  return {
    latest: () => latest,
    sign,
    due,
    stop() {
      stopped = true;
      timer?.stop();
    },
  };
}
