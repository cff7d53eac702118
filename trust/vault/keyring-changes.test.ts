import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seededRandom, systemRandom } from "#base/id";
import { crashState, createFaultyFiles, createTracedFiles, type Files } from "#base/io";
import { isProblem } from "#base/problem";
import { createKeyring, type Keyring, openKeyring, passphraseRoot, recoverKeyring } from "./index.ts";

const cost = { memoryKiB: 64, passes: 1, lanes: 1 };
const first = "correct horse battery staple";
const second = "another twenty letters of it";
const rootFrom = (passphrase: string) => passphraseRoot({ passphrase, random: systemRandom, cost });
const place = (files: Files, passphrase = first) => ({
  files,
  folder: "home",
  random: systemRandom,
  root: rootFrom(passphrase),
});

async function contentOf(files: Files): Promise<{ recovery?: { publicKey: string } }> {
  const file = await files.open("home/keyring.json", "read");
  const bytes = Buffer.alloc(await file.size());
  await file.read(bytes, 0);
  return JSON.parse(bytes.toString("utf8")) as object;
}

async function overwrite(files: Files, content: unknown): Promise<void> {
  await files.remove("home/keyring.json");
  await (await files.open("home/keyring.json", "create")).write([Buffer.from(JSON.stringify(content))], 0);
}

/** Everything that a keyring gives: what lasts, and the wrapping keys of each generation. */
function keysOf(keyring: Keyring): string[] {
  return keyring.tenants.flatMap((name) => {
    const tenant = keyring.tenant(name);
    const generations = [undefined, tenant.generation, ...tenant.olderGenerations];
    return generations.map((generation) => `${generation} ${tenant.key("image key", 32, generation).toString("hex")}`);
  });
}

const isDenied = (error: unknown) => isProblem(error, "denied");

test("a new generation wraps from its first moment, the old one still opens, and what lasts stays", async () => {
  const { files } = createTracedFiles();
  const keyring = await createKeyring({ ...place(files), tenants: ["main", "other"] });
  const tenant = keyring.tenant("main");
  const [lasting, before] = [tenant.key("index key", 32), tenant.generation];
  const old = tenant.key("image key", 32, before);
  await keyring.beginGeneration("main");
  assert.notEqual(tenant.generation, before);
  assert.deepEqual(tenant.olderGenerations, [before]);
  assert.deepEqual(tenant.key("image key", 32, before), old);
  assert.notDeepEqual(tenant.key("image key", 32, tenant.generation), old);
  assert.deepEqual(keysOf(await openKeyring(place(files))), keysOf(keyring));
  await keyring.dropOlderGenerations("main");
  assert.deepEqual(tenant.olderGenerations, []);
  assert.throws(
    () => tenant.key("image key", 32, before),
    (error) => isProblem(error, "damaged"),
  );
  const opened = await openKeyring(place(files));
  assert.deepEqual(opened.tenant("main").key("index key", 32), lasting);
  assert.deepEqual(keysOf(opened), keysOf(keyring));
});

test("hundreds of rotations reuse the numbers of generations dropped long ago, never one in use", async () => {
  const { files } = createTracedFiles();
  const keyring = await createKeyring(place(files));
  const tenant = keyring.tenant("main");
  const seen = new Set<string>();
  for (let i = 0; i < 300; i++) {
    await keyring.beginGeneration("main");
    if (i % 3 === 0) await keyring.dropOlderGenerations("main");
    assert.ok(tenant.generation > 1 && tenant.generation < 256);
    assert.ok(!tenant.olderGenerations.includes(tenant.generation));
    seen.add(tenant.key("image key", 32, tenant.generation).toString("hex"));
  }
  assert.equal(seen.size, 300);
});

test("a keyring of one generation, as homes had once, rotates and keeps what hangs on the first", async () => {
  const { files } = createTracedFiles();
  const made = await createKeyring(place(files));
  const content = (await contentOf(files)) as { tenants: { main: { masters: unknown[]; primary?: number } } };
  content.tenants.main.masters.length = 1;
  delete content.tenants.main.primary;
  await overwrite(files, content);
  const opened = await openKeyring(place(files));
  const tenant = opened.tenant("main");
  assert.equal(tenant.generation, 1);
  await opened.beginGeneration("main");
  // Keys may be wrapped under it still: a rotation that stops here is gone on with, also when the root was changed meanwhile.
  assert.deepEqual(tenant.olderGenerations, [1]);
  await opened.changeRoot(rootFrom(second));
  const again = await openKeyring(place(files, second));
  assert.deepEqual(again.tenant("main").olderGenerations, [1]);
  await opened.dropOlderGenerations("main");
  assert.deepEqual(tenant.olderGenerations, []);
  assert.deepEqual((await openKeyring(place(files, second))).tenant("main").olderGenerations, []);
  assert.equal(tenant.generation, 2);
  assert.deepEqual(tenant.key("index key", 32), made.tenant("main").key("index key", 32));
  assert.deepEqual(tenant.key("image key", 32, 1), made.tenant("main").key("image key", 32, 1));
});

