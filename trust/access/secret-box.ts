/** Seals small secrets; the vault does it. */
export interface SecretBox {
  seal(purpose: string, secret: Uint8Array): Uint8Array;
  open(purpose: string, sealed: Uint8Array): Uint8Array;
}
