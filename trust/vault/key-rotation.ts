import type { Random } from "#base/id";
import type { Log } from "#base/log";
import { asProblem, isProblem, Problem } from "#base/problem";
import { type Actor, type Gate, system } from "#trust/access";
import type { HalfStores } from "./create-vault.ts";
import type { Half } from "./format.ts";
import type { KeyStore, WrappedStudyKey } from "./key-store.ts";
import type { Keyring } from "./keyring.ts";
import type { Vault } from "./vault.ts";
import { generationOf, unwrapKey, type WrappedUnder, wrapKey } from "./wrapped-key.ts";

/** What a rotation did. */
export interface Rotated {
  /** Keys that were wrapped anew. */
  readonly rewrapped: number;
  /** Keys that do not open: they stay as they are, and so does the master key that they were wrapped under. */
  readonly damaged: number;
  /** Whether no master key but the newest is left. */
  readonly isWhole: boolean;
}

/** Called with how many keys were looked at, of how many. */
export type TellRotation = (done: number, of: number) => void;

/** Rotation below the root. It wraps keys anew, touches no image, and everything goes on meanwhile. */
export interface KeyRotation {
  /**
   * A new master key of the tenant; every key is wrapped under it, then the older masters are dropped. What a crash or an error leaves is
   * ended by `resume`, or by the next rotation. Problem "busy" while one runs.
   */
  rotateTenant(actor: Actor, tell?: TellRotation): Promise<Rotated>;
  /** A new wrapping of the keys of some studies, and of their patients' keys; of all keys without studies. Problem "absent" for a token of none. */
  rotateStudies(actor: Actor, studyTokens: readonly string[] | undefined, tell?: TellRotation): Promise<Rotated>;
  /** At the start: ends a rotation that was under way, behind everything else. */
  resume(): void;
  /** Stops what runs, to be resumed, and waits for it. */
  close(): Promise<void>;
}

/** Keys under way at once: they share their syncs, and hold up the event loop for some milliseconds. */
const batchKeys = 64;

/** More walks than that through all keys mean that somebody wraps under an older master key, which nobody may. */
const walksMax = 8;

interface Wrapping extends Omit<WrappedUnder, "token"> {
  readonly keyStore: KeyStore;
}

/** What became of the keys that were looked at. */
interface Counts {
  rewrapped: number;
  damaged: number;
  left: number;
}

const noneYet = (): Counts => ({ rewrapped: 0, damaged: 0, left: 0 });