test("under a changed root the same keys open, and the old passphrase opens nothing", async () => {
  const { files } = createTracedFiles();
  const keyring = await createKeyring(place(files));
  await keyring.beginGeneration("main");
  await keyring.changeRoot(rootFrom(second));
  await assert.rejects(openKeyring(place(files)), isDenied);
  assert.deepEqual(keysOf(await openKeyring(place(files, second))), keysOf(keyring));
  await keyring.beginGeneration("main");
  assert.deepEqual(keysOf(await openKeyring(place(files, second))), keysOf(keyring));
  await assert.rejects(keyring.changeRoot(rootFrom("short")), (error) => isProblem(error, "invalid"));
  assert.deepEqual(keysOf(await openKeyring(place(files, second))), keysOf(keyring));
});

test("a new master is never wrapped under a root key that is not the keyring's, nor after its keys were wiped", async () => {
  const { files } = createTracedFiles();
  let passphrase = first;
  const root = passphraseRoot({ passphrase: async () => passphrase, random: systemRandom, cost });
  const keyring = await createKeyring({ ...place(files), root });
  passphrase = second;
  await assert.rejects(keyring.beginGeneration("main"), isDenied);
  passphrase = first;
  const before = await contentOf(files);
  const changing = keyring.changeRoot(rootFrom(second));
  keyring.wipe();
  await assert.rejects(changing, (error) => isProblem(error, "unavailable"));
  await assert.rejects(keyring.makeRecoveryKit(), (error) => isProblem(error, "unavailable"));
  assert.deepEqual(await contentOf(files), before);
});

test("any two of three shares open a keyring that has rotated and changed its root since", async () => {
  const { files } = createTracedFiles();
  const keyring = await createKeyring({ ...place(files), tenants: ["main", "other"] });
  const shares = await keyring.makeRecoveryKit();
  await keyring.beginGeneration("main");
  await keyring.dropOlderGenerations("main");
  await keyring.changeRoot(rootFrom(second));
  for (const [a, b] of [
    [0, 1],
    [2, 0],
    [1, 2],
  ] as const) {
    const typed = [shares[a] ?? "", ` ${shares[b]?.toLowerCase().replaceAll("-", " ").replaceAll("0", "o")}\n`];
    const recovered = await recoverKeyring({ ...place(files, `${first} ${a}`), shares: typed });
    assert.deepEqual(keysOf(recovered), keysOf(keyring));
    assert.deepEqual(keysOf(await openKeyring(place(files, `${first} ${a}`))), keysOf(keyring));
    await assert.rejects(openKeyring(place(files, second)), isDenied);
  }
  assert.equal(shares.length, 3);
  for (const share of shares) assert.match(share, /^([0-9A-HJKMNP-TV-Z]{4}-){17}[0-9A-HJKMNP-TV-Z]{4}$/);
});

test("what is wrong with shares is told: one, mistyped, twice the same, of two kits, of an older kit, of no kit", async () => {
  const { files } = createTracedFiles();
  const keyring = await createKeyring(place(files));
  const recover = (...shares: string[]) => recoverKeyring({ ...place(files, second), shares });
  await assert.rejects(recover("x", "y"), (error) => isProblem(error, "absent"));
  const old = await keyring.makeRecoveryKit();
  const shares = await keyring.makeRecoveryKit();
  const [one = "", two = ""] = shares;
  const says = (pattern: RegExp) => (error: unknown) => isProblem(error) && pattern.test(error.message);
  await assert.rejects(recover(one), says(/two shares are needed/));
  await assert.rejects(recover(one, one), says(/same share twice/));
  await assert.rejects(recover(one, old[1] ?? ""), says(/different recovery kits/));
  await assert.rejects(recover(old[0] ?? "", old[1] ?? ""), says(/another recovery kit/));
  await assert.rejects(recover(one, two.slice(1)), says(/share 2 as it was typed/));
  for (let at = 0; at < one.length; at++) {
    const mistyped = one.slice(0, at) + (one[at] === "7" ? "8" : "7") + one.slice(at + 1);
    if (one[at] !== "-") await assert.rejects(recover(mistyped, two), says(/share 1 as it was typed/));
  }
  assert.deepEqual(keysOf(await openKeyring(place(files))), keysOf(keyring));
});

