import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "#base/problem";
import { openArchive } from "./archive.fixture.ts";
import { imageFile, receive } from "./corrections.fixture.ts";

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
