import type { CutTable } from "#formats/dicom";
import type { SealedPlace, Vault } from "#trust/vault";
import { encodeTrailer } from "./held-instance.ts";
import type { ImageHalf } from "./stored-record.ts";
import type { InstancePlaces } from "./study-index.ts";

/** The two halves of one instance on their way into the vault. Exactly one of `end` with `commit`, and `abort` ends them. */
export interface Halves {
  /** Token of the instance, and of its image half. */
  readonly id: string;
  /** The next bytes of the image half, after what was cut from them; a promise when the caller should wait. */
  write(image: Uint8Array): void | Promise<void>;
  /** Cut bytes. Used up when it returns. */
  cut(bytes: Uint8Array): void;
  /** Fixes where both will rest; `record` is what the identity half says of the instance. */
  end(table: CutTable, record: (image: ImageHalf) => Uint8Array): Promise<void>;
  /** Resolves when both are on stable storage, their syncs side by side. After a rejection neither is found as an instance. */
  commit(): Promise<{ readonly places: InstancePlaces; readonly endPosition: number }>;
  /** Takes both back after their commit, when nobody can be told of them. The identity half first: an image half alone is no instance. */
  withdraw(places: InstancePlaces): Promise<void>;
  abort(): Promise<void>;
}

export function createHalves(vault: Vault, studyToken: string): Halves {
  const image = vault.seal({ studyToken, half: "image" });
  const identity = vault.seal({ studyToken, half: "identity" });
  let slow: Promise<void> | undefined;
  let imagePlace: SealedPlace | undefined;
  const abort = async () => {
    await Promise.all([image.abort(), identity.abort()]);
  };
  return {
    id: image.id,
    write(bytes) {
      const waiting = image.write(bytes);
      if (slow === undefined) return waiting;
      const both = Promise.all([slow, waiting]).then(() => {});
      slow = undefined;
      return both;
    },
    cut(bytes) {
      slow = identity.write(bytes) ?? slow;
      // Whoever waits hears of a failure; when nobody does before the end, `end` meets it again.
      slow?.catch(() => {});
    },
    async end(table, record) {
      await identity.write(encodeTrailer(table, image.id));
      imagePlace = await image.end(noRecord);
      await identity.end(record({ id: image.id, place: imagePlace }));
    },
    async commit() {
      const [first, second] = await Promise.allSettled([image.commit(), identity.commit()]);
      // An identity half that stands alone is passed over by recovery, as nobody was told of it.
      if (first.status === "rejected") throw first.reason;
      if (second.status === "rejected") throw second.reason;
      const { place, endPosition } = second.value;
      return { places: { image: first.value.place, identity: place }, endPosition };
    },
    async withdraw(places) {
      await vault.withdraw("identity", places.identity);
      await vault.withdraw("image", places.image);
    },
    abort,
  };
}

/** All that is to be said of an image half without opening the identity half is in its framing. */
const noRecord = new Uint8Array(0);
