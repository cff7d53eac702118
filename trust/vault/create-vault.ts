import type { Random } from "#base/id";
import { asProblem, isProblem, Problem } from "#base/problem";
import type { Half } from "./format.ts";
import { createIdentityKeys } from "./identity-keys.ts";
import { withIdentityOpening } from "./identity-opening.ts";
import { createIndexBox, openRow } from "./index-box.ts";
import type { KeyStore } from "./key-store.ts";
import type { Keyring } from "./keyring.ts";
import { anotherObject, openedImage, openedObject, openRecord } from "./opener.ts";
import { keyOf } from "./primitives.ts";
import { rangeAt } from "./scan.ts";
import type { FoundObject, SealedObjects } from "./sealed-objects.ts";
import { openSecret, sealSecret } from "./secrets.ts";
import { createStoredHalf, type Progress, type StoredHalf } from "./stored-half.ts";
import { createStudyKeys } from "./study-keys.ts";
import type { CheckProgress, Damage, FaultIn, RecoveredObject, SealedPlace, Sealing, Vault } from "./vault.ts";
import type { WholeOpener } from "./whole.ts";

/** Where one half rests: its sealed objects and the keys that open them. */
export interface HalfStores {
  readonly objects: SealedObjects;
  readonly keyStore: KeyStore;
}

/**
 * The vault of one tenant. Takes over the stores of both halves: proves what the last process left unsaid
 * (`SealedObjects.start`), and closes them when it is closed.
 */
export async function createVault(options: {
  readonly keyring: Keyring;
  readonly tenant: string;
  readonly stores: Readonly<Record<Half, HalfStores>>;
  readonly random: Random;
  /** For whole image halves; without, they are opened by this thread. */
  readonly threads?: WholeOpener;
}): Promise<Vault> {
  const { keyring, stores, random, threads } = options;
  const tenant = keyring.tenant(options.tenant);
  const indexKey = keyOf(tenant.key("index key", 32));
  const studyKeys = createStudyKeys({ keyStore: stores.image.keyStore, tenant, indexKey, random });
  const identityKeys = createIdentityKeys({ keyStore: stores.identity.keyStore, tenant, indexKey, random });
  const objectKeyOf = (studyToken: string) => {
    const key = identityKeys.keyOf(studyToken);
    return key instanceof Promise ? key.then((each) => each?.objects) : key?.objects;
  };
  const halves: Readonly<Record<Half, StoredHalf>> = {
    image: createStoredHalf({
      half: "image",
      tenant,
      keyOf: studyKeys.keyOf,
      objects: stores.image.objects,
      random,
    }),
    identity: createStoredHalf({
      half: "identity",
      tenant,
      keyOf: objectKeyOf,
      objects: stores.identity.objects,
      random,
    }),
  };
  for (const { objects, damageOf } of [halves.image, halves.identity]) {
    // One whose study was shredded cannot be proven, and does not matter.
    await objects.start(async (found) => typeof (await damageOf(found)) !== "object");
  }

  const live = new Set<Sealing>();
  const committing = new Set<Promise<void>>();
  const track = <Result>(commit: Promise<Result>): Promise<Result> => {
    const over = commit.then(
      () => void committing.delete(over),
      () => void committing.delete(over),
    );
    committing.add(over);
    return commit;
  };
  let isClosed = false;
  const checkOpen = () => {
    if (isClosed) throw new Problem("unavailable", "the vault is closed");
  };
  const vault: Vault = {
    async studyToken(studyUid, patient) {
      checkOpen();
      try {
        const token = await studyKeys.token(studyUid);
        await identityKeys.ensure(token, patient === undefined ? `study ${studyUid}` : `patient ${patient}`);
        return token;
      } catch (error) {
        throw asProblem(error, "keeping the key of a study");
      }
    },
    seal({ studyToken, half }) {
      checkOpen();
      const sealing = halves[half].seal(studyToken, (ended) => live.delete(ended));
      live.add(sealing);
      return {
        ...sealing,
        commit: () => track(sealing.commit()),
        finish: (record) => track(sealing.finish(record)),
      };
    },
    async withdraw(half, place) {
      const { objects } = halves[half];
      const range = await rangeAt((position, into) => objects.read(place.pack, position, into), place);
      if (range !== undefined) await objects.discard([range]);
    },
    settled: async () => void (await Promise.all(committing)),
    async open(place, id, sizeBytes) {
      const proven = await halves.image.prove(place, { sizeBytes });
      if (id !== undefined && proven.footer.id !== id) throw anotherObject();
      return openedImage(proven, threads);
    },
    imageAt: (place) => imageAt(halves.image, place),
    recover: (from) => recover(halves.identity, from),
    images: () => images(halves.image.objects),
    check: (seen = () => {}, faultIn) => check(halves, seen, faultIn),
    async prove(half, found, readAt, faultIn) {
      const finding = await halves[half].damageOf(found, readAt, half === "identity" ? faultIn : undefined);
      return typeof finding === "object" ? finding.what : undefined;
    },
    async shred({ studyTokens, patientToken }) {
      checkOpen();
      let keys = 0;
      const destroy = async ({ keyStore }: HalfStores, token: string) => {
        if (await keyStore.delete(token)) keys++;
      };
      // The patient's key first: with it gone, none of these identities opens, whatever stops what follows.
      if (patientToken !== undefined) await destroy(stores.identity, patientToken);
      for (const token of studyTokens) {
        await destroy(stores.identity, token);
        await destroy(stores.image, token);
        identityKeys.forget(token);
        studyKeys.forget(token);
      }
      if (patientToken !== undefined) identityKeys.forget(patientToken);
      return keys;
    },
    patientOf: (studyToken) => identityKeys.patientOf(studyToken),
    moveIdentity: (studyToken, patient) => identityKeys.move(studyToken, `patient ${patient}`),
    forgetKeys(token) {
      if (token === undefined) {
        identityKeys.wipe();
        studyKeys.wipe();
      } else {
        identityKeys.forget(token);
        studyKeys.forget(token);
      }
    },
    indexBox: createIndexBox({ tenant, indexKey, identityKeys, random }),
    secrets: {
      seal: (purpose, secret) => sealSecret(tenant, random, purpose, secret),
      open: (purpose, sealed) => openSecret(tenant, purpose, sealed),
    },
    derive: (purpose, bytes) => tenant.key(purpose, bytes),
    async close() {
      if (isClosed) return;
      isClosed = true;
      await Promise.all([...live].map((sealing) => sealing.abort()));
      const closing = Object.values(stores).flatMap(({ objects, keyStore }) => [objects.close(), keyStore.close()]);
      const closed = await Promise.allSettled(closing);
      studyKeys.wipe();
      identityKeys.wipe();
      const failed = closed.find((each) => each.status === "rejected");
      if (failed !== undefined) throw asProblem(failed.reason, "closing the vault");
    },
  };
  return withIdentityOpening(vault, {
    row: (identity) => openRow({ tenant, identityKeys }, identity),
    object: async (place) => openedObject(await halves.identity.prove(place)),
  });
}

