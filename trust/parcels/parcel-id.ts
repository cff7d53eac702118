import { hmac, joined } from "#trust/vault";

/**
 * The id of a parcel, 32 hexadecimal digits. The same thing has the same id, so that a cloud knows before it is sent that it holds it; who has not the
 * key, which a cloud and its edges share, cannot tell from an id what is in a parcel, nor whether two clouds hold the same.
 */
export function parcelIdOf(key: Uint8Array, kind: string, sha256: string): string {
  return hmac(key, joined("leadglass parcel id", kind, sha256)).toString("hex", 0, 16);
}
