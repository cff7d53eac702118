import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import type { Log } from "#base/log";
import type { AccessStore } from "./access-store.ts";
import type { BreachedPasswords } from "./breached-passwords.ts";
import { createChallenges } from "./challenges.ts";
import { type ClientTokens, createClientTokens } from "./client-tokens.ts";
import { type Credentials, createCredentials } from "./credentials.ts";
import { createPasswordFactors } from "./factors.ts";
import type { Grants } from "./grants.ts";
import { createIdentityProviders, type IdentityProviders } from "./identity-providers.ts";
import { createPasskeys, type Passkeys } from "./passkeys.ts";
import { createPasswordRules } from "./password-rules.ts";
import type { People } from "./people.ts";
import { createRecovery, type Recovery } from "./recovery.ts";
import type { SecretBox } from "./secret-box.ts";
import { createSessions, type Sessions } from "./sessions.ts";
import { createSetup, type Setup } from "./setup.ts";
import { createSignIn, type SignIn } from "./sign-in.ts";

/** How people and programs come in, and what stands for the proof afterwards. */
export interface WaysInParts {
  readonly store: AccessStore;
  readonly grants: Grants;
  readonly people: People;
  readonly box: SecretBox;
  /** A list of the customer, beside the one that comes with the program. */
  readonly breached?: BreachedPasswords;
  readonly random: Random;
  readonly clock: Clock;
  readonly log: Log;
  /** For tests alone: an identity provider on this machine may be reached without TLS. */
  readonly loopbackProviders?: boolean;
}

export interface WaysIn {
  readonly sessions: Sessions;
  readonly clientTokens: ClientTokens;
  readonly passkeys: Passkeys;
  readonly signIn: SignIn;
  readonly credentials: Credentials;
  readonly recovery: Recovery;
  readonly setup: Setup;
  readonly identityProviders: IdentityProviders;
}

export async function createWaysIn(parts: WaysInParts): Promise<WaysIn> {
  const challenges = createChallenges(parts);
  const factors = createPasswordFactors({ ...parts, rules: createPasswordRules(parts) });
  const sessions = await createSessions(parts);
  const passkeys = createPasskeys({ ...parts, challenges });
  const signIn = createSignIn({ ...parts, factors, challenges });
  const recovery = createRecovery({ ...parts, sessions });
  return {
    ...{ sessions, passkeys, signIn, recovery },
    clientTokens: createClientTokens(parts),
    credentials: createCredentials({ ...parts, factors, sessions }),
    identityProviders: createIdentityProviders(parts),
    setup: createSetup({ ...parts, signIn, recovery, passkeys, factors }),
  };
}
