import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { createVirtualClock } from "#base/clock";
import { createFaultyFiles, type Files, systemFiles } from "#base/io";
import { isProblem } from "#base/problem";
import { createMemoryEntryStore } from "#stores/memory";
import { readAddCheckpoint, writeAddCheckpoint } from "./add-checkpoint.ts";
import { signCheckpoint } from "./checkpoint.ts";
import {
  type AuditLog,
  createAuditLog,
  createCosignatureVerifier,
  createCosigner,
  createWitness,
  createWitnessRecord,
} from "./index.ts";
import { createNoteSigner } from "./note.ts";
import { emptyRoot } from "./tree.ts";

const origin = "log.test/1";
const cosigner = createCosigner("witness.test/1", Buffer.alloc(32, 9));
const clock = createVirtualClock();

function newFolder(t: { after(work: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), "lg-witness-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const logOf = (seed = 1) =>
  createAuditLog({ store: createMemoryEntryStore(), signingSeed: Buffer.alloc(32, seed), origin, clock });

/** A log with so many entries, the first `like` of which are those of every other log, and its checkpoint. */
async function grown(count: number, like = count, log?: AuditLog) {
  const grownLog = log ?? (await logOf());
  for (let i = grownLog.size(); i < count; i++) {
    await grownLog.append({ actor: "system", act: i < like ? "a" : "b", outcome: "done", counts: { i } });
  }
  return { log: grownLog, checkpoint: await grownLog.checkpoint() };
}

async function request(log: AuditLog, oldSize: number, size = log.latestCheckpoint()?.size ?? 0): Promise<Buffer> {
  const proof = oldSize === 0 || oldSize > size ? [] : await log.proveConsistency(oldSize, size);
  return Buffer.from(writeAddCheckpoint({ oldSize, proof, note: log.latestCheckpoint()?.note ?? "" }));
}

async function witnessOn(folder: string, files: Files = systemFiles, keys?: string[]) {
  const logKeys = keys ?? [(await logOf()).verifierKey()];
  return createWitness({ cosigner, logKeys, record: createWitnessRecord(files, folder), clock });
}

test("a log that grows is signed at each step, from the empty tree on", async (t) => {
  const witness = await witnessOn(newFolder(t));
  const { find } = createCosignatureVerifier(cosigner.verifierKey());
  let log: AuditLog | undefined;
  let before = 0;
  for (const size of [0, 1, 2, 7, 8, 100]) {
    const next = await grown(size, size, log);
    log = next.log;
    for (const old of new Set([before, size])) {
      const { status, body } = await witness.addCheckpoint(await request(log, old));
      assert.equal(status, 200);
      assert.notEqual(find(next.checkpoint.note + body), "void");
      assert.ok(find(next.checkpoint.note + body) !== undefined);
    }
    before = size;
  }
  assert.deepEqual([...witness.known()], [[origin, 100]]);
});

test("a smaller tree, a fork, and a proof from another size are refused, also by the witness that was started again", async (t) => {
  const folder = newFolder(t);
  const { log } = await grown(20);
  assert.equal((await (await witnessOn(folder)).addCheckpoint(await request(log, 0))).status, 200);
  const { log: smaller } = await grown(10);
  const { log: fork } = await grown(30, 15);
  const { log: other } = await grown(20, 15);
  const { log: longer } = await grown(30);
  for (let starts = 0; starts < 2; starts++) {
    const witness = await witnessOn(folder);
    const answer = async (body: Buffer) => {
      const { status, type, body: text } = await witness.addCheckpoint(body);
      return status === 409 ? [status, type, text] : status;
    };
    const known = [409, "text/x.tlog.size", "20\n"];
    assert.deepEqual(await answer(await request(smaller, 0)), known);
    assert.deepEqual(await answer(await request(smaller, 10)), known);
    assert.equal(await answer(await request(smaller, 20)), 400);
    assert.equal(await answer(await request(fork, 20)), 422);
    assert.deepEqual(await answer(await request(other, 20)), known);
    assert.deepEqual(await answer(await request(longer, 19)), known);
    assert.equal(
      await answer(
        Buffer.from(writeAddCheckpoint({ oldSize: 20, proof: [], note: longer.latestCheckpoint()?.note ?? "" })),
      ),
      422,
    );
    assert.deepEqual([...witness.known()], [[origin, 20]]);
  }
  assert.equal((await (await witnessOn(folder)).addCheckpoint(await request(longer, 20))).status, 200);
});

test("logs that are not watched, and keys that are not the log's, are refused", async (t) => {
  const folder = newFolder(t);
  const witness = await witnessOn(folder);
  const { log } = await grown(3);
  const foreign = createNoteSigner("log.test/2", Buffer.alloc(32, 1));
  const head = { origin: "log.test/2", size: 0, rootHash: emptyRoot, at: 1 };
  const ask = async (note: string) =>
    (await witness.addCheckpoint(Buffer.from(writeAddCheckpoint({ oldSize: 0, proof: [], note })))).status;
  assert.equal(await ask(signCheckpoint(foreign, head).note), 404);
  const forged = createNoteSigner(origin, Buffer.alloc(32, 2));
  assert.equal(await ask(signCheckpoint(forged, { ...head, origin }).note), 403);
  const own = createNoteSigner(origin, Buffer.alloc(32, 1));
  assert.equal(await ask(signCheckpoint(own, { ...head, origin, rootHash: Buffer.alloc(32) }).note), 422);
  assert.equal(await ask("nothing"), 400);
  assert.equal((await witness.addCheckpoint(await request(log, 0))).status, 200);
  await assert.rejects(witnessOn(folder, systemFiles, [forged.verifierKey()]), (error) => isProblem(error, "damaged"));
  const both = await witnessOn(folder, systemFiles, [forged.verifierKey(), own.verifierKey()]);
  assert.deepEqual([...both.known()], [[origin, 3]]);
});

test("of two forks that come at once one is signed", async (t) => {
  const folder = newFolder(t);
  const witness = await witnessOn(folder);
  const forks = await Promise.all([5, 6, 7, 8].map((like) => grown(10, like)));
  const answers = await Promise.all(forks.map(async ({ log }) => witness.addCheckpoint(await request(log, 0))));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409, 409]);
});

