import { sealParcel } from "#trust/parcels";
import { encodePart, type ParcelHead, type ParcelTail } from "./parcel-content.ts";
import type { ParcelNote, ParcelWriter, Spool } from "./spool.ts";

/** A parcel that is being made. Exactly one of `commit` and `abort` ends it. */
export interface OpenParcel {
  /** Seals what is in it, and hands it to the spool. Resolves when more may come. */
  write(content: readonly Uint8Array[]): Promise<void>;
  commit(tail: ParcelTail, note: Omit<ParcelNote, "length" | "sha256">): Promise<"kept" | "there">;
  /** Nothing of it will be found. Never rejects. */
  abort(): Promise<void>;
}

/** `to` is the cloud's public key: from here on nobody on this machine can read what is written. */
export async function beginParcel(
  spool: Pick<Spool, "begin">,
  to: { readonly id: string; readonly publicKey: string },
  head: ParcelHead,
): Promise<OpenParcel> {
  let sealed: Buffer[] = [];
  const sealer = await sealParcel(to, encodePart(head), (part) => sealed.push(part));
  const writer: ParcelWriter = await spool.begin();
  const taken = (): Buffer[] => {
    const parts = sealed;
    sealed = [];
    return parts;
  };
  return {
    async write(content) {
      for (const bytes of content) sealer.update(bytes);
      const parts = taken();
      if (parts.length > 0) await writer.write(parts);
    },
    async commit(tail, note) {
      const { length, sha256 } = sealer.end(encodePart(tail));
      await writer.write(taken());
      return writer.commit({ ...note, length, sha256 });
    },
    abort: () => writer.abort(),
  };
}
