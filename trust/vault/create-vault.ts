import type { KeyObject } from "node:crypto";
import { newToken, type Random } from "#base/id";
import { asProblem, isProblem, Problem } from "#base/problem";
import { objectContext, wholePart } from "./format.ts";
import type { KeyStore } from "./key-store.ts";
import type { Keyring, TenantKeys } from "./keyring.ts";
import { openedObject, openRecord, type ProvenObject, proveObject, verifyWhole } from "./opener.ts";
import type { FoundObject, SealedObjects } from "./sealed-objects.ts";
import { createSealer, objectKey, type Sealer } from "./sealer.ts";
import { createSealing } from "./sealing.ts";
import { openSecret, sealSecret } from "./secrets.ts";
import { createStudyKeys, type StudyKeys } from "./study-keys.ts";
import type { Damage, RecoveredObject, SealedPlace, SealedUnder, Sealing, Vault } from "./vault.ts";

interface Parts {
  readonly tenant: TenantKeys;
  readonly studyKeys: StudyKeys;
  readonly objects: SealedObjects;
  readonly random: Random;
}

/**
 * The vault of one tenant. Takes over the object store: proves what the last process left unsaid (`SealedObjects.start`),
 * and closes it and the key store when it is closed.
 */
export async function createVault(options: {
  readonly keyring: Keyring;
  readonly tenant: string;
  readonly keyStore: KeyStore;
  readonly objects: SealedObjects;
  readonly random: Random;
}): Promise<Vault> {
  const { keyring, keyStore, objects, random } = options;
  const tenant = keyring.tenant(options.tenant);
  const studyKeys = createStudyKeys({ keyStore, tenant, random });
  const parts: Parts = { tenant, studyKeys, objects, random };
  await objects.start((found) => isProven(parts, found));

  const live = new Set<Sealing>();
  let isClosed = false;
  const checkOpen = () => {
    if (isClosed) throw new Problem("unavailable", "the vault is closed");
  };
  return {
    async studyToken(studyUid) {
      checkOpen();
      return studyKeys.token(studyUid).catch((error) => {
        throw asProblem(error, "keeping the key of a study");
      });
    },
    seal(under) {
      checkOpen();
      const sealing = sealUnder(parts, under, (ended) => live.delete(ended));
      live.add(sealing);
      return sealing;
    },
    open: async (place) => openedObject(await prove(parts, place)),
    recover: (from) => recover(parts, from),
    check: (seen) => check(parts, seen),
    sealSecret: (purpose, secret) => sealSecret(tenant, random, purpose, secret),
    openSecret: (purpose, sealed) => openSecret(tenant, purpose, sealed),
    derive: (purpose, bytes) => tenant.key(purpose, bytes, firstGeneration),
    async close() {
      if (isClosed) return;
      isClosed = true;
      await Promise.all([...live].map((sealing) => sealing.abort()));
      const closed = await Promise.allSettled([objects.close(), keyStore.close()]);
      studyKeys.wipe();
      const failed = closed.find((each) => each.status === "rejected");
      if (failed !== undefined) throw asProblem(failed.reason, "closing the vault");
    },
  };
}

/** What is derived must stay the same when the master key is rotated, so it hangs on the first. */
const firstGeneration = 1;

function sealUnder(parts: Parts, under: SealedUnder, ended: (sealing: Sealing) => void): Sealing {
  const { random, tenant, studyKeys, objects } = parts;
  const id = newToken(random);
  const nonce = Buffer.from(random(Buffer.alloc(32)));
  const unsigned = { part: wholePart, version: 1, studyToken: under.studyToken, id, nonce };
  const sealerWith = (studyKey: KeyObject | undefined, emit: (part: Buffer) => void): Sealer => {
    if (studyKey === undefined) throw new Problem("absent", "the key of this study is not there");
    const key = objectKey(studyKey, nonce, objectContext(tenant.id, unsigned));
    return createSealer({ ...unsigned, commitment: key.commitment }, key, emit);
  };
  return createSealing({
    id,
    objects,
    ended,
    sealer(emit) {
      const studyKey = studyKeys.keyOf(under.studyToken);
      if (studyKey instanceof Promise) return studyKey.then((arrived) => sealerWith(arrived, emit));
      return sealerWith(studyKey, emit);
    },
  });
}

function prove(parts: Parts, place: SealedPlace): Promise<ProvenObject> {
  const { objects, tenant, studyKeys } = parts;
  const readAt = (position: number, into: Uint8Array) => objects.read(place.pack, position, into);
  return proveObject(place, readAt, tenant.id, studyKeys.keyOf).catch((error) => {
    throw asProblem(error, "opening a sealed object");
  });
}

/** Whether every byte of an object is there. One whose study was shredded cannot be proven, and does not matter. */
async function isProven(parts: Parts, place: SealedPlace): Promise<boolean> {
  try {
    await verifyWhole(await prove(parts, place));
    return true;
  } catch (error) {
    if (isProblem(error, "damaged")) return false;
    if (isProblem(error, "absent")) return true;
    throw error;
  }
}

async function* recover(parts: Parts, from: ReadonlyMap<string, number>): AsyncGenerator<RecoveredObject> {
  for (const { pack } of await parts.objects.packs()) {
    for await (const found of parts.objects.scan(pack, from.get(pack) ?? 0)) {
      if ("gapFrom" in found) continue;
      const recovered = await recoveredFrom(parts, found);
      if (recovered !== undefined) yield recovered;
    }
  }
}

/** Undefined for a shredded or damaged object: neither can be indexed, and `check` tells of the damaged one. */
async function recoveredFrom(parts: Parts, found: FoundObject): Promise<RecoveredObject | undefined> {
  const place = { pack: found.pack, offset: found.offset };
  try {
    const object = await prove(parts, place);
    const record = await openRecord(object);
    const { id, studyToken, sizeBytes } = object.footer;
    return { id, studyToken, place, endPosition: found.endPosition, sizeBytes, record };
  } catch (error) {
    if (isProblem(error, "damaged") || isProblem(error, "absent")) return undefined;
    throw error;
  }
}

type CheckProgress = { objects: number; bytes: number; bytesTotal: number };

async function* check(parts: Parts, seen: ((progress: CheckProgress) => void) | undefined): AsyncGenerator<Damage> {
  const packs = await parts.objects.packs();
  const bytesTotal = packs.reduce((sum, { endPosition }) => sum + endPosition, 0);
  let objects = 0;
  let before = 0;
  for (const { pack, endPosition } of packs) {
    for await (const found of parts.objects.scan(pack, 0)) {
      const damage = "gapFrom" in found ? gapDamage(found.gapFrom, found.gapTo) : await damageOf(parts, found);
      const offset = "gapFrom" in found ? found.gapFrom : found.offset;
      if (damage !== undefined) yield { place: { pack, offset }, what: damage };
      if (!("gapFrom" in found)) seen?.({ objects: ++objects, bytes: before + found.endPosition, bytesTotal });
    }
    before += endPosition;
    seen?.({ objects, bytes: before, bytesTotal });
  }
}

function gapDamage(from: number, to: number): string {
  return `${to - from} bytes from position ${from} belong to no finished object`;
}

async function damageOf(parts: Parts, found: FoundObject): Promise<string | undefined> {
  try {
    await verifyWhole(await prove(parts, { pack: found.pack, offset: found.offset }));
    return undefined;
  } catch (error) {
    // A missing key is shredding, not damage.
    if (isProblem(error, "absent")) return undefined;
    if (isProblem(error)) return error.message;
    throw error;
  }
}