test("one share alone says nothing: over many kits each of its bytes takes every value alike", async () => {
  const { splitSecret } = await import("./recovery-shares.ts");
  const { crockford } = await import("./crockford.ts");
  const counts = new Array<number>(256).fill(0);
  for (let i = 0; i < 1500; i++) {
    const [share = ""] = await splitSecret(Buffer.alloc(32, 0x5a), Buffer.alloc(32));
    for (const byte of crockford.decode(share)?.subarray(6, 38) ?? []) counts[byte] = (counts[byte] ?? 0) + 1;
  }
  // 48,000 bytes: 187.5 of each value, standard deviation 13.7.
  assert.ok(Math.min(...counts) > 187.5 - 6 * 13.7 && Math.max(...counts) < 187.5 + 6 * 13.7);
});

test("base 32 gives back what it was given, however it is typed", () => {
  const bytes = fc
    .uint8Array({ minLength: 1, maxLength: 12 })
    .map((some) => Buffer.concat([some, some, some, some, some]));
  fc.assert(
    fc.asyncProperty(bytes, fc.string(), async (some, junk) => {
      const { crockford } = await import("./crockford.ts");
      assert.deepEqual(crockford.decode(crockford.encode(some).toLowerCase().replaceAll("-", "")), some);
      crockford.decode(junk);
    }),
  );
});

test("a recovery key that somebody put into the file is told, and nothing is wrapped for it", async () => {
  const { files } = createTracedFiles();
  const keyring = await createKeyring(place(files));
  await keyring.makeRecoveryKit();
  const other = createTracedFiles();
  const theirs = await createKeyring(place(other.files));
  await theirs.makeRecoveryKit();
  const content = await contentOf(files);
  await overwrite(files, { ...content, recovery: (await contentOf(other.files)).recovery });
  await assert.rejects(openKeyring(place(files)), (error) => isProblem(error, "damaged"));
});

test("any content of the file is opened or refused with a problem, never anything else", async () => {
  const { files } = createTracedFiles();
  await createKeyring(place(files));
  const whole = (await contentOf(files)) as { tenants: { main: object } };
  const odd = fc.oneof(fc.jsonValue(), fc.constant(undefined));
  const changed = fc.oneof(
    odd,
    odd.map((root) => ({ ...whole, root })),
    odd.map((argon2id) => ({ ...whole, root: { kind: "passphrase", salt: "00", argon2id } })),
    fc.tuple(fc.integer(), fc.integer({ max: 3 }), fc.integer({ max: 9 })).map(([memoryKiB, passes, lanes]) => ({
      ...whole,
      root: { kind: "passphrase", salt: "00", argon2id: { memoryKiB: memoryKiB % 2048, passes, lanes } },
    })),
    odd.map((recovery) => ({ ...whole, recovery })),
    odd.map((publicKey) => ({ ...whole, recovery: { publicKey, proof: "AAAA" } })),
    odd.map((tenants) => ({ ...whole, tenants })),
    odd.map((main) => ({ ...whole, tenants: { main } })),
    odd.map((id) => ({ ...whole, tenants: { main: { ...whole.tenants.main, id } } })),
    odd.map((primary) => ({ ...whole, tenants: { main: { ...whole.tenants.main, primary } } })),
    odd.map((masters) => ({ ...whole, tenants: { main: { ...whole.tenants.main, masters } } })),
    odd.map((master) => ({ ...whole, tenants: { main: { ...whole.tenants.main, masters: [master] } } })),
    odd.map((wrapped) => ({ ...whole, tenants: { main: { id: "00", masters: [{ generation: 1, wrapped }] } } })),
  );
  await fc.assert(
    fc.asyncProperty(changed, async (content) => {
      await overwrite(files, content ?? {});
      await openKeyring(place(files)).then(
        (keyring) => keyring.wipe(),
        (error) => assert.ok(isProblem(error), String(error)),
      );
      const shares = ["0000-0000", "1111-1111"];
      await assert.rejects(recoverKeyring({ ...place(files, second), shares }), (error) => isProblem(error));
    }),
    { numRuns: 400 },
  );
});

