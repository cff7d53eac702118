import { Problem } from "#base/problem";

/**
 * Port: the key above all keys. It never leaves what holds it: it is asked to wrap and unwrap, so that a PKCS#11 token or a
 * key service can stand here as well as a passphrase.
 */
export interface RootKey {
  /** What the keyring keeps in the clear, to open the same root key again. No secret is in it. */
  readonly settings: RootKeySettings;
  /** `context` may be shown to who keeps the key. Problem "unavailable" when that does not answer, "denied" when it refuses us. */
  wrap(key: Uint8Array, context: string): Promise<Buffer>;
  /** Undefined when it was not wrapped under this root key for this context. The caller wipes the key. */
  unwrap(wrapped: Uint8Array, context: string): Promise<Buffer | undefined>;
  /** Forgets the key, or logs out of what holds it. */
  close(): Promise<void>;
}

/** Which kind of root key it is; the rest is known to that kind alone. */
export interface RootKeySettings {
  readonly kind: string;
  readonly [setting: string]: unknown;
}

/**
 * Opens the root key that these settings tell of, or, without settings, one for a new keyring. Problem "conflict" when they are
 * those of another kind.
 */
export type RootKeySource = (settings?: RootKeySettings) => Promise<RootKey>;

/** What is said when the keyring stands under a root key of another kind than this one. */
export function anotherKind(settings: RootKeySettings, kind: string): Problem {
  return new Problem("conflict", `the keyring of this home is not under a root key of the kind ${kind}`, {
    remedy: `name its own in LEADGLASS_ROOT_KEY: it is of the kind ${settings.kind.replace(/[^a-z0-9]/g, "?")}`,
  });
}
