import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { type Files, type OpenFile, systemFiles } from "#base/io";
import { silentLog } from "#base/log";
import { openPartialParcels } from "./partial-parcels.ts";

const MiB = 1024 * 1024;
const edge = "0e".repeat(16);
const parcelOf = (id: number, length: number, sealing = 0) => ({
  id: id.toString(16).padStart(32, "0"),
  length,
  sha256: Buffer.alloc(32, sealing),
});

const folders: string[] = [];
const opened: OpenFile[] = [];
afterEach(async () => {
  // Those that were left open; others are closed already.
  for (const file of opened.splice(0)) await file.close().catch(() => {});
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function partialsOn(free = 100 * 1024 * MiB) {
  const folder = await mkdtemp(join(tmpdir(), "leadglass-partials-"));
  folders.push(folder);
  const clock = createVirtualClock();
  const disk = { free };
  const own: Files = {
    ...systemFiles,
    freeBytes: async () => disk.free,
    async open(path, mode) {
      const file = await systemFiles.open(path, mode);
      opened.push(file);
      return file;
    },
  };
  const open = () => openPartialParcels({ files: own, folder, reserveBytes: MiB, clock, log: silentLog });
  const left = () => own.list(join(folder, edge));
  return { clock, disk, folder, open, left, partials: await open() };
}

async function textOf({ read }: { read(): AsyncIterable<Uint8Array> }): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of read()) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString("utf8");
}

for (const [where, length] of [["in memory", 100], ["on the disk", 2 * MiB]] as const) // biome-ignore format: a table
  test(`what was sealed anew begins anew beside what came of it before, ${where}`, async () => {
    const { partials } = await partialsOn();
    const former = await partials.open(edge, parcelOf(1, length));
    await former.write(Buffer.from("former"));
    await former.rest();
    assert.deepEqual(
      [partials.lengthOf(edge, parcelOf(1, length)), partials.lengthOf(edge, parcelOf(1, length + 1, 7))],
      [6, 0],
    );
    const anew = await partials.open(edge, parcelOf(1, length + 1, 7));
    await anew.write(Buffer.from("anew"));
    assert.equal(await textOf(anew), "anew");
    await partials.close();
  });

test("many pieces of a byte take no more memory than the parcel, and none beyond what was offered is taken", async () => {
  const { partials } = await partialsOn();
  const one = await partials.open(edge, parcelOf(1, 5));
  for (const letter of "abcde") await one.write(Buffer.from(letter));
  assert.equal(await textOf(one), "abcde");
  await assert.rejects(one.write(Buffer.from("f")), { code: "damaged" });
  await partials.close();
});

test("what is held in memory is bounded by what was offered, before a byte of it has come", async () => {
  const { partials, left } = await partialsOn();
  for (let id = 0; id < 128; id++) await partials.open(edge, parcelOf(id, 768 * 1024));
  assert.deepEqual(await left(), []);
  await partials.open(edge, parcelOf(128, 768 * 1024));
  assert.equal((await left()).length, 1);
  await partials.close();
});

test("room on the disk is kept for all that was offered, and asked for while it comes", async () => {
  const { partials, disk } = await partialsOn(100 * MiB);
  const one = await partials.open(edge, parcelOf(1, 60 * MiB));
  await assert.rejects(partials.open(edge, parcelOf(2, 60 * MiB)), { code: "no-room" });
  await one.write(Buffer.alloc(10 * MiB));
  disk.free = 2 * MiB;
  await assert.rejects(one.write(Buffer.alloc(10 * MiB)), { code: "no-room" });
  assert.equal(one.length, 10 * MiB);
  disk.free = 200 * MiB;
  await one.write(Buffer.alloc(10 * MiB));
  await one.drop();
  await partials.open(edge, parcelOf(2, 60 * MiB));
  await partials.close();
});

test("what rests for a day is removed, of this process and of one before; what somebody writes to stays", async () => {
  const { partials, clock, open, left } = await partialsOn();
  for (const id of [1, 2]) await (await partials.open(edge, parcelOf(id, 2 * MiB))).rest();
  await partials.close();
  const again = await open();
  await again.open(edge, parcelOf(1, 2 * MiB));
  await (await again.open(edge, parcelOf(3, 2 * MiB))).rest();
  assert.equal((await left()).length, 3);
  clock.advance(25 * 3_600_000);
  for (let looks = 0; looks < 10_000 && (await left()).length > 1; looks++);
  await again.close();
  assert.equal((await left()).length, 1);
});

test("files that a process before left count towards what an edge may have", async () => {
  const { partials, open } = await partialsOn();
  for (let id = 0; id < 256; id++) await (await partials.open(edge, parcelOf(id, 2 * MiB))).rest();
  await partials.close();
  const again = await open();
  await assert.rejects(again.open(edge, parcelOf(256, 2 * MiB)), { code: "busy" });
  await (await again.open("0f".repeat(16), parcelOf(256, 2 * MiB))).rest();
  await again.close();
});

test("a file that is gone begins anew, and one who lets go twice does not let go for the next", async () => {
  const { partials, folder, left } = await partialsOn();
  for (const length of [100, 2 * MiB]) {
    const first = await partials.open(edge, parcelOf(length, length));
    await first.write(Buffer.from("first"));
    await first.rest();
    const second = await partials.open(edge, parcelOf(length, length));
    await first.rest();
    await assert.rejects(partials.open(edge, parcelOf(length, length)), { code: "busy" });
    await second.rest();
  }
  for (const name of await left()) await rm(join(folder, edge, name));
  assert.equal((await partials.open(edge, parcelOf(2 * MiB, 2 * MiB))).length, 0);
  await partials.close();
});
