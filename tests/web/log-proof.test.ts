import assert from "node:assert/strict";
import { before, test } from "node:test";
import { systemClock } from "#base/clock";
import type { EntryProofView } from "#formats/api";
import { createMemoryEntryStore } from "#stores/memory";
import { type AuditLog, createAuditLog, createCosigner, proveEntry } from "#trust/audit";
import { checkEntry, sizeOfKept } from "../../apps/web/src/proof/index.ts";

/*
 * What the browser checks by itself of an entry, against logs that the server's own code made.
 */
let log: AuditLog;
const entries = 37;
const witness = createCosigner("witness.example/one", new Uint8Array(32).fill(9));

const append = (to: AuditLog, at: number) =>
  to.append({ actor: `user:${at}`, act: "study.view", on: { kind: "study", id: "ab".repeat(16) }, outcome: "done" });

async function logOf(count: number, seed = 1): Promise<AuditLog> {
  const made = await createAuditLog({
    ...{ store: createMemoryEntryStore(), clock: systemClock, origin: "leadglass.example/audit" },
    signingSeed: new Uint8Array(32).fill(seed),
  });
  for (let at = 0; at < count; at++) await append(made, at);
  return made;
}

const proofOf = async (of: AuditLog, index: number): Promise<EntryProofView> => ({
  ...(await proveEntry(of, index)),
  verifierKey: of.verifierKey(),
});

const pathIn = async (of: AuditLog, index: number, size: number) =>
  (await of.prove(index, size)).map((hash) => hash.toString("base64"));

before(async () => {
  log = await logOf(entries);
});

const failed = async (...given: Parameters<typeof checkEntry>) => {
  const { verdict, steps } = await checkEntry(...given);
  assert.equal(verdict, "refused");
  return steps.filter(({ outcome }) => outcome === "fails").map(({ id }) => id);
};

test("every entry of trees of every size up to 37 is proven", async () => {
  for (let size = 1; size <= entries; size++) {
    const of = await logOf(size);
    for (let index = 0; index < size; index++) {
      const checked = await checkEntry(await proofOf(of, index));
      assert.equal(checked.verdict, "proven", `${index} of ${size}`);
      assert.equal(
        checked.path.at(-1)?.result ?? checked.leaf,
        Buffer.from(checked.checkpoint?.root ?? []).toString("hex"),
      );
    }
  }
});

test("one letter of the entry, one bit of a hash, another number: refused, and at which step", async () => {
  const proof = await proofOf(log, 20);
  assert.deepEqual(await failed({ ...proof, line: proof.line.replace("done", "dona") }), ["root"]);
  assert.deepEqual(await failed({ ...proof, index: 21 }), ["root"]);
  assert.deepEqual(await failed({ ...proof, path: proof.path.slice(1) }), ["path", "root"]);
  assert.deepEqual(await failed({ ...proof, path: proof.path.toReversed() }), ["root"]);
  assert.deepEqual(await failed({ ...proof, path: ["not base64", ...proof.path.slice(1)] }), ["path", "root"]);
  const [first = "", ...others] = proof.path;
  const flipped = Buffer.from(first, "base64").map((byte, at) => (at === 5 ? byte ^ 1 : byte));
  assert.deepEqual(await failed({ ...proof, path: [Buffer.from(flipped).toString("base64"), ...others] }), ["root"]);
});

test("another root under the old signature, another log's key, no checkpoint: refused", async () => {
  const proof = await proofOf(log, 3);
  const size = `\n${entries}\n`;
  assert.ok(proof.checkpoint.includes(size));
  const grown = proof.checkpoint.replace(size, `\n${entries + 1}\n`);
  assert.ok((await failed({ ...proof, checkpoint: grown })).includes("signature"));
  const other = await logOf(entries, 2);
  assert.deepEqual(await failed({ ...proof, verifierKey: other.verifierKey() }), ["signature"]);
  assert.ok((await failed({ ...proof, checkpoint: "none" })).includes("signature"));
  assert.ok((await failed({ ...proof, verifierKey: "none" })).includes("key"));
});

