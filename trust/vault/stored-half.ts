import type { KeyObject } from "node:crypto";
import { newToken, type Random } from "#base/id";
import { asProblem, isProblem, Problem } from "#base/problem";
import { type Half, objectContext, partOf } from "./format.ts";
import type { TenantKeys } from "./keyring.ts";
import {
  createSealedBuffers,
  openRecord,
  type ProvenObject,
  type Proving,
  proveObject,
  type StudyKeyOf,
  verifyWhole,
} from "./opener.ts";
import type { ReadAt } from "./scan.ts";
import type { SealedObjects } from "./sealed-objects.ts";
import { createSealer, objectKey, type Sealer } from "./sealer.ts";
import { createSealing } from "./sealing.ts";
import type { CheckProgress, Damage, FaultIn, SealedPlace, Sealing } from "./vault.ts";

/** One of the two stores of sealed objects, with the keys that open what is in it. */
export interface StoredHalf {
  seal(studyToken: string, ended: (sealing: Sealing) => void): Sealing;
  /** Problem "damaged" when the footer does not prove, "absent" when the key is gone. */
  prove(place: SealedPlace, how?: Partial<Pick<Proving, "readAt" | "sizeBytes">>): Promise<ProvenObject>;
  /** What is wrong with an object, every byte looked at. */
  damageOf(place: SealedPlace, readAt?: ReadAt, faultIn?: FaultIn): Promise<Finding>;
  check(progress: Progress, faultIn?: FaultIn): AsyncIterable<Damage>;
  readonly objects: SealedObjects;
}

/** `no-key`: it was shredded, or its key was lost; which of the two the audit log tells. */
export type Finding = undefined | "no-key" | { readonly what: string };

/** Counts over both stores. */
export interface Progress {
  readonly seen: (progress: CheckProgress) => void;
  objects: number;
  withoutKey: number;
  bytesBefore: number;
  bytesTotal: number;
}

export function createStoredHalf(parts: {
  readonly half: Half;
  readonly tenant: TenantKeys;
  readonly keyOf: StudyKeyOf;
  readonly objects: SealedObjects;
  readonly random: Random;
}): StoredHalf {
  const { half, tenant, keyOf, objects, random } = parts;
  const part = partOf[half];
  const buffers = createSealedBuffers();

  const seal: StoredHalf["seal"] = (studyToken, ended) => {
    const id = newToken(random);
    const nonce = Buffer.from(random(Buffer.alloc(32)));
    const unsigned = { part, version: 1, studyToken, id, nonce };
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
        const studyKey = keyOf(studyToken);
        if (studyKey instanceof Promise) return studyKey.then((arrived) => sealerWith(arrived, emit));
        return sealerWith(studyKey, emit);
      },
    });
  };
  const readerOf =
    ({ pack }: SealedPlace): ReadAt =>
    (position, into) =>
      objects.read(pack, position, into);
  const prove: StoredHalf["prove"] = (place, { readAt = readerOf(place), sizeBytes } = {}) =>
    proveObject(place, { readAt, tenantId: tenant.id, part, studyKeyOf: keyOf, buffers, sizeBytes }).catch((error) => {
      throw asProblem(error, "opening a sealed object");
    });
  const damageOf: StoredHalf["damageOf"] = async (place, readAt = readerOf(place), faultIn) => {
    try {
      const object = await prove(place, { readAt });
      await verifyWhole(object);
      const what = await faultIn?.(await openRecord(object));
      return what === undefined ? undefined : { what };
    } catch (error) {
      if (isProblem(error, "absent")) return "no-key";
      if (isProblem(error, "damaged")) return { what: error.message };
      throw error;
    }
  };

  return {
    objects,
    seal,
    prove,
    damageOf,
    async *check(progress, faultIn) {
      for (const { pack, endPosition } of await objects.packs()) {
        for await (const found of objects.scan(pack, 0)) {
          const isGap = "gapFrom" in found;
          const offset = isGap ? found.gapFrom : found.offset;
          const finding = isGap
            ? { what: gapDamage(found.gapFrom, found.gapTo) }
            : await damageOf(found, undefined, faultIn);
          if (finding === "no-key") progress.withoutKey++;
          else if (finding !== undefined) yield { half, place: { pack, offset }, what: finding.what };
          if (isGap) continue;
          progress.objects++;
          progress.seen(progressAt(progress, found.endPosition));
        }
        progress.bytesBefore += endPosition;
        progress.seen(progressAt(progress, 0));
      }
    },
  };
}

function progressAt({ objects, withoutKey, bytesBefore, bytesTotal }: Progress, bytesHere: number): CheckProgress {
  return { objects, withoutKey, bytes: bytesBefore + bytesHere, bytesTotal };
}

function gapDamage(from: number, to: number): string {
  return `${to - from} bytes from position ${from} belong to no finished object`;
}
