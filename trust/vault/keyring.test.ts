import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom, systemRandom } from "#base/id";
import { crashState, createTracedFiles, type Files } from "#base/io";
import { isProblem } from "#base/problem";
import { createKeyring, createPassphrase, openKeyring } from "./index.ts";

const cost = { memoryKiB: 64, passes: 1, lanes: 1 };
const passphrase = "correct horse battery staple";
const place = (files: Files, phrase = passphrase) => ({
  files,
  folder: "home",
  passphrase: phrase,
  random: systemRandom,
});

async function contentOf(files: Files): Promise<string> {
  const file = await files.open("home/keyring.json", "read");
  const bytes = Buffer.alloc(await file.size());
  await file.read(bytes, 0);
  return bytes.toString("utf8");
}

async function overwrite(files: Files, text: string): Promise<void> {
  await files.remove("home/keyring.json");
  await (await files.open("home/keyring.json", "create")).write([Buffer.from(text)], 0);
}

test("an opened keyring gives the keys that it gave when it was made, each purpose and tenant its own", async () => {
  const { files } = createTracedFiles();
  const made = await createKeyring({ ...place(files), tenants: ["main", "other"], cost });
  const opened = await openKeyring(place(files));
  const keys = new Set<string>();
  for (const tenant of ["main", "other"]) {
    for (const purpose of ["identity key", "image key", "index key", "audit signing key", "secrets key"]) {
      const key = opened.tenant(tenant).key(purpose, 32);
      assert.deepEqual(key, made.tenant(tenant).key(purpose, 32));
      keys.add(key.toString("hex"));
    }
  }
  assert.equal(keys.size, 10);
  assert.throws(
    () => opened.tenant("third"),
    (error) => isProblem(error, "absent"),
  );
});

test("another passphrase is refused with what to do", async () => {
  const { files } = createTracedFiles();
  await createKeyring({ ...place(files), cost });
  await assert.rejects(openKeyring(place(files, "correct horse battery stapler")), (error) => {
    assert.ok(isProblem(error, "denied"));
    return /passphrase file/.test(error.remedy ?? "");
  });
});

test("a keyring is never overwritten, and a short passphrase makes none", async () => {
  const { files } = createTracedFiles();
  await assert.rejects(createKeyring({ ...place(files, "hunter2"), cost }), (error) => isProblem(error, "invalid"));
  await assert.rejects(openKeyring(place(files)), (error) => isProblem(error, "absent"));
  await createKeyring({ ...place(files), cost });
  await assert.rejects(createKeyring({ ...place(files), cost }), (error) => isProblem(error, "conflict"));
});

test("a made passphrase has 160 bits and opens however it is typed", async () => {
  const { files } = createTracedFiles();
  const made = createPassphrase(systemRandom);
  assert.match(made, /^([0-9A-HJKMNP-TV-Z]{4}-){7}[0-9A-HJKMNP-TV-Z]{4}$/);
  assert.equal(new Set(Array.from({ length: 1000 }, () => createPassphrase(systemRandom))).size, 1000);
  const keyring = await createKeyring({ ...place(files, made), cost });
  const typed = `${made.toLowerCase().replaceAll("-", " ").replaceAll("0", "o").replaceAll("1", "l")}\n`;
  const opened = await openKeyring(place(files, typed));
  assert.deepEqual(opened.tenant("main").key("x", 32), keyring.tenant("main").key("x", 32));
});

test("keys moved between tenants, changed or cut keyrings do not open", async () => {
  const { files } = createTracedFiles();
  await createKeyring({ ...place(files), tenants: ["a", "b"], cost });
  const text = await contentOf(files);
  const content = JSON.parse(text) as { tenants: Record<string, { id: string; masters: unknown }>; root: object };
  const swapped = structuredClone(content);
  const [a, b] = [swapped.tenants.a, swapped.tenants.b];
  if (a === undefined || b === undefined) assert.fail();
  [a.masters, b.masters] = [b.masters, a.masters];
  await overwrite(files, JSON.stringify(swapped));
  await assert.rejects(openKeyring(place(files)), (error) => isProblem(error, "denied"));
  const costly = { ...content, root: { ...content.root, argon2id: { memoryKiB: 2 ** 30, passes: 1, lanes: 1 } } };
  await overwrite(files, JSON.stringify(costly));
  await assert.rejects(openKeyring(place(files)), (error) => isProblem(error, "invalid"));
  for (const broken of [text.slice(0, 100), "null", "[]", '{"format":"leadglass keyring 1","tenants":{"a":null}}']) {
    await overwrite(files, broken);
    await assert.rejects(openKeyring(place(files)), (error) => isProblem(error, "damaged"));
  }
});

test("a crash while it is made leaves a whole keyring or none", async () => {
  const traced = createTracedFiles();
  await createKeyring({ ...place(traced.files), cost });
  traced.note("made");
  const random = seededRandom(3);
  const chance = () => (random(new Uint8Array(1))[0] ?? 0) / 256;
  for (let steps = 0; steps <= traced.trace.length; steps++) {
    for (const unsynced of ["kept", "dropped", "mixed"] as const) {
      const { disk, notes } = crashState(traced.trace, steps, unsynced, chance);
      const { files } = createTracedFiles(disk);
      const outcome = await openKeyring(place(files)).then(
        () => "whole",
        (error) => (isProblem(error) ? error.code : error),
      );
      assert.ok(outcome === "whole" || (outcome === "absent" && notes.length === 0), String(outcome));
      if (outcome === "absent") await createKeyring({ ...place(files), cost });
    }
  }
});
