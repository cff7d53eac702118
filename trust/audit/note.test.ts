import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import { openCheckpoint, signCheckpoint, splitNotes } from "./checkpoint.ts";
import { createCosignatureVerifier, createCosigner, createNoteSigner, createNoteVerifier } from "./note.ts";

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
  for (const name of ["", "two words", "a+b", "a\nb", "a\x85b", "\ufeffa", "a\u3000b"]) {
    assert.throws(
      () => createNoteSigner(name, neumann.seed),
      (error) => isProblem(error, "invalid"),
    );
  }
});

/** A checkpoint of a public log of certificates, signed twice by the log and by four public witnesses. */
const arche = {
  key: "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f",
  witness: "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
  note: `arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
`,
};

test("a real log's checkpoint opens by its key among many signatures, and a real witness's cosignature is found", () => {
  assert.equal(openCheckpoint(createNoteVerifier(arche.key), arche.note)?.size, 1_432_088_532);
  const found = createCosignatureVerifier(arche.witness).find(arche.note);
  assert.ok(found !== undefined && found !== "void");
  assert.equal(new Date(found.at).toISOString(), "2026-05-23T21:50:24.000Z");
  assert.ok(arche.note.includes(found.line));
});

test("a cosignature holds for its text, time and witness alone, and a false one makes the note void", () => {
  const { find } = createCosignatureVerifier(arche.witness);
  assert.equal(find(arche.note.replace("1432088532", "1432088533")), "void");
  const ours = arche.note.split("\n").find((line) => line.includes("remora")) ?? "";
  const [, , base64 = ""] = ours.split(" ");
  for (let at = 4; at < 76; at += 3) {
    const bytes = Buffer.from(base64, "base64");
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    assert.equal(find(arche.note.replace(base64, bytes.toString("base64"))), "void", String(at));
  }
  for (const short of [5, 11, 12, 75]) {
    const bytes = Buffer.from(base64, "base64").subarray(0, short);
    assert.equal(find(arche.note.replace(base64, bytes.toString("base64"))), "void");
  }
  assert.equal(find(arche.note.replace(`${ours}\n`, "")), undefined);
  assert.equal(find(`${arche.note}no signature\n`), "void");
});

test("a cosigner's line is found by its key, at the second it was made, and not by a log's key of the same seed", () => {
  const cosigner = createCosigner("witness.test/1", neumann.seed);
  const line = cosigner.cosign(neumann.text, 1_700_000_000_999);
  const note = neumannNote + line;
  const found = createCosignatureVerifier(cosigner.verifierKey()).find(note);
  assert.deepEqual(found, { line, at: 1_700_000_000_000 });
  assert.equal(createNoteVerifier(neumann.key).open(note), neumann.text);
  const sameSeed = createNoteSigner("witness.test/1", neumann.seed).verifierKey();
  assert.equal(createNoteVerifier(sameSeed).open(note), undefined);
  const invalid = (error: unknown) => isProblem(error, "invalid");
  assert.throws(() => createCosignatureVerifier(sameSeed), invalid);
  assert.throws(() => createNoteVerifier(cosigner.verifierKey()), invalid);
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
  assert.deepEqual(splitNotes(`${example.note}\n`), [example.note, "\n"]);
});