test("every key that was drawn is overwritten when it is done with, and no other copy of the masters is in the keyring", async () => {
  const { files } = createTracedFiles();
  const drawn: Uint8Array[] = [];
  const random = (into: Uint8Array) => {
    if (into.length === 32) drawn.push(into);
    return systemRandom(into);
  };
  const keyring = await createKeyring({ ...place(files), random });
  await keyring.makeRecoveryKit();
  await keyring.beginGeneration("main");
  const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);
  // Two masters at first, the kit, one key once for each that was wrapped for it, a third master, one key once.
  assert.deepEqual(drawn.map(isZero), [false, false, true, true, true, false, true]);
  await keyring.dropOlderGenerations("main");
  assert.deepEqual(drawn.map(isZero), [false, true, true, true, true, false, true]);
  await assert.rejects(
    (await openKeyring({ ...place(files), random })).changeRoot(async () => {
      throw new Error("no root");
    }),
  );
  keyring.wipe();
  assert.ok(drawn.every(isZero));
});

test("at every crash of every change, the keyring is whole: as before or as after", async () => {
  const traced = createTracedFiles();
  const keyring = await createKeyring(place(traced.files));
  const versions: string[][] = [keysOf(keyring)];
  const shares: (readonly string[])[] = [];
  const changes: readonly [string, () => Promise<unknown>][] = [
    ["kit", async () => shares.push(await keyring.makeRecoveryKit())],
    ["begun", () => keyring.beginGeneration("main")],
    ["root", () => keyring.changeRoot(rootFrom(second))],
    ["dropped", () => keyring.dropOlderGenerations("main")],
  ];
  traced.note("made");
  for (const [name, change] of changes) {
    await change();
    versions.push(keysOf(keyring));
    traced.note(name);
  }
  const random = seededRandom(5);
  const chance = () => (random(new Uint8Array(1))[0] ?? 0) / 256;
  let states = 0;
  for (let steps = 0; steps <= traced.trace.length; steps++) {
    for (const unsynced of ["kept", "dropped", "mixed", "mixed"] as const) {
      const { disk, notes } = crashState(traced.trace, steps, unsynced, chance);
      if (!notes.includes("made")) continue;
      const { files } = createTracedFiles(disk);
      const before = versions[notes.length - 1];
      const after = versions[Math.min(notes.length, versions.length - 1)];
      const opens = async (passphrase: string) => openKeyring(place(files, passphrase)).then(keysOf, () => undefined);
      const found = [await opens(first), await opens(second)];
      assert.equal(found.filter((keys) => keys !== undefined).length, 1, "one passphrase opens it");
      const keys = String(found[0] ?? found[1]);
      assert.ok(keys === String(before) || keys === String(after));
      if (notes.includes("root")) assert.equal(found[0], undefined);
      if (notes.includes("kit")) {
        const recovered = await recoverKeyring({
          ...place(files, `${second} third`),
          shares: shares[0]?.slice(1) ?? [],
        });
        assert.equal(String(keysOf(recovered)), keys);
      }
      states++;
    }
  }
  assert.ok(states > 60, `${states} states`);
});

test("a change that cannot be written is told, leaves memory and file as they were, and can be made again", async () => {
  for (let nth = 0, isBeyond = false; !isBeyond; nth++) {
    const traced = createTracedFiles();
    await createKeyring(place(traced.files));
    const faulty = createFaultyFiles(traced.files, ({ kind }, index) =>
      index === nth && kind !== "close" ? { code: "ENOSPC" } : undefined,
    );
    const opening = await openKeyring(place(faulty)).catch(() => undefined);
    if (opening === undefined) continue;
    const before = keysOf(opening);
    const failed = await opening.beginGeneration("main").then(
      () => undefined,
      (error) => error as unknown,
    );
    isBeyond = !faulty.calls.some((call) => call.isFailed);
    if (failed === undefined) continue;
    assert.ok(isProblem(failed, "no-room"), String(failed));
    assert.deepEqual(keysOf(opening), before);
    await opening.beginGeneration("main");
    assert.deepEqual(keysOf(await openKeyring(place(traced.files))), keysOf(opening));
  }
});
