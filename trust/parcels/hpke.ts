import { createHmac } from "node:crypto";
import { CipherSuite, DhkemX25519HkdfSha256, ExportOnly, HkdfSha256 } from "@hpke/core";
import { Problem } from "#base/problem";

/*
 * HPKE (RFC 9180) in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and export only: it gives both ends one secret, and what is
 * sealed under that is sealed by Node's own AES-GCM, as a stream.
 */

/** Length of `enc`, of a public and of a private key (RFC 9180 §7.1). */
export const pointBytes = 32;
const secretBytes = 32;

/** What both ends have to say alike to get the same secret. */
export interface Exporting {
  /** RFC 9180 §5.1, `info`. */
  readonly info: Uint8Array;
  /** RFC 9180 §5.3, `exporter_context`. */
  readonly exporter: Uint8Array;
}

type Bytes = ArrayBufferLike | ArrayBufferView;

/** HKDF-SHA256 (RFC 5869) in this thread: the library's has each of its short HMACs done in another, which takes several times as long. */
class Hkdf extends HkdfSha256 {
  override extract(salt: Bytes, ikm: Bytes): Promise<ArrayBuffer> {
    return Promise.resolve(hmac(salt, ikm));
  }
  /** Of a length that one block of SHA-256 fills. */
  override expand(prk: Bytes, info: Bytes, length: number): Promise<ArrayBuffer> {
    if (length > this.hashSize) throw new Problem("fault", "HKDF was asked for more than one block");
    return Promise.resolve(hmac(prk, info, Uint8Array.of(1)).slice(0, length));
  }
  override async extractAndExpand(salt: Bytes, ikm: Bytes, info: Bytes, length: number): Promise<ArrayBuffer> {
    return this.expand(await this.extract(salt, ikm), info, length);
  }
}

function hmac(key: Bytes, ...message: readonly Bytes[]): ArrayBuffer {
  const mac = createHmac("sha256", bytesOf(key));
  for (const part of message) mac.update(bytesOf(part));
  return Uint8Array.from(mac.digest()).buffer;
}

const bytesOf = (bytes: Bytes): Uint8Array =>
  ArrayBuffer.isView(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Uint8Array(bytes);

/** "KEM", then DHKEM(X25519, HKDF-SHA256) (RFC 9180 §4.1, §7.1). */
const kemSuiteId = Uint8Array.of(0x4b, 0x45, 0x4d, 0x00, 0x20);

class Kem extends DhkemX25519HkdfSha256 {
  constructor() {
    super();
    this._kdf = new Hkdf();
    this._kdf.init(kemSuiteId);
  }
}

/** Made for each use: the library's suites hold no key, and making one costs nothing beside the point multiplication. */
function newSuite() {
  return new CipherSuite({ kem: new Kem(), kdf: new Hkdf(), aead: new ExportOnly() });
}

/** Raw keys. */
export async function newKeyPair(): Promise<{ readonly publicKey: Buffer; readonly privateKey: Buffer }> {
  const { kem } = newSuite();
  const made = await kem.generateKeyPair();
  return {
    publicKey: Buffer.from(await kem.serializePublicKey(made.publicKey)),
    privateKey: Buffer.from(await kem.serializePrivateKey(made.privateKey)),
  };
}

/**
 * A secret that only the owner of `publicKey` can make again from `enc`. The key pair that it takes is made for this once and kept nowhere;
 * `ephemeral` is for the vectors of the RFC. Rejects for a key that is no point to reckon with.
 */
export async function encapsulate(
  publicKey: Uint8Array,
  { info, exporter }: Exporting,
  ephemeral?: CryptoKeyPair,
): Promise<{ readonly enc: Buffer; readonly secret: Buffer }> {
  const suite = newSuite();
  const recipientPublicKey = await suite.kem.deserializePublicKey(publicKey);
  const sender = await suite.createSenderContext({
    recipientPublicKey,
    info,
    ...(ephemeral === undefined ? {} : { ekm: ephemeral }),
  });
  return { enc: Buffer.from(sender.enc), secret: Buffer.from(await sender.export(exporter, secretBytes)) };
}

/** The secret again. Rejects for an `enc` that is no point to reckon with: another length, or one that gives nothing but zeros (RFC 7748 §6.1). */
export async function decapsulate(
  privateKey: Uint8Array,
  enc: Uint8Array,
  { info, exporter }: Exporting,
): Promise<Buffer> {
  const suite = newSuite();
  const recipientKey = await suite.kem.deserializePrivateKey(privateKey);
  const recipient = await suite.createRecipientContext({ recipientKey, enc, info });
  return Buffer.from(await recipient.export(exporter, secretBytes));
}
