import type { Clock, Timer } from "#base/clock";
import { asProblem, Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import type { AuditLog, Checkpoint, EntryDetail, NewEntry } from "./audit.ts";
import { openCheckpoint, signCheckpoint } from "./checkpoint.ts";
import type { SealedDetail } from "./detail-store.ts";
import { createDetails, type DetailParts, type Details } from "./details.ts";
import type { EntryStore } from "./entry-store.ts";
import { type KeptTree, openTree } from "./kept-tree.ts";
import { entryOf, lineOf } from "./line.ts";
import { createNoteSigner, createNoteVerifier, type NoteVerifier, textOfNote } from "./note.ts";

export interface AuditLogParts {
  readonly store: EntryStore;
  /** 32 bytes; the Ed25519 key that signs checkpoints comes from it. */
  readonly signingSeed: Uint8Array;
  /** Name of the log, for example `leadglass.example.org/audit/tenant`: no blank, no plus. */
  readonly origin: string;
  readonly clock: Clock;
  /** Where and how what is personal about entries is kept; without it no entry may have any. */
  readonly details?: DetailParts;
}

const checkpointEveryMs = 60_000;
const batchLinesMost = 1024;
const notesAtOnce = 256;

/**
 * Opens the log: proves that what is stored begins with what the latest checkpoint signed, and goes on from there.
 * Rejects with Problem "damaged" when it does not.
 */
export async function createAuditLog(parts: AuditLogParts): Promise<AuditLog> {
  const { store, signingSeed, origin, clock } = parts;
  const signer = createNoteSigner(origin, signingSeed);
  const verifier = createNoteVerifier(signer.verifierKey());
  const count = store.checkpointCount();
  const [found] = await readCheckpoints(store, verifier, Math.max(0, count - 1), count);
  const tree = await openTree(store, found);
  const checkpoints = createCheckpoints({ store, tree, clock, latest: found }, (head) =>
    signCheckpoint(signer, { origin, ...head }),
  );
  const details = parts.details === undefined ? undefined : createDetails(parts.details);
  const appending = createAppending({ store, tree, clock, details }, checkpoints.due);
  // What came behind the last checkpoint before a crash is signed in a minute too.
  if (tree.size() > (found?.size ?? 0)) checkpoints.due();
  let closed = false;
  const lines = (from: number, to: number) => {
    const end = Math.min(to, tree.size());
    return from < end ? store.read(Math.max(0, from), end) : Promise.resolve([]);
  };

  const entries = async (from: number, to: number) => (await lines(from, to)).map(entryOf);

  return {
    append: async (entry, detail) => {
      if (closed) throw new Problem("unavailable", "the audit log is closed");
      return appending.append(entry, detail);
    },
    size: tree.size,
    latestCheckpoint: checkpoints.latest,
    checkpoint: checkpoints.sign,
    addCosignature: checkpoints.addCosignature,
    entries,
    lines,
    prove: tree.prove,
    proveConsistency: tree.proveConsistency,
    subtrees: tree.subtrees,
    async details(from, to) {
      const found = await entries(from, to);
      const revealed = await details?.reveal(found);
      return new Map(
        found.flatMap(({ detail }, at) => {
          const one = detail === undefined ? undefined : revealed?.get(detail);
          return one === undefined ? [] : [[Math.max(0, from) + at, one] as const];
        }),
      );
    },
    eraseDetails: async (from, to) => (await details?.erase(await entries(from, to))) ?? 0,
    async *checkpoints() {
      const end = store.checkpointCount();
      for (let from = 0; from < end; from += notesAtOnce) {
        yield* await readCheckpoints(store, verifier, from, Math.min(end, from + notesAtOnce));
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

/** With their cosignatures; what is none, after damage, is left out: the log does not rest on them. */
async function readCheckpoints(store: EntryStore, verifier: NoteVerifier, from: number, to: number) {
  const cosignatures = await store.readCosignatures(from, to);
  const notes = await store.readCheckpoints(from, to);
  return notes.map((note, at) => {
    const checkpoint = checkpointOf(note.toString("utf8"), verifier);
    const cosigned = `${checkpoint.note}${cosignatures[at] ?? ""}`;
    return textOfNote(cosigned) === undefined ? checkpoint : { ...checkpoint, note: cosigned };
  });
}

function checkpointOf(note: string, verifier: NoteVerifier): Checkpoint {
  const checkpoint = openCheckpoint(verifier, note);
  if (checkpoint !== undefined) return checkpoint;
  throw new Problem("damaged", "a checkpoint of the audit log is not signed by this log's key", {
    remedy: "check that the log and the keys belong to the same home",
  });
}

interface Waiting {
  readonly line: Buffer;
  readonly detail: SealedDetail | undefined;
  resolve(index: number): void;
  reject(problem: Problem): void;
}

interface AppendingParts {
  readonly store: EntryStore;
  readonly tree: KeptTree;
  readonly clock: Clock;
  readonly details: Details | undefined;
}

/** Callers that come while a write is under way share the next one. */
function createAppending({ store, tree, clock, details }: AppendingParts, appended: () => void) {
  let queue: Waiting[] = [];
  let running: Promise<void> | undefined;

  const writeBatch = async (batch: readonly Waiting[]): Promise<void> => {
    const sealed = batch.map(({ detail }) => detail).filter((detail) => detail !== undefined);
    // Side by side: a detail whose entry was not written is of no entry, and says nothing to anybody.
    const [written, kept] = await Promise.allSettled([
      store.append(batch.map(({ line }) => line)),
      sealed.length === 0 ? undefined : details?.put(sealed),
    ]);
    if (written.status === "rejected") {
      const problem = asProblem(written.reason, "writing the audit log");
      for (const { reject } of batch) reject(problem);
      return;
    }
    for (const { line, detail, resolve, reject } of batch) {
      const index = tree.size();
      tree.append(line);
      // The entry stands in the log, its act fails: it was not to be done without what it is about.
      if (kept.status === "rejected" && detail !== undefined)
        reject(asProblem(kept.reason, "keeping details of the log"));
      else resolve(index);
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
    append(entry: NewEntry, given: EntryDetail | undefined): Promise<number> {
      if (given !== undefined && details === undefined) throw new Problem("fault", "this log keeps no details");
      const detail = given === undefined ? undefined : details?.commit(given);
      const committed = detail === undefined ? entry : { ...entry, detail: detail.commitment };
      const line = lineOf({ ...committed, at: clock.now() });
      return new Promise((resolve, reject) => {
        queue.push({ line, detail, resolve, reject });
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
  const signing = createTurns();
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
  const sign = () => signing.take(signNow);
  /** Number of the checkpoint of a size; they grow. */
  const numberOf = async (size: number): Promise<number> => {
    let [low, high] = [0, store.checkpointCount()];
    while (low < high) {
      const middle = (low + high) >> 1;
      const [note] = await store.readCheckpoints(middle, middle + 1);
      const found = Number(note?.toString("utf8").split("\n")[1]);
      if (found === size) return middle;
      if (found < size) low = middle + 1;
      else high = middle;
    }
    throw new Problem("absent", "the log has no checkpoint of this size");
  };
  const adding = createTurns();
  const addNow = async (size: number, line: string): Promise<void> => {
    const number = await numberOf(size);
    const signer = line.slice(0, line.indexOf(" ", 2) + 1);
    const [held] = await store.readCosignatures(number, number + 1);
    const others = String(held)
      .split(/(?<=\n)/)
      .filter((other) => other !== "" && !other.startsWith(signer));
    await store.writeCosignatures(number, Buffer.from([...others, line].join("")));
    if (latest?.size !== size) return;
    const own = latest.note.slice(0, latest.note.indexOf("\n", latest.note.lastIndexOf("\n\n") + 2) + 1);
    latest = { ...latest, note: [own, ...others, line].join("") };
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
    addCosignature: (size: number, line: string) => adding.take(() => addNow(size, line)),
    due,
    stop() {
      stopped = true;
      timer?.stop();
    },
  };
}
