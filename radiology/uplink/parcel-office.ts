import type { ParcelKeyPair, SigningKey } from "#trust/parcels";

/** An edge that sends, as its certificate proved. */
export interface SendingEdge {
  readonly id: string;
  /** Token of the facility that it stands in; "" for none. */
  readonly facility: string;
}

/** The cloud's keys for its edges, and theirs. */
export interface ParcelOffice {
  keyOf(id: string): ParcelKeyPair | undefined;
  readonly receiptKey: SigningKey;
  /** Base64url. */
  readonly samenessKey: string;
  /** Every key that this edge ever signed with, the newest first. */
  signingKeysOf(edge: string): Promise<readonly string[]>;
}
