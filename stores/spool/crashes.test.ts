import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock, type VirtualClock } from "#base/clock";
import { seededRandom } from "#base/id";
import {
  crashState,
  createFaultyFiles,
  createTracedFiles,
  type FaultPlan,
  type FileCall,
  type Files,
  type Unsynced,
} from "#base/io";
import { isProblem, Problem } from "#base/problem";
import { type ParcelNote, type Spool, urgencies } from "#radiology/uplink";
import { noteOf, tokenOf } from "../../radiology/uplink/spool.contract.ts";
import { createIndexHistory, type IndexHistory } from "../sql/spool-index.fixture.ts";
import { openSpool } from "./index.ts";

function openOn(files: Files, { index }: IndexHistory, clock: VirtualClock = createVirtualClock()): Promise<Spool> {
  const sizes = { lanes: 3, segmentBytes: 30_000, segmentsLeast: 1, reserveBytes: 0 };
  return openSpool({ files, folder: "spool", clock, openIndex: async () => index, ...sizes });
}

interface Parcel {
  readonly name: string;
  readonly bytes: number;
  readonly note: ParcelNote;
  readonly isAborted: boolean;
}

const contents = new Map<string, Buffer>();

function contentOf({ name, bytes }: Pick<Parcel, "name" | "bytes">): Buffer {
  const content = contents.get(name) ?? Buffer.from(seededRandom(contents.size + 1)(Buffer.alloc(bytes)));
  contents.set(name, content);
  return content;
}

function parcel(
  name: string,
  bytes: number,
  changed: Partial<ParcelNote> & { readonly isAborted?: boolean } = {},
): Parcel {
  const { isAborted = false, ...noted } = changed;
  const note = noteOf(name, contentOf({ name, bytes }), { subject: tokenOf(`subject of ${name}`), ...noted });
  return { name, bytes, note, isAborted };
}

type Deed = "put" | "settle" | "aside" | "drop";

/** What was asked of a spool, and since which step of the trace it is known to be done. */
interface Asked {
  readonly deed: Deed;
  readonly of: Parcel;
  readonly begunAt: number;
  doneAt: number;
}

interface Ledger {
  readonly asked: readonly Asked[];
  readonly refusals: readonly unknown[];
  doing(deed: Deed, of: Parcel, work: () => Promise<unknown>): Promise<void>;
  told(work: Promise<unknown>): Promise<void>;
}

function createLedger(position: () => number): Ledger {
  const asked: Asked[] = [];
  const refusals: unknown[] = [];
  const told = (work: Promise<unknown>) =>
    work.then(
      () => {},
      (error) => void refusals.push(error),
    );
  return {
    ...{ asked, refusals, told },
    doing: (deed, of, work) => {
      const act = { deed, of, begunAt: position(), doneAt: Number.POSITIVE_INFINITY };
      asked.push(act);
      return told(
        work().then(() => {
          act.doneAt = position();
        }),
      );
    },
  };
}

async function put(spool: Spool, of: Parcel): Promise<void> {
  const writer = await spool.begin();
  const content = contentOf(of);
  for (let at = 0; at < of.bytes; at += 9000) await writer.write([content.subarray(at, at + 9000)]);
  if (of.isAborted) await writer.abort();
  else await writer.commit(of.note);
}

/** Parcels of every kind over several segments, most of which go; what is left moves together. */
async function work(spool: Spool, ledger: Ledger, clock: VirtualClock): Promise<void> {
  const keep = (of: Parcel) => ledger.doing("put", of, () => put(spool, of));
  const settle = (of: Parcel) => ledger.doing("settle", of, () => spool.settle(of.note.id, Buffer.from(of.name), 9));
  const pause = async () => {
    clock.advance(30);
    for (let turns = 0; turns < 4; turns++) await new Promise<void>((resolve) => setImmediate(resolve));
  };
  const first = parcel("a first", 100, { urgency: "first" });
  const long = parcel("a long one", 50_000);
  const many = Array.from({ length: 9 }, (_, at) => parcel(`m${at}`, at === 4 ? 0 : at === 3 ? 600 : 4000 + 2000 * at));
  const orders = Array.from({ length: 3 }, (_, at) => parcel(`o${at}`, 300, { inOrder: true, subject: undefined }));
  await keep(first);
  await keep(parcel("dropped", 20_000, { isAborted: true }));
  await Promise.all([keep(long), ...many.slice(0, 4).map(keep), keep(parcel("gone", 30_000, { isAborted: true }))]);
  for (const each of orders) await keep(each);
  await pause();
  await Promise.all(many.slice(4).map(keep));
  await Promise.all([
    ledger.told(put(spool, first)),
    ledger.told(put(spool, first)),
    ledger.told(spool.take("routine", 3)),
  ]);
  await Promise.all([...many.slice(0, 3), ...many.slice(5)].map(settle));
  await pause();
  const [aside, dropped] = [many[3] ?? first, many[4] ?? first];
  const refused = new Problem("invalid", "not wanted");
  await ledger.doing("aside", aside, () => spool.setAside(aside.note.id, refused, 7));
  await ledger.doing("aside", dropped, () => spool.setAside(dropped.note.id, refused, 8));
  await ledger.doing("drop", dropped, () => spool.drop(dropped.note.id));
  await settle(long);
  for (let round = 0; round < 10; round++) {
    const small = parcel(`s${round}`, 200 + round);
    await keep(small);
    await (round % 3 === 0 ? ledger.told(spool.putBack(small.note.id, clock.now() + 5)) : settle(small));
    await pause();
  }
}

