import { joined } from "#trust/vault";
import { type SigningKey, signatureOf, verifierOf } from "./signing.ts";

/** What an edge vouches for when it receives something. */
export interface Provenance {
  /** The edge's id. */
  readonly edge: string;
  /** What sort of thing it is. */
  readonly kind: string;
  /** Of the thing as it was received, hexadecimal. */
  readonly sha256: string;
  /** Empty where there is none. */
  readonly transferSyntaxUid: string;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
}

/** base64url. */
export function signProvenance(key: SigningKey, what: Provenance): string {
  return signatureOf(key, saidBy(what)).toString("base64url");
}

/** Whether the owner of a key vouched for exactly this. */
export type ProvesProvenance = (what: Provenance, signature: string) => boolean;

/** For one key, which is read once. Problem `invalid` for what is no key. */
export function provenanceProver(publicKey: string): ProvesProvenance {
  const verify = verifierOf(publicKey);
  return (what, signature) => verify(saidBy(what), Buffer.from(signature, "base64url"));
}

/** Problem `invalid` for what is no key. */
export function provesProvenance(publicKey: string, what: Provenance, signature: string): boolean {
  return provenanceProver(publicKey)(what, signature);
}

/** Parts behind their lengths, so that nothing can be moved from one into the next; the first keeps it from being taken for another thing of ours that is signed. */
function saidBy({ edge, kind, sha256, transferSyntaxUid, receivedAt }: Provenance): Buffer {
  return joined("leadglass provenance 1", edge, kind, sha256, transferSyntaxUid, String(receivedAt));
}
