import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import { Problem } from "#base/problem";
import type { AccessStore, ClientToken } from "./access-store.ts";
import { type Actor, actorOf, operator } from "./acts.ts";
import type { GrantTerms } from "./grant-store.ts";
import type { Grants } from "./grants.ts";
import { digestOf, newSecret } from "./secrets.ts";

/** Access tokens of programs, as the owner of the home makes them for scripts. */
export interface ClientTokens {
  /** A new token for a program, which is made when its name is new. With `sees`, who holds it sees identity masked. */
  issue(clientName: string, minutes: number, sees?: Actor["sees"]): Promise<{ secret: string; endsAt: number }>;
  /** The program that holds this token; undefined when it is unknown or over. Read once, then in memory. */
  of(secret: string): Promise<Actor | undefined>;
}

const tokenMinutesMax = 366 * 24 * 60;
const scriptGrant: GrantTerms = { role: "service", place: { kind: "tenant" }, purpose: "operations", endsAt: 0 };
/** What is over is thrown out when there are so many; then the oldest. */
const rememberedMax = 10_000;

export interface ClientTokensParts {
  readonly store: Pick<AccessStore, "clientNamed" | "addToken" | "token">;
  readonly grants: Pick<Grants, "give">;
  readonly random: Random;
  readonly clock: Clock;
}

export function createClientTokens({ store, grants, random, clock }: ClientTokensParts): ClientTokens {
  /** By digest; only ever those that were found, so guessing fills nothing. One process has the home: nobody else changes them. */
  const held = new Map<string, { readonly endsAt: number; readonly actor: Actor }>();
  const hold = ({ digest, clientId, masked, endsAt }: ClientToken): Actor => {
    const isLive = () => endsAt > clock.now();
    const actor = actorOf("client", clientId, { isLive, ...(masked && { sees: "masked" }) });
    if (held.size >= rememberedMax) {
      for (const [each, { endsAt }] of held) if (endsAt <= clock.now()) held.delete(each);
      const oldest = held.keys().next().value;
      if (held.size >= rememberedMax && oldest !== undefined) held.delete(oldest);
    }
    held.set(digest, { endsAt, actor });
    return actor;
  };
  return {
    async issue(clientName, minutes, sees) {
      if (!/^[A-Za-z0-9._-]{1,64}$/.test(clientName)) {
        throw new Problem("invalid", "a client's name is 1 to 64 letters, digits, '.', '_' or '-'");
      }
      if (!(minutes > 0 && minutes <= tokenMinutesMax)) {
        throw new Problem("invalid", `minutes must be more than 0 and at most ${tokenMinutesMax}`);
      }
      const now = clock.now();
      const id = newToken(random);
      const client = await store.clientNamed({ id, name: clientName, createdAt: now });
      if (client.id === id) await grants.give(`client:${id}`, scriptGrant, operator);
      const secret = `lgt_${newSecret(random)}`;
      const endsAt = now + Math.round(minutes * 60_000);
      const token = {
        digest: digestOf(secret),
        clientId: client.id,
        masked: sees === "masked",
        createdAt: now,
        endsAt,
      };
      await store.addToken(token);
      hold(token);
      return { secret, endsAt };
    },
    async of(secret) {
      const digest = digestOf(secret);
      const there = held.get(digest);
      if (there !== undefined) return there.endsAt > clock.now() ? there.actor : undefined;
      const token = await store.token(digest);
      return token === undefined || token.endsAt <= clock.now() ? undefined : hold(token);
    },
  };
}
