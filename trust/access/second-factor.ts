import { Secret, TOTP } from "otpauth";
import type { Random } from "#base/id";

const stepSeconds = 30;

/** Time-based one-time passwords (RFC 6238): SHA-1, six digits, 30 seconds, what every authenticator app takes. */
function totp(seed: Uint8Array, label = ""): TOTP {
  const secret = new Secret({ buffer: Uint8Array.from(seed).buffer });
  return new TOTP({ issuer: "Leadglass", label, algorithm: "SHA1", digits: 6, period: stepSeconds, secret });
}

export function newTotpSeed(random: Random): Uint8Array {
  return random(new Uint8Array(20));
}

/** The seed in base32 for typing, and as the URI that a QR code carries. */
export function totpEnrolment(seed: Uint8Array, accountName: string): { totpSecret: string; totpUri: string } {
  const factor = totp(seed, accountName);
  return { totpSecret: factor.secret.base32, totpUri: factor.toString() };
}

/** The time step the code belongs to, one step of clock drift allowed either way; undefined when it is wrong. */
export function totpStepOf(seed: Uint8Array, code: string, now: number): number | undefined {
  if (!/^\d{6}$/.test(code)) return undefined;
  const drift = totp(seed).validate({ token: code, timestamp: now, window: 1 });
  return drift === null ? undefined : Math.floor(now / 1000 / stepSeconds) + drift;
}

/** The code of this moment, as an authenticator shows it. */
export function totpCode(seed: Uint8Array, now: number): string {
  return totp(seed).generate({ timestamp: now });
}