test("a key that the reader has by another way decides, and not the one that came with the proof", async () => {
  const forged = await logOf(entries, 2);
  const proof = await proofOf(forged, 3);
  assert.equal((await checkEntry(proof)).verdict, "proven");
  assert.deepEqual(await failed(proof, { keys: log.verifierKey(), checkpoint: "" }), ["key", "signature"]);
  const good = await proofOf(log, 3);
  assert.equal((await checkEntry(good, { keys: ` ${log.verifierKey()} \n`, checkpoint: "" })).verdict, "proven");
  assert.deepEqual(await failed(good, { keys: log.verifierKey().slice(0, -3), checkpoint: "" }), ["key"]);
});

test("a witness whose key is given must have signed, and truly", async () => {
  const of = await logOf(5);
  const { note, size } = await of.checkpoint();
  const [text = ""] = note.split("\n\n");
  const keys = witness.verifierKey();
  assert.deepEqual(await failed(await proofOf(of, 2), { keys, checkpoint: "" }), ["witnesses"]);
  await of.addCosignature(size, witness.cosign(`${text}\n`, 1_800_000_000_000));
  const checked = await checkEntry(await proofOf(of, 2), { keys, checkpoint: "" });
  assert.equal(checked.verdict, "proven");
  assert.deepEqual(checked.witnesses, [witness.name]);
  assert.match(checked.steps.find(({ id }) => id === "witnesses")?.says ?? "", /2027-01-15T08:00:00/);
  const proof = await proofOf(of, 2);
  const falsely = witness.cosign("another text\n", 1_800_000_000_000);
  const own = proof.checkpoint.slice(0, proof.checkpoint.indexOf("\u2014 witness"));
  assert.deepEqual(await failed({ ...proof, checkpoint: own + falsely }, { keys, checkpoint: "" }), ["witnesses"]);
});

test("against a checkpoint that was kept: the entry must have been in that very tree", async () => {
  const of = await logOf(9);
  const kept = (await of.checkpoint()).note;
  assert.equal(sizeOfKept(` ${kept.replaceAll("\n", "\r\n")} `), 9);
  for (let at = 9; at < 20; at++) await append(of, at);
  const pathThere = await pathIn(of, 4, 9);
  const held = await checkEntry(await proofOf(of, 4), { keys: "", checkpoint: kept, pathThere });
  assert.equal(held.verdict, "proven");
  assert.equal(held.steps.find(({ id }) => id === "kept")?.outcome, "holds");
  const later = await checkEntry(await proofOf(of, 12), { keys: "", checkpoint: kept });
  assert.equal(later.steps.find(({ id }) => id === "kept")?.outcome, "note");
  // Signed by the same key, and yet not the log that was kept.
  const rewritten = await logOf(20);
  const forged = await pathIn(rewritten, 4, 9);
  assert.deepEqual(await failed(await proofOf(rewritten, 4), { keys: "", checkpoint: kept, pathThere: forged }), [
    "kept",
  ]);
  const short = await logOf(5);
  assert.deepEqual(await failed(await proofOf(short, 4), { keys: "", checkpoint: kept, pathThere: forged }), ["kept"]);
  assert.deepEqual(await failed(await proofOf(of, 4), { keys: "", checkpoint: "nothing", pathThere }), ["kept"]);
});

test("where the browser has no Ed25519 it says so, and claims nothing", async (t) => {
  t.mock.method(crypto.subtle, "importKey", async () => {
    throw Object.assign(new Error("unknown algorithm"), { name: "NotSupportedError" });
  });
  const { verdict, steps } = await checkEntry(await proofOf(log, 0));
  assert.equal(verdict, "undecided");
  assert.match(steps.find(({ id }) => id === "signature")?.says ?? "", /cannot check signatures/);
  assert.equal((await checkEntry({ ...(await proofOf(log, 0)), index: 1 })).verdict, "refused");
});

test("what is shown beside the proof must be what is proven", async () => {
  const proof = await proofOf(log, 7);
  const nothing = { keys: "", checkpoint: "" };
  const [entry = assert.fail("no entry")] = await log.entries(7, 8);
  const { actor, ...others } = entry;
  assert.equal((await checkEntry(proof, nothing, { ...others, actor })).verdict, "proven");
  assert.deepEqual(await failed(proof, nothing, { ...entry, actor: "user:8" }), ["shown"]);
  assert.deepEqual(await failed(proof, nothing, others), ["shown"]);
  assert.deepEqual(await failed(proof, nothing, { ...entry, purpose: "treatment" }), ["shown"]);
  const [other = assert.fail("no entry")] = await log.entries(8, 9);
  assert.deepEqual(await failed(proof, nothing, { ...other }), ["shown"]);
});
