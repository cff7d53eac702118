// One thing taken for another, by somebody who can write to stores, index or keys at rest and has no key, or who comes at a bad moment.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import { createMemoryKeyStore } from "#stores/memory";
import { actorOf, createGate } from "#trust/access";
import type { AuditEntry, AuditLog } from "#trust/audit";
import { policyWhere } from "../access/grants.fixture.ts";
import { createIdentityKeys } from "./identity-keys.ts";
import { createReveal, type KeyStore, type Vault } from "./index.ts";
import { changed, objectOf, piecesOf, withIdentity } from "./manipulations.fixture.ts";
import { keyOf } from "./primitives.ts";
import { createSwitchedVault } from "./switched-vault.fixture.ts";
import { keyring, memoryStores, openVault, put } from "./vault.fixture.ts";

const isDamaged = (error: unknown) => isProblem(error, "damaged");

async function damages(vault: Vault): Promise<number> {
  let count = 0;
  for await (const _ of vault.check()) count++;
  return count;
}

test("an identity half of another study than the one that is logged is not opened", async () => {
  const { vault } = await openVault();
  const entries: Omit<AuditEntry, "at">[] = [];
  const append = async (entry: Omit<AuditEntry, "at">) => entries.push(entry);
  const audit = { append } as Partial<AuditLog> as AuditLog;
  const clock = createVirtualClock();
  const gate = createGate({ policy: policyWhere({ "user:1": ["radiologist"] }), audit, clock });
  const { reveal } = createReveal({ vault, gate, audit, clock, log: silentLog, studiesPerMinuteMax: 10 });
  const place = await put(vault, Buffer.from("of another patient"), {
    half: "identity",
    studyUid: "9.9",
    patient: "b",
  });
  const studyToken = await vault.studyToken("1.2.3", "a");
  await gate.pass(actorOf("user", "1"), "study.read", undefined, async (pass) => {
    const { openHalf } = await reveal(pass, { halves: [{ studyToken, place }] }, "read");
    await assert.rejects(openHalf(0), isDamaged);
  });
});

test("an object whose key cannot be found is counted by check, shredded or not", async () => {
  const { vault, hold, sealed } = await createSwitchedVault();
  const { bytes } = await sealed("1.2.3", 100);
  await hold(objectOf(withIdentity(piecesOf(bytes), (identity) => identity.fill(0x77, 16, 32))));
  let withoutKey = 0;
  for await (const _ of vault.check((progress) => ({ withoutKey } = progress))) assert.fail("it is no damage");
  assert.equal(withoutKey, 1);
});

test("a hint for recovery that points behind its object is told of by check", async () => {
  const { vault, hold, sealed } = await createSwitchedVault();
  const { bytes } = await sealed("1.2.3", 100);
  const pieces = piecesOf(bytes);
  const header = changed(pieces.header, (all) => void all.writeBigUInt64BE(2n ** 40n, 112));
  await hold(objectOf({ ...pieces, header }));
  assert.ok((await damages(vault)) > 0);
});

/** A key store that can be made to answer late. */
function slowKeyStore() {
  const store = createMemoryKeyStore();
  const gates: (() => void)[] = [];
  let isSlow = false;
  const keyStore: KeyStore = {
    ...store,
    async byToken(token) {
      const kept = await store.byToken(token);
      const copy = kept && { ...kept, wrappedKey: Buffer.from(kept.wrappedKey) };
      if (isSlow) await new Promise<void>((resolve) => gates.push(resolve));
      return copy;
    },
  };
  return {
    keyStore,
    slow: () => {
      isSlow = true;
    },
    go: () => {
      isSlow = false;
      for (const each of gates.splice(0)) each();
    },
  };
}

test("a key that was being read while its study was shredded is not kept", async () => {
  const stores = memoryStores();
  const late = slowKeyStore();
  const { vault } = await openVault({ stores: { ...stores, image: { ...stores.image, keyStore: late.keyStore } } });
  const place = await put(vault, randomBytes(100));
  const studyToken = await vault.studyToken("1.2.3");
  vault.forgetKeys(studyToken);
  late.slow();
  const opening = vault.open(place).catch(() => undefined);
  await new Promise((resolve) => setImmediate(resolve));
  await vault.shred({ studyTokens: [studyToken] });
  late.go();
  await opening;
  await assert.rejects(vault.open(place), (error) => isProblem(error, "absent"));
});

test("the identity of a shredded patient's studies is forgotten, also when the patient's key was let go before", async () => {
  const keyStore = createMemoryKeyStore();
  const tenant = keyring.tenant("main");
  const keys = createIdentityKeys({ keyStore, tenant, indexKey: keyOf(randomBytes(32)), random: systemRandom });
  const study = "11".repeat(16);
  await keys.ensure(study, "patient");
  const token = (await keys.patientOf(study)) ?? assert.fail();
  // The study is looked at all the time, its patient's key is not needed for that: it is let go first.
  for (let other = 0; other < 8200; other++) {
    await keys.ensure(other.toString(16).padStart(32, "0"), `patient ${other}`);
    await keys.keyOf(study);
  }
  await keyStore.delete(token);
  keys.forget(token);
  assert.equal(await keys.keyOf(study), undefined);
});
