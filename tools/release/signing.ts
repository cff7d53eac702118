import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { Problem } from "#base/problem";

/**
 * Makes an Ed25519 key pair (RFC 8032): the private key as PKCS #8 in `file`, for its owner alone, the public one as SPKI in
 * `file.pub`. Never writes over a key that is there. Returns the public key's path.
 */
export function makeKey(file: string): string {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  writeNew(file, privateKey.export({ type: "pkcs8", format: "pem" }), 0o600);
  writeNew(`${file}.pub`, publicKey.export({ type: "spki", format: "pem" }), 0o644);
  return `${file}.pub`;
}

function writeNew(file: string, text: string | Buffer, mode: number): void {
  try {
    writeFileSync(file, text, { flag: "wx", mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new Problem("conflict", `${file} is there already and stays as it is`, { remedy: "name another file" });
  }
}

/** The key that signs. One that others can read has signed its last release. */
export function readSigningKey(file: string): KeyObject {
  if ((statSync(file).mode & 0o077) !== 0) {
    throw new Problem("invalid", `${file} can be read by others than its owner`, {
      remedy: "chmod 600, and think about who may have read it",
    });
  }
  return ed25519(file, () => createPrivateKey(readFileSync(file)));
}

/** A signature of 64 bytes over the bytes themselves, as `openssl pkeyutl -rawin` makes and checks it. */
export function signatureOf(bytes: Uint8Array, key: KeyObject): Uint8Array {
  return sign(null, bytes, key);
}

export function isSignedBy(bytes: Uint8Array, signature: Uint8Array, publicKeyFile: string): boolean {
  const key = ed25519(publicKeyFile, () => createPublicKey(readFileSync(publicKeyFile)));
  return verify(null, bytes, key, signature);
}

function ed25519(file: string, read: () => KeyObject): KeyObject {
  const none = new Problem("invalid", `${file} is no Ed25519 key in PEM`, {
    remedy: "npm run release -- --new-key FILE makes one",
  });
  let key: KeyObject;
  try {
    key = read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    throw none;
  }
  if (key.asymmetricKeyType !== "ed25519") throw none;
  return key;
}