export function createKeyRotation(parts: {
  readonly keyring: Keyring;
  readonly tenant: string;
  readonly stores: Readonly<Record<Half, Pick<HalfStores, "keyStore">>>;
  readonly vault: Pick<Vault, "patientOf">;
  readonly gate: Gate;
  readonly random: Random;
  readonly log: Log;
}): KeyRotation {
  const { keyring, stores, vault, gate, random, log } = parts;
  const tenant = keyring.tenant(parts.tenant);
  const image: Wrapping = { keyStore: stores.image.keyStore, tenant, tenantKey: "image key", purpose: "study key" };
  const identity: Wrapping = {
    keyStore: stores.identity.keyStore,
    tenant,
    tenantKey: "identity key",
    purpose: "patient key",
  };
  const stopping = new AbortController();
  let running: Promise<unknown> | undefined;

  const checkGoesOn = () => {
    if (!stopping.signal.aborted) return;
    throw new Problem("unavailable", "the rotation was stopped", { remedy: "it goes on at the next start" });
  };
  /** Undefined for a key that is not wrapped under the tenant's, or is so under the newest master already. */
  const wrappedAnew = (wrapping: Wrapping, kept: WrappedStudyKey, isForced: boolean): Buffer | undefined => {
    const generation = generationOf(kept.wrappedKey);
    if (generation === undefined || (generation === tenant.generation && !isForced)) return undefined;
    const under = { ...wrapping, token: kept.studyToken, random };
    const key = unwrapKey(under, kept.wrappedKey);
    const wrapped = wrapKey(under, key);
    key.fill(0);
    return wrapped;
  };
  const rewrap = async (wrapping: Wrapping, kept: WrappedStudyKey, isForced: boolean): Promise<keyof Counts> => {
    try {
      const wrapped = wrappedAnew(wrapping, kept, isForced);
      // One that was shredded or wrapped anew meanwhile is no longer ours to replace.
      const isReplaced = wrapped && (await wrapping.keyStore.replace(kept.studyToken, wrapped, kept.wrappedKey));
      return isReplaced ? "rewrapped" : "left";
    } catch (error) {
      if (isProblem(error, "damaged")) return "damaged";
      throw error;
    }
  };
  /** One walk through every key of both stores. */
  const walk = async (isForced: boolean, tell: TellRotation): Promise<Counts> => {
    const of = image.keyStore.count() + identity.keyStore.count();
    const counts = noneYet();
    let batch: Promise<keyof Counts>[] = [];
    const settle = async () => {
      // Each is waited for before the first failure is told: nothing goes on behind it.
      const outcomes = await Promise.allSettled(batch);
      batch = [];
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") throw outcome.reason;
        counts[outcome.value]++;
      }
      checkGoesOn();
      tell(counts.rewrapped + counts.damaged + counts.left, of);
    };
    for (const wrapping of [image, identity]) {
      for await (const kept of wrapping.keyStore.all()) {
        batch.push(rewrap(wrapping, kept, isForced));
        if (batch.length >= batchKeys) await settle();
      }
      await settle();
    }
    return counts;
  };
  const end = async (tell: TellRotation): Promise<Rotated> => {
    let rewrapped = 0;
    for (let walks = 1; walks <= walksMax; walks++) {
      const found = await walk(false, tell);
      rewrapped += found.rewrapped;
      // A key that was on its way into the store when the new master came is found by a second walk: the last one finds none.
      if (found.rewrapped > 0) continue;
      if (found.damaged > 0) return { rewrapped, damaged: found.damaged, isWhole: false };
      await keyring.dropOlderGenerations(tenant.name);
      return { rewrapped, damaged: 0, isWhole: true };
    }
    throw new Problem("fault", "keys are still being wrapped under an older master key", {
      remedy: "start the server again, and see its log",
    });
  };
  const rotated = ({ rewrapped, damaged }: Counts): Rotated => ({
    rewrapped,
    damaged,
    isWhole: tenant.olderGenerations.length === 0,
  });
  const alone = <Result>(work: () => Promise<Result>): Promise<Result> => {
    checkGoesOn();
    if (running !== undefined) {
      throw new Problem("busy", "a rotation is under way", { remedy: "wait for its end" });
    }
    const ran = work()
      .catch((error) => {
        throw asProblem(error, "wrapping keys anew");
      })
      .finally(() => {
        running = undefined;
      });
    running = ran;
    return ran;
  };
  const rotateSome = async (studyTokens: readonly string[], tell: TellRotation): Promise<Rotated> => {
    const counts = noneYet();
    for (const [at, studyToken] of studyTokens.entries()) {
      checkGoesOn();
      const study = await image.keyStore.byToken(studyToken);
      if (study === undefined) throw new Problem("absent", "no key of such a study is there");
      counts[await rewrap(image, study, true)]++;
      const patient = await identity.keyStore.byToken((await vault.patientOf(studyToken)) ?? "");
      if (patient !== undefined) counts[await rewrap(identity, patient, true)]++;
      tell(at + 1, studyTokens.length);
    }
    return rotated(counts);
  };

  return {
    rotateTenant: (actor, tell = () => {}) =>
      gate.pass(actor, "vault.rotate", { kind: "system", id: "tenant" }, () =>
        alone(async () => {
          await keyring.beginGeneration(tenant.name);
          return end(tell);
        }),
      ),
    rotateStudies: (actor, studyTokens, tell = () => {}) => {
      const [only] = studyTokens ?? [];
      const isOne = studyTokens?.length === 1 && only !== undefined;
      return gate.pass(
        actor,
        "vault.rotate",
        isOne ? { kind: "study", id: only } : { kind: "system", id: "studies" },
        () =>
          alone(async () => {
            if (studyTokens !== undefined) return rotateSome(studyTokens, tell);
            return rotated(await walk(true, tell));
          }),
      );
    },
    resume() {
      if (tenant.olderGenerations.length === 0 || running !== undefined) return;
      gate
        .pass(system, "vault.rotate", { kind: "system", id: "tenant" }, () => alone(() => end(() => {})))
        .then((rotated) => log.info("a rotation of keys came to its end", { ...rotated }))
        .catch((error) => {
          if (!stopping.signal.aborted) log.warn("a rotation of keys waits for the next start", {}, error);
        });
    },
    async close() {
      stopping.abort();
      await running?.catch(() => {});
    },
  };
}