/** What a spool holds is what it must: nothing lost, nothing half, nothing twice, in order. Gives who is there. */
async function check(
  spool: Spool,
  ledger: Ledger,
  steps: number,
  isIndexLost: boolean,
  where: string,
): Promise<string[]> {
  const there: string[] = [];
  const of = new Map(ledger.asked.filter(({ begunAt }) => begunAt <= steps).map((act) => [act.of.name, act.of]));
  for (const each of of.values()) {
    const deeds = ledger.asked.filter((act) => act.of === each && act.begunAt <= steps);
    const isDone = (deed: Deed) => deeds.some((act) => act.deed === deed && act.doneAt <= steps);
    const isBegun = (deed: Deed) => deeds.some((act) => act.deed === deed);
    const read = await readAll(spool, each);
    if (read !== undefined) there.push(each.name);
    const isGone = isBegun("settle") || isBegun("drop") || each.isAborted;
    if (isDone("put") && !isGone) assert.ok(read !== undefined, `${each.name} was lost ${where}`);
    if (read !== undefined) assert.ok(read.equals(contentOf(each)), `${each.name} is not what was put ${where}`);
    assert.ok(!each.isAborted || read === undefined, `${each.name} was aborted and is there ${where}`);
    // Of what was never put nothing becomes.
    if (isIndexLost || each.note.subject === undefined || !isDone("put")) continue;
    const standing = await spool.standing(each.note.subject);
    if (isDone("settle")) {
      assert.equal(standing?.state, "arrived", `the receipt of ${each.name} was lost ${where}`);
      assert.equal(read, undefined, `${each.name} was settled and is there ${where}`);
    }
    if (isDone("aside") && !isBegun("drop")) assert.equal(standing?.state, "aside", `${each.name} is aside ${where}`);
  }
  return there;
}

async function readAll(spool: Spool, { note }: Parcel): Promise<Buffer | undefined> {
  try {
    return Buffer.from(await spool.read(note.id, 0, note.length));
  } catch (error) {
    assert.ok(isProblem(error, "absent"), String(error));
    return undefined;
  }
}

/** Takes and settles everything, as a link would. */
async function drain(spool: Spool): Promise<string[]> {
  await spool.again();
  const ids: string[] = [];
  for (let given = -1; given !== ids.length; ) {
    given = ids.length;
    for (const urgency of urgencies) {
      for (const { id } of await spool.take(urgency, 4)) {
        ids.push(id);
        await spool.settle(id, Buffer.from("receipt"), 10);
      }
    }
  }
  return ids;
}

async function checkDrained(spool: Spool, there: readonly string[], where: string): Promise<void> {
  const ids = await drain(spool);
  assert.deepEqual([...ids].sort(), there.map(tokenOf).sort(), `what is given ${where}`);
  const orders = ids.filter((id) => [0, 1, 2].some((at) => tokenOf(`o${at}`) === id));
  const expected = [0, 1, 2].map((at) => tokenOf(`o${at}`)).filter((id) => ids.includes(id));
  assert.deepEqual(orders, expected, `the order ${where}`);
  assert.deepEqual(spool.state(), { parcels: 0, bytes: 0, oldestAt: null, aside: 0 });
}

const random = seededRandom(5);
const chance = () => (random(new Uint8Array(1))[0] ?? 0) / 256;
const clockAfter = () => createVirtualClock(1_700_000_100_000);