/**
 * Undefined for a shredded or damaged object, and for none. The scan, not the bytes, says whether an object is there: it knows
 * where a pack ends and what was discarded.
 */
async function imageAt(images: StoredHalf, place: SealedPlace): Promise<string | undefined> {
  try {
    const { footer } = await images.prove(place);
    for await (const found of images.objects.scan(place.pack, place.offset - footer.bodyBytes)) {
      return "offset" in found && found.offset === place.offset ? footer.id : undefined;
    }
    return undefined;
  } catch (error) {
    if (isProblem(error, "damaged") || isProblem(error, "absent")) return undefined;
    throw error;
  }
}

async function* images(objects: SealedObjects): AsyncGenerator<{ id: string; place: SealedPlace }> {
  for (const { pack } of await objects.packs()) {
    for await (const found of objects.scan(pack, 0)) {
      if (!("gapFrom" in found)) yield { id: found.id, place: { pack, offset: found.offset } };
    }
  }
}

async function* recover(identity: StoredHalf, from: ReadonlyMap<string, number>): AsyncGenerator<RecoveredObject> {
  for (const { pack } of await identity.objects.packs()) {
    for await (const found of identity.objects.scan(pack, from.get(pack) ?? 0)) {
      if ("gapFrom" in found) continue;
      const recovered = await recoveredFrom(identity, found);
      if (recovered !== undefined) yield recovered;
    }
  }
}

/** Undefined for a shredded or damaged object: neither can be indexed, and `check` tells of the damaged one. */
async function recoveredFrom(identity: StoredHalf, found: FoundObject): Promise<RecoveredObject | undefined> {
  const place = { pack: found.pack, offset: found.offset };
  try {
    const object = await identity.prove(place);
    const record = await openRecord(object);
    const { id, studyToken, sizeBytes } = object.footer;
    return { id, studyToken, place, endPosition: found.endPosition, sizeBytes, record };
  } catch (error) {
    if (isProblem(error, "damaged") || isProblem(error, "absent")) return undefined;
    throw error;
  }
}

async function* check(
  { image, identity }: Readonly<Record<Half, StoredHalf>>,
  seen: (progress: CheckProgress) => void,
  faultIn: FaultIn | undefined,
): AsyncGenerator<Damage> {
  const sizes = (await Promise.all([image, identity].map(({ objects }) => objects.packs()))).flat();
  const bytesTotal = sizes.reduce((sum, { endPosition }) => sum + endPosition, 0);
  const progress: Progress = { seen, objects: 0, withoutKey: 0, bytesBefore: 0, bytesTotal };
  yield* image.check(progress);
  yield* identity.check(progress, faultIn);
}
