import { generateKeyPairSync } from "node:crypto";
import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import type { Jwk } from "./oauth-clients.ts";
import type { OauthRecords } from "./oauth-records.ts";

/** What ID tokens are signed with. The private halves rest sealed, among the records. */
export interface OauthKeys {
  /** The one that signs now, then those that were replaced and still verify what is out. */
  current(): Promise<Jwk[]>;
  /** Makes another one; the former verifies on for as long as anybody may show what it signed. */
  rotate(): Promise<void>;
}

const kind = "SigningKey";
const forEver = 8_640_000_000_000_000;
/** An ID token is over in minutes, but a program shows it when a person signs out, at the end of the longest day. */
const keptMs = 24 * 3_600_000;

export function createOauthKeys(parts: { records: OauthRecords; clock: Clock; random: Random }): OauthKeys {
  const { records, clock, random } = parts;
  const held = () =>
    records
      .all(kind)
      .map(({ content, endsAt }) => ({ ...(content as { jwk: Jwk; madeAt: number }), endsAt }))
      .sort((a, b) => b.madeAt - a.madeAt);
  const make = async (madeAt: number): Promise<void> => {
    const kid = newToken(random);
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const jwk = { ...privateKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" };
    await records.put(kind, kid, { jwk, madeAt }, forEver);
  };
  return {
    async current() {
      if (held().length === 0) await make(clock.now());
      return held().map(({ jwk }) => jwk);
    },
    async rotate() {
      const former = held();
      await make(Math.max(clock.now(), (former[0]?.madeAt ?? 0) + 1));
      for (const { jwk, madeAt, endsAt } of former) {
        await records.put(kind, String(jwk.kid), { jwk, madeAt }, Math.min(endsAt, clock.now() + keptMs));
      }
    },
  };
}