test("what cannot be kept is not signed, whichever call to the disk fails, and the witness goes on from what it kept", async (t) => {
  const { log } = await grown(5);
  const { log: longer } = await grown(9);
  for (let failing = 0; ; failing++) {
    const folder = newFolder(t);
    await (await witnessOn(folder)).addCheckpoint(await request(log, 0));
    let calls = 0;
    const files = createFaultyFiles(systemFiles, ({ kind }) =>
      kind !== "close" && calls++ === failing ? { code: "EIO" } : undefined,
    );
    const witness = await witnessOn(folder, files).catch(() => undefined);
    const answer = await witness?.addCheckpoint(await request(longer, 5)).catch(() => undefined);
    if (calls <= failing) {
      assert.ok(failing > 6 && answer?.status === 200);
      break;
    }
    assert.equal(answer?.status, undefined, `call ${failing}`);
    const again = await witnessOn(folder);
    const known = again.known().get(origin) ?? 0;
    assert.ok(known === 5 || known === 9, `call ${failing}: ${known}`);
    assert.equal((await again.addCheckpoint(await request(longer, known))).status, 200);
  }
});

test("a request is read as it was written, and nothing else is", () => {
  const hashes = fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 63 });
  fc.assert(
    fc.property(fc.nat(), hashes, fc.string(), (oldSize, proof, note) => {
      const made = { oldSize, proof: proof.map((hash) => Buffer.from(hash)), note: note.toWellFormed() };
      assert.deepEqual(readAddCheckpoint(Buffer.from(writeAddCheckpoint(made))), made);
    }),
    { numRuns: 200, seed: 4 },
  );
  const hash = Buffer.alloc(32, 7).toString("base64");
  const wrong = [
    "",
    "old 1",
    "old 1\n",
    "old 01\n\nx",
    "old -1\n\nx",
    "old 1\r\n\r\nx",
    " old 1\n\nx",
    `old 1\n${hash.slice(0, -1)}\n\nx`,
    `old 1\n${hash} \n\nx`,
    `old 1\n${hash.replace("c=", "d=")}\n\nx`,
    `old 9999999999999999\n\nx`,
    `old 1\n${`${hash}\n`.repeat(64)}\nx`,
    `old 1\n\n${"x".repeat(20_000)}`,
  ];
  for (const text of wrong) assert.equal(readAddCheckpoint(Buffer.from(text)), undefined, text.slice(0, 40));
  assert.equal(readAddCheckpoint(Buffer.concat([Buffer.from("old 1\n\n"), Buffer.of(0xff)])), undefined);
});
