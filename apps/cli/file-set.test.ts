import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import fc from "fast-check";
import { createFaultyFiles, systemFiles } from "#base/io";
import { isProblem } from "#base/problem";
import { type ExportFrameKind, exportFrameHead, exportFrames } from "#formats/api";
import { readFile } from "#formats/dicom";
import { phantomFiles } from "#imaging/phantoms";
import { openFileSet, type StudyToWrite } from "./file-set.ts";

let around = "";
const folder = () => join(around, "out");
beforeEach(() => {
  around = mkdtempSync(join(tmpdir(), "lg-file-set-"));
});
afterEach(() => rmSync(around, { recursive: true, force: true }));

const slices = [...phantomFiles({ kind: "mr-brain", slices: 3, size: 32, seed: 5 })].map((file) => Buffer.from(file));
const frame = (kind: ExportFrameKind, payload: Uint8Array = Buffer.alloc(0)) => [
  exportFrameHead(kind, payload.length),
  payload,
];
const json = (about: object) => Buffer.from(JSON.stringify(about));
const framesOf = (files: readonly Buffer[]) =>
  Buffer.concat([
    ...files.flatMap((file, at) => [
      ...frame("instance", json({ number: at + 1, of: files.length })),
      ...frame("bytes", file.subarray(0, 700)),
      ...frame("bytes", file.subarray(700)),
      ...frame("end"),
    ]),
    ...frame("whole"),
  ]);
async function* inPieces(bytes: Uint8Array, pieceBytes = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}
const study = (bytes: Uint8Array, more: Partial<StudyToWrite> = {}): StudyToWrite => ({
  ...{ number: 1, isSet: true, tell: () => {} },
  bytes: inPieces(bytes),
  ...more,
});
const isProblemWith = (code: Parameters<typeof isProblem>[1]) => (error: unknown) => isProblem(error, code);

test("files hold what came, have neutral names, and are for their owner alone", async () => {
  const set = await openFileSet(systemFiles, folder(), { goesOn: false });
  assert.equal((await set.writeStudy(study(framesOf(slices)))).length, 3);
  assert.deepEqual(readdirSync(folder()), ["ST000001"]);
  const names = readdirSync(join(folder(), "ST000001")).sort();
  assert.deepEqual(names, ["DICOMDIR", "IM000001", "IM000002", "IM000003"]);
  for (const [at, file] of slices.entries()) {
    assert.deepEqual(readFileSync(join(folder(), "ST000001", `IM00000${at + 1}`)), file);
  }
  const directory = readFile(readFileSync(join(folder(), "ST000001", "DICOMDIR")));
  assert.equal(directory.dataSet.items(0x00041220)?.length, 6);
});

test("a stream that ends early, wherever, leaves nothing under a final name", async () => {
  const whole = framesOf(slices);
  const set = await openFileSet(systemFiles, folder(), { goesOn: false });
  for (const count of [0, 3, 5, 40, 800, Math.floor(whole.length / 2), whole.length - 5, whole.length - 1]) {
    await assert.rejects(set.writeStudy(study(whole.subarray(0, count))), isProblemWith("unavailable"));
    assert.deepEqual(readdirSync(folder()), []);
  }
});

test("what is no export is refused, and nothing is made for a length that it states", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const kinds: string[] = [];
      const read = async () => {
        for await (const each of exportFrames(inPieces(bytes, 7))) kinds.push(each.kind);
      };
      const ended = await read().then(
        () => kinds.at(-1) === "whole" || kinds.at(-1) === "problem",
        (error) => isProblem(error),
      );
      assert.ok(ended);
    }),
  );
});

test("whichever call to the disk fails, the study is not there, and the disk's trouble is told", async () => {
  const counted = createFaultyFiles(systemFiles, () => undefined);
  await (await openFileSet(counted, folder(), { goesOn: false })).writeStudy(study(framesOf(slices)));
  const calls = counted.calls.length;
  rmSync(folder(), { recursive: true });
  for (const code of ["ENOSPC", "EIO", "EMFILE"] as const) {
    for (let failing = 0; failing < calls; failing++) {
      const files = createFaultyFiles(systemFiles, ({ kind }, at) =>
        at === failing ? { code, ...(kind === "write" && { writtenBytes: 10 }) } : undefined,
      );
      const set = await openFileSet(files, folder(), { goesOn: false });
      const told = code === "ENOSPC" ? "no-room" : "unavailable";
      const ended = await set.writeStudy(study(framesOf(slices))).then(
        () => "done",
        (error) => (isProblem(error) ? error.code : "no problem"),
      );
      const failedIn = files.calls[failing]?.kind;
      assert.equal(ended, told, `${failedIn} with ${code}`);
      // After the rename it stands there whole; only that the name is durable is not known.
      const left = readdirSync(folder());
      if (left.length > 0) assert.deepEqual([left, failing], [["ST000001"], calls - 1]);
      rmSync(folder(), { recursive: true });
    }
  }
});

test("a folder that holds anything, that is a file, or that everybody can write in is refused", async () => {
  const open = (goesOn = false) => openFileSet(systemFiles, folder(), { goesOn });
  mkdirSync(folder());
  symlinkSync(join(around, "elsewhere"), join(folder(), "ST000001"));
  await assert.rejects(open(), isProblemWith("conflict"));
  const goingOn = await open(true);
  await assert.rejects(goingOn.has(1), isProblemWith("conflict"));
  await assert.rejects(goingOn.writeStudy(study(framesOf(slices))));
  assert.deepEqual(readdirSync(around), ["out"], "nothing is written where the link leads");
  rmSync(folder(), { recursive: true });
  mkdirSync(folder());
  chmodSync(folder(), 0o777);
  await assert.rejects(open(), isProblemWith("conflict"));
  rmSync(folder(), { recursive: true });
  writeFileSync(folder(), "");
  await assert.rejects(open(), isProblemWith("conflict"));
  await assert.rejects(
    openFileSet(systemFiles, join(around, "none", "out"), { goesOn: false }),
    isProblemWith("absent"),
  );
});

test("what a killed export left is begun anew", async () => {
  mkdirSync(join(folder(), "ST000001.partial"), { recursive: true });
  writeFileSync(join(folder(), "ST000001.partial", "IM000001"), "half");
  const set = await openFileSet(systemFiles, folder(), { goesOn: true });
  assert.equal(await set.has(1), false);
  await set.writeStudy(study(framesOf(slices)));
  assert.equal(await set.has(1), true);
  assert.deepEqual(readFileSync(join(folder(), "ST000001", "IM000001")), slices[0]);
});

test("one study that the server cannot give is told as the server tells it", async () => {
  const set = await openFileSet(systemFiles, folder(), { goesOn: false });
  const begun = Buffer.concat([
    ...frame("instance", json({ number: 1, of: 1 })),
    ...frame("bytes", Buffer.from("begun")),
  ]);
  const problem = Buffer.concat([
    begun,
    ...frame("problem", json({ code: "damaged", message: "not what was received" })),
  ]);
  await assert.rejects(set.writeStudy(study(problem)), isProblemWith("damaged"));
  assert.deepEqual(readdirSync(folder()), []);
});