// Done before the test begins: node:test follows every promise that is made inside of one, which doubles the time.
async function crashEverywhere(): Promise<number> {
  const traced = createTracedFiles();
  const position = () => traced.trace.length;
  const history = await createIndexHistory(position);
  const clock = createVirtualClock();
  const ledger = createLedger(position);
  const spool = await openOn(traced.files, history, clock);
  await work(spool, ledger, clock);
  assert.deepEqual(ledger.refusals, []);
  await spool.close();
  const removed = traced.trace.filter(({ kind }) => kind === "remove").length;
  assert.ok(removed >= 3, `${removed} segments were emptied`);
  let states = 0;
  for (let steps = 0; steps <= traced.trace.length; steps++) {
    for (const unsynced of ["kept", "dropped", "mixed"] as const) {
      const { least, most } = history.standingAt(steps);
      const isIndexLost = chance() < 0.15;
      const commits = isIndexLost ? 0 : least + Math.floor(chance() * (most - least + 1));
      const where = `at step ${steps}, ${unsynced}, ${commits} commits`;
      const { files } = createTracedFiles(crashState(traced.trace, steps, unsynced, chance).disk);
      const again = await history.asOf(commits);
      const second = await openOn(files, again, clockAfter());
      const there = await check(second, ledger, steps, isIndexLost, where);
      const after = parcel("after", 500);
      await put(second, after);
      await second.close();
      const third = await openOn(files, again, clockAfter());
      assert.deepEqual(await check(third, ledger, steps, isIndexLost, where), there, where);
      await checkDrained(third, [...there, "after"], where);
      await third.close();
      states++;
    }
  }
  return states;
}

/** What each fault may meet: a full disk what takes room, a table of files that is full what opens one. */
const faults = {
  EIO: () => true,
  ENOSPC: (kind: FileCall["kind"]) => kind === "write" || kind === "sync",
  EMFILE: (kind: FileCall["kind"]) => kind === "open" || kind === "syncFolder",
};

/** A run in which one call to the files fails, or one commit of the index; then a crash. */
async function runFailing(
  plan: FaultPlan,
  unsynced: Unsynced,
  at?: { readonly commit: number; readonly error: Problem },
) {
  const traced = createTracedFiles();
  const faulty = createFaultyFiles(traced.files, plan);
  const position = () => traced.trace.length;
  const history = await createIndexHistory(position);
  if (at !== undefined) history.failAt(at.commit, at.error);
  const clock = createVirtualClock();
  const ledger = createLedger(position);
  const spool = await openOn(faulty, history, clock).catch((error) => void ledger.told(Promise.reject(error)));
  if (spool) await work(spool, ledger, clock);
  await spool?.close();
  const broken = faulty.calls.find((call) => call.isFailed);
  const where = at === undefined ? `after ${broken?.kind} failed` : `after commit ${at.commit} met ${at.error.code}`;
  for (const error of ledger.refusals) assert.ok(isProblem(error), `${error} ${where}`);
  if (broken?.kind === "sync" || broken?.kind === "write") {
    const later = faulty.calls.slice(faulty.calls.indexOf(broken) + 1);
    const more = later.filter(({ kind, path }) => path === broken.path && (kind === "sync" || kind === "write"));
    assert.deepEqual(more, [], `nothing is written or synced behind a failed ${broken.kind}`);
  }
  const { disk } = crashState(traced.trace, position(), unsynced, chance);
  const index = await history.asOf(history.standingAt(position()).least);
  const again = await openOn(createTracedFiles(disk).files, index, clockAfter());
  await checkDrained(again, await check(again, ledger, position(), false, where), where);
  await again.close();
  return { calls: faulty.calls, refusals: ledger.refusals, commits: history.standingAt(position()).most };
}

async function failEverywhere(): Promise<number> {
  let runs = 0;
  const { calls, commits } = await runFailing(() => undefined, "dropped");
  for (const code of ["EIO", "ENOSPC", "EMFILE"] as const) {
    for (const [nth, { kind: met }] of calls.entries()) {
      if (!faults[code](met)) continue;
      const isPartial = met === "write" && nth % 2 === 1;
      const plan: FaultPlan = ({ kind }, index) =>
        index === nth ? { code, ...(isPartial && kind === "write" && { writtenBytes: 5000 }) } : undefined;
      await runFailing(plan, code === "EIO" ? "mixed" : "dropped");
      runs++;
    }
  }
  for (const code of ["no-room", "fault", "damaged"] as const) {
    for (let commit = 0; commit < commits; commit++) {
      await runFailing(() => undefined, "dropped", { commit, error: new Problem(code, "the index fails") });
      runs++;
    }
  }
  return runs;
}

const states = await crashEverywhere();
const failed = await failEverywhere();

test("at every crash, the index lost now and then, all that was acknowledged is there once and whole, and in its order", (t) => {
  t.diagnostic(`${states} states`);
  assert.ok(states > 350, `${states} states`);
});

test("any one call that fails gives a clear error, no false acknowledgement, no second sync, and loses nothing", (t) => {
  t.diagnostic(`${failed} runs`);
  assert.ok(failed > 200, `${failed} runs`);
});
