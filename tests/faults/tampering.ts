import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createVirtualClock } from "#base/clock";
import { type Random, seededRandom } from "#base/id";
import { exportedLogNames as exportNames } from "#formats/api";
import { createMemoryEntryStore } from "#stores/memory";
import { createAuditLog, createCosigner, type LogVerdict } from "#trust/audit";
import { verifyExport } from "../../apps/cli/index.ts";
import { root } from "../house/index.ts";
import { type Chosen, chosenBy, type Export, kinds, type SignedExport } from "./tampering-kinds.ts";

/** What an auditor has beside the export: the log's key, a witness's key, the newest checkpoint he saw. */
interface Auditor {
  readonly keyFile: string;
  readonly witnessKeys: readonly string[];
  readonly seenFiles: readonly string[];
}

type Verdict = Pick<LogVerdict, "ok" | "size" | "vouchedUntil" | "witnesses"> & { readonly what?: string | undefined };

const cosigner = createCosigner("witness.test/1", Buffer.alloc(32, 77));
const newline = Buffer.from("\n");

/** A log of some size with some checkpoints, each signed by a witness too; from entry `forkAt` on another one of the same key. */
async function exportOf(
  seed: number,
  signing: number,
  name: string,
  forkAt = Number.POSITIVE_INFINITY,
): Promise<Export> {
  const chosen = chosenBy(seededRandom(seed));
  const clock = createVirtualClock();
  const store = createMemoryEntryStore();
  const log = await createAuditLog({ store, signingSeed: Buffer.alloc(32, signing), origin: name, clock });
  const size = 3 + chosen(seed % 5 === 0 ? 400 : 60);
  const stops = new Set([1 + chosen(size - 1), 1 + chosen(size - 1), size]);
  const notes: string[] = [];
  for (let at = 0; at < size; at++) {
    const act = at < forkAt ? "study.view" : "study.search";
    const on = { kind: "study", id: chosen(2 ** 30).toString(16) } as const;
    await log.append({ actor: "user:00", act, on, outcome: "done", counts: { at } });
    clock.advance(1000);
    if (stops.has(at + 1)) {
      const { note } = await log.checkpoint();
      notes.push(note + cosigner.cosign(note.slice(0, note.lastIndexOf("\n\n") + 1), clock.now()));
    }
  }
  const lines = await log.lines(0, size);
  return { lines, notes, key: log.verifierKey(), witnessKey: cosigner.verifierKey() };
}

function write(folder: string, { entries, checkpoints, key }: SignedExport): void {
  mkdirSync(folder);
  writeFileSync(join(folder, exportNames.entries), entries);
  writeFileSync(join(folder, exportNames.checkpoints), checkpoints);
  writeFileSync(join(folder, exportNames.key), key);
}

const asExported = ({ lines, notes, key }: Export): SignedExport => ({
  entries: Buffer.concat(lines.flatMap((line) => [line, newline])),
  checkpoints: Buffer.from(notes.join("")),
  key: Buffer.from(`${key}\n`),
});

/** The second verifier, in one process for all. */
function startPython() {
  const child = spawn("python3", [join(root, "tools", "verify_log.py"), "--many"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async verdict(folder: string, { keyFile, witnessKeys, seenFiles }: Auditor): Promise<Verdict> {
      child.stdin.write(`${JSON.stringify({ folder, key: keyFile, witnesses: witnessKeys, seen: seenFiles })}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error("the second verifier ended");
      return JSON.parse(value) as Verdict;
    },
    async end() {
      child.stdin.end();
      await once(child, "close");
    },
  };
}

/** No entry that is vouched for is another than the one that was exported. */
function checkVouched(said: Verdict, original: Export, entries: Buffer, what: string): void {
  const lines = original.lines.slice(0, said.vouchedUntil).flatMap((line) => [line, newline]);
  const vouched = Buffer.concat(lines);
  assert.ok(said.vouchedUntil <= original.lines.length, what);
  assert.ok(entries.subarray(0, vouched.length).equals(vouched), `${what}: vouches for what was changed`);
}

export interface Tampered {
  readonly kinds: number;
  readonly logs: number;
  readonly refused: number;
}

/** Makes logs, tampers with each in every kind, and has both verifiers look: both accept what is whole and refuse what is not. */
export async function tamper(options: {
  readonly logs: number;
  readonly seen?: (done: number) => void;
}): Promise<Tampered> {
  const home = mkdtempSync(join(tmpdir(), "lg-tampering-"));
  const python = startPython();
  let refused = 0;
  try {
    for (let seed = 1; seed <= options.logs; seed++) {
      const random: Random = seededRandom(seed * 7919);
      refused += await tamperWith(seed, chosenBy(random), home, python.verdict);
      options.seen?.(seed);
    }
  } finally {
    await python.end();
    rmSync(home, { recursive: true, force: true });
  }
  return { kinds: Object.keys(kinds).length, logs: options.logs, refused };
}

async function tamperWith(
  seed: number,
  chosen: Chosen,
  home: string,
  second: (folder: string, auditor: Auditor) => Promise<Verdict>,
): Promise<number> {
  const original = await exportOf(seed, seed % 200, `log.test/${seed}`);
  const others = {
    fork: await exportOf(seed, seed % 200, `log.test/${seed}`, chosen(original.lines.length)),
    resigned: await exportOf(seed, 201, `log.test/${seed}`),
    foreign: await exportOf(seed + 1, 202, "log.test/another"),
  };
  const folder = (name: string) => join(home, `${seed}-${name}`);
  const whole = asExported(original);
  write(folder("whole"), whole);
  const seenFile = join(folder("whole"), "seen.txt");
  writeFileSync(seenFile, original.notes.at(-1) ?? "");
  const auditor: Auditor = {
    keyFile: join(folder("whole"), exportNames.key),
    witnessKeys: [original.witnessKey],
    seenFiles: [seenFile],
  };
  const first = await verifyExport(folder("whole"), auditor);
  assert.deepEqual([first.ok, first.vouchedUntil], [true, original.lines.length], `log ${seed}: ${first.what}`);
  assert.deepEqual(await second(folder("whole"), auditor), { ...plain(first), what: null });
  for (const [kind, change] of Object.entries(kinds)) {
    const what = `log ${seed}, ${kind}`;
    const tampered = { ...whole, ...change({ ...original, ...others, whole, chosen }) };
    write(folder(kind), tampered);
    const one = await verifyExport(folder(kind), auditor);
    const two = await second(folder(kind), auditor);
    assert.equal(one.ok, false, `${what}: accepted by the first verifier`);
    assert.equal(two.ok, false, `${what}: accepted by the second verifier`);
    assert.deepEqual(two, plain(one), what);
    checkVouched(one, original, tampered.entries, what);
    rmSync(folder(kind), { recursive: true });
  }
  return Object.keys(kinds).length;
}

const plain = ({ ok, size, vouchedUntil, witnesses, what }: Verdict) => ({ ok, size, vouchedUntil, witnesses, what });
