import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";

/** What a ceremony is made wrong by, on purpose. */
export interface Tweaks {
  readonly origin?: string;
  readonly rpId?: string;
  readonly type?: string;
  readonly challenge?: string;
  readonly isUserVerified?: boolean;
  readonly isUserPresent?: boolean;
  readonly counter?: number;
  readonly userHandle?: string;
  readonly crossOrigin?: boolean;
  /** Signs with another key. */
  readonly key?: KeyObject;
}

interface Options {
  readonly challenge: string;
  readonly user?: { readonly id: string };
}

const base64url = (bytes: Uint8Array | string) => Buffer.from(bytes).toString("base64url");
const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest();

/** CBOR (RFC 8949) of what an attestation is made of. */
function cbor(value: number | string | Uint8Array | ReadonlyMap<number | string, unknown>): Buffer {
  const head = (major: number, count: number) =>
    count < 24
      ? Buffer.from([(major << 5) | count])
      : count < 256
        ? Buffer.from([(major << 5) | 24, count])
        : Buffer.from([(major << 5) | 25, count >> 8, count & 255]);
  if (typeof value === "number") return value >= 0 ? head(0, value) : head(1, -1 - value);
  if (typeof value === "string") return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  const items = [...value].flatMap(([key, each]) => [cbor(key), cbor(each as never)]);
  return Buffer.concat([head(5, value.size), ...items]);
}

/** An authenticator in software (WebAuthn Level 3 §6), with one discoverable credential. */
export function createAuthenticator(site: { readonly origin: string }) {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const id = randomBytes(32);
  const rpId = new URL(site.origin).hostname;
  let userHandle = "";
  let counter = 0;

  const clientData = (type: string, { challenge }: Options, tweaks: Tweaks) =>
    Buffer.from(
      JSON.stringify({
        type: tweaks.type ?? type,
        challenge: tweaks.challenge ?? challenge,
        origin: tweaks.origin ?? site.origin,
        crossOrigin: tweaks.crossOrigin ?? false,
      }),
    );
  const authenticatorData = (tweaks: Tweaks, attested = Buffer.alloc(0)) => {
    const { isUserPresent = true, isUserVerified = true } = tweaks;
    const flags = (isUserPresent ? 1 : 0) | (isUserVerified ? 4 : 0) | (attested.length > 0 ? 0x40 : 0);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(tweaks.counter ?? ++counter);
    return Buffer.concat([sha256(tweaks.rpId ?? rpId), Buffer.from([flags]), count, attested]);
  };
  const named = { id: base64url(id), rawId: base64url(id), type: "public-key", clientExtensionResults: {} };

  return {
    id: base64url(id),
    /** Answers what a registration asks for. */
    create(options: Options, tweaks: Tweaks = {}) {
      userHandle = options.user?.id ?? "";
      const cose = new Map([[1, 2] as const, [3, -7] as const, [-1, 1] as const] as [number, unknown][]);
      cose.set(-2, Buffer.from(x, "base64url")).set(-3, Buffer.from(y, "base64url"));
      const length = Buffer.from([0, id.length]);
      const authData = authenticatorData(tweaks, Buffer.concat([Buffer.alloc(16), length, id, cbor(cose)]));
      const attestation = new Map<string, unknown>([
        ["fmt", "none"],
        ["attStmt", new Map()],
        ["authData", authData],
      ]);
      return {
        ...named,
        response: {
          clientDataJSON: base64url(clientData("webauthn.create", options, tweaks)),
          attestationObject: base64url(cbor(attestation)),
          transports: ["internal"],
        },
      };
    },
    /** Answers what a sign-in asks for. */
    get(options: Options, tweaks: Tweaks = {}) {
      const data = authenticatorData(tweaks);
      const client = clientData("webauthn.get", options, tweaks);
      const signature = createSign("sha256")
        .update(Buffer.concat([data, sha256(client)]))
        .sign(tweaks.key ?? privateKey);
      return {
        ...named,
        response: {
          clientDataJSON: base64url(client),
          authenticatorData: base64url(data),
          signature: base64url(signature),
          userHandle: tweaks.userHandle ?? userHandle,
        },
      };
    },
  };
}
