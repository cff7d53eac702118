import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { Problem } from "#base/problem";
import { actorOf } from "#trust/access";
import { openArchive } from "./archive.fixture.ts";
import { deflatedFile, imageFile, receive } from "./corrections.fixture.ts";

/** An archive whose log takes nothing any more. */
async function withoutLog() {
  const opened = await openArchive();
  await receive(opened.archive, imageFile());
  Object.assign(opened.entries, {
    push() {
      throw new Problem("no-room", "writing the audit log: the disk is full");
    },
  });
  return opened;
}

test("an instance that the log does not take is taken back: neither now nor after a start is anything of it found", async () => {
  const { archive, vault, stores } = await withoutLog();
  await assert.rejects(receive(archive, imageFile({}, { number: 2 })), { code: "no-room" });
  const found: string[] = [];
  for await (const { id } of vault.images()) found.push(id);
  for await (const { id } of vault.recover(new Map())) found.push(id);
  assert.equal(found.length, 2, "the halves of the first");
  const again = await openArchive({ stores });
  assert.equal((await again.archive.recover()).instances, 1);
});

test("where it cannot be taken back either, the next start finds it and enters it in the log", async () => {
  const { archive, stores, blindStore } = await withoutLog();
  Object.assign(stores.identity.objects, { discard: () => Promise.reject(new Problem("fault", "made to fail")) });
  await assert.rejects(receive(archive, imageFile({}, { number: 2 })), { code: "no-room" });
  const again = await openArchive({ stores, blindStore });
  await again.archive.recover();
  const stored = again.entries.filter(({ act }) => act === "instance.store");
  assert.equal(stored.length, 2);
});

test("while a deflated data set swells others have their turn after each mebibyte or two of it, however it comes", async () => {
  const mebibytes = 12;
  const swelling = deflatedFile({ EncapsulatedDocument: new Uint8Array(mebibytes << 20) });
  assert.ok((await pausesIn(swelling, swelling.length)) >= mebibytes / 2);
  assert.ok((await pausesIn(swelling, 700)) >= mebibytes / 2);
  const random = deflatedFile({ EncapsulatedDocument: systemRandom(new Uint8Array(500_000)) });
  assert.equal(await pausesIn(random, random.length), 0, "one that does not swell is taken at once");
});

/** While it is received in pieces of so many bytes. */
async function pausesIn(file: Uint8Array, bytesAtOnce: number): Promise<number> {
  let pauses = 0;
  const clock: Clock = { ...systemClock, sleep: (ms) => systemClock.sleep(ms).finally(() => pauses++) };
  const { archive } = await openArchive({ clock });
  const receiving = archive.receiveFile(actorOf("device", "1"));
  for (let at = 0; at < file.length; at += bytesAtOnce) await receiving.write(file.subarray(at, at + bytesAtOnce));
  const found = pauses;
  await receiving.finish();
  return found;
}
