import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import { openCheckpoint, signCheckpoint, splitNotes } from "./checkpoint.ts";
import { createNoteSigner, createNoteVerifier } from "./note.ts";

/** The example of golang.org/x/mod/sumdb/note, with its signing key. */
const neumann = {
  key: "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
  seed: Buffer.from("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz", "base64").subarray(1),
  text: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
  signature:
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
};
/** The example of C2SP's signed-note. */
const example = {
  key: "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
  note: "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n",
};
const neumannNote = `${neumann.text}\n${neumann.signature}`;

test("the example of Go's note package is signed to the same bytes and opens", () => {
  const signer = createNoteSigner("PeterNeumann", neumann.seed);
  assert.equal(signer.verifierKey(), neumann.key);
  assert.equal(signer.sign(neumann.text), neumannNote);
  assert.equal(createNoteVerifier(neumann.key).open(neumannNote), neumann.text);
});

test("the example of the signed-note specification opens", () => {
  assert.equal(createNoteVerifier(example.key).open(example.note), "This is an example message.\n");
});

test("signatures of other keys are passed over, a false one of ours voids the note", () => {
  const { open } = createNoteVerifier(neumann.key);
  const other = example.note.split("\n").at(-2);
  assert.equal(open(`${neumann.text}\n${other}\n${neumann.signature}`), neumann.text);
  assert.equal(open(`${neumann.text}\n${other}\n`), undefined);
  const false1 = neumann.signature.replace("AM=", "QM=");
  assert.equal(open(`${neumann.text}\n${false1}${neumann.signature}`), undefined);
  assert.equal(open(`${neumann.text}\n${neumann.signature}no signature\n`), undefined);
});

test("a note with any character changed, added or taken away does not open", () => {
  const { open } = createNoteVerifier(neumann.key);
  const change = fc.record({
    at: fc.nat({ max: neumannNote.length - 1 }),
    with: fc.string({ maxLength: 2 }),
    cut: fc.nat({ max: 2 }),
  });
  const check = ({ at, with: text, cut }: { at: number; with: string; cut: number }) => {
    const changed = neumannNote.slice(0, at) + text + neumannNote.slice(at + cut);
    if (changed !== neumannNote) assert.equal(open(changed), undefined);
  };
  fc.assert(fc.property(change, check), { numRuns: 500, seed: 3 });
});

test("what is no verifier key is refused", () => {
  for (const key of [
    "",
    "a+b",
    neumann.key.replace("c74f", "c74e"),
    neumann.key.replace("PeterN", "PeterM"),
    `${neumann.key}=`,
  ]) {
    assert.throws(
      () => createNoteVerifier(key),
      (error) => isProblem(error, "invalid"),
    );
  }
  for (const name of ["", "two words", "a+b", "a\nb"]) {
    assert.throws(
      () => createNoteSigner(name, neumann.seed),
      (error) => isProblem(error, "invalid"),
    );
  }
});

test("a checkpoint comes back from its note, only for its own log", () => {
  const signer = createNoteSigner("log.test/a", neumann.seed);
  const head = { origin: "log.test/a", size: 12, rootHash: Buffer.alloc(32, 9), at: 1_700_000_000_000 };
  const checkpoint = signCheckpoint(signer, head);
  const verifier = createNoteVerifier(signer.verifierKey());
  assert.deepEqual(openCheckpoint(verifier, checkpoint.note), checkpoint);
  const foreign = signCheckpoint(signer, { ...head, origin: "log.test/b" });
  assert.equal(openCheckpoint(verifier, foreign.note), undefined);
  const plain = signer.sign(`log.test/a\n12\n${head.rootHash.toString("base64")}\n`);
  assert.equal(openCheckpoint(verifier, plain)?.size, 12);
  for (const body of ["log.test/a\n012\n", "log.test/a\n-1\n", "log.test/a\n12\nshort\n", "\n"]) {
    assert.equal(openCheckpoint(verifier, signer.sign(body)), undefined);
  }
});

test("notes that stand one behind the other are told apart", () => {
  assert.deepEqual(splitNotes(`${example.note}${neumannNote}${neumann.signature}${example.note}`), [
    example.note,
    `${neumannNote}${neumann.signature}`,
    example.note,
  ]);
  assert.deepEqual(splitNotes(""), []);
});
