import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import type { AccessStore } from "./access-store.ts";
import type { AccountLink } from "./account-link-store.ts";
import type { Actor } from "./acts.ts";
import { noFactors } from "./factors.ts";
import type { SecretBox } from "./secret-box.ts";
import { digestOf, newSecret } from "./secrets.ts";
import type { Sessions } from "./sessions.ts";

export interface IssuedLink {
  /** Shown once, handed over in person. */
  readonly secret: string;
  readonly endsAt: number;
}

/** One-use links with which somebody who has an account comes to new ways in. */
export interface Recovery {
  /**
   * For who lost theirs: all ways in, sessions and what came out of them end now; grants stay. Problem `conflict` for oneself, `absent`
   * when there is no such account.
   */
  begin(accountId: string, reason: string, by: Actor): Promise<IssuedLink>;
  /** The same by one's own recovery code. */
  beginWithCode(accountId: string): Promise<IssuedLink>;
  /** Adds a passkey to an account that its identity provider has just vouched for. Short; nothing ends. */
  enrol(accountId: string): Promise<IssuedLink>;
  /** While it holds: not over, and the account is there. */
  linkOf(secret: string): Promise<AccountLink | undefined>;
  used(link: AccountLink): Promise<void>;
  /** Tells whose ways in were taken away, and by whom (actor ids). Returns how to stop. */
  watch(listener: (accountId: string, by: string) => void): () => void;
}

const recoveryHours = 24;
const enrolMinutes = 15;
const reasonCharactersMax = 500;

export interface RecoveryParts {
  readonly store: AccessStore;
  readonly sessions: Pick<Sessions, "endAllOf">;
  readonly box: SecretBox;
  readonly random: Random;
  readonly clock: Clock;
}

export function createRecovery({ store, sessions, box, random, clock }: RecoveryParts): Recovery {
  const listeners = new Set<(accountId: string, by: string) => void>();
  const issue = async (accountId: string, kind: AccountLink["kind"], by: string, ms: number, reason = "") => {
    const secret = newSecret(random);
    const digest = digestOf(secret);
    const createdAt = clock.now();
    const reasonSealed =
      reason === "" ? new Uint8Array(0) : box.seal(`recovery ${digest}`, Buffer.from(reason, "utf8"));
    const link = { digest, accountId, kind, issuedBy: by, reasonSealed, createdAt, endsAt: createdAt + ms };
    await store.putAccountLink(link);
    return { secret, endsAt: link.endsAt };
  };
  const beginBy = async (accountId: string, reason: string, by: string) => {
    // The ways in end first: if the rest fails, another link is issued.
    if (!(await store.replaceWaysIn(accountId, noFactors, []))) throw new Problem("absent", "no such account");
    await sessions.endAllOf(`user:${accountId}`);
    const issued = await issue(accountId, "recover", by, recoveryHours * 3_600_000, reason);
    for (const listener of listeners) listener(accountId, by);
    return issued;
  };
  return {
    async begin(accountId, typed, by) {
      const reason = typed.trim();
      if (reason.length < 3 || reason.length > reasonCharactersMax) {
        throw new Problem("invalid", `a reason is 3 to ${reasonCharactersMax} characters`, {
          remedy: "say what was lost",
        });
      }
      if (by.id === `user:${accountId}`) {
        throw new Problem("conflict", "nobody recovers their own account", {
          remedy: "use a recovery code, or ask another administrator",
        });
      }
      return beginBy(accountId, reason, by.id);
    },
    beginWithCode: (accountId) => beginBy(accountId, "", `user:${accountId}`),
    enrol: (accountId) => issue(accountId, "enrol", `user:${accountId}`, enrolMinutes * 60_000),
    async linkOf(secret) {
      const link = await store.accountLink(digestOf(secret));
      if (link === undefined || link.endsAt <= clock.now()) return undefined;
      return (await store.account(link.accountId)) === undefined ? undefined : link;
    },
    used: ({ digest }) => store.removeAccountLink(digest),
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
