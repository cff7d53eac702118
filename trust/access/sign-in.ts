import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import { Problem } from "#base/problem";
import type { AccessStore, Account, Factors } from "./access-store.ts";
import { type Actor, actorOf, operator } from "./acts.ts";
import { type Counted, createAttempts, type Slowing } from "./attempts.ts";
import type { Challenges } from "./challenges.ts";
import { newRecoveryCodes, noFactors, type PasswordFactors, type PendingPassword } from "./factors.ts";
import type { GrantTerms } from "./grant-store.ts";
import type { Grants } from "./grants.ts";
import type { Passkey } from "./passkey-store.ts";
import { passwordCharactersMax } from "./password-rules.ts";
import { digestOf, hashPassword, newSecret, passwordMatches, recoveryCodeDigest } from "./secrets.ts";

/** Who tries to sign in, as far as that is known. */
export interface Caller {
  readonly address: string;
  /** The secret of a browser that somebody has signed in with before. */
  readonly knownBrowser?: string;
}

/** What an account is made with, and by whom (an actor id). */
export interface Given {
  readonly grants: readonly GrantTerms[];
  readonly invitedBy: string;
}

/** People: how they come to an account and how they prove who they are. Passkeys are proven by `Passkeys`. */
export interface SignIn {
  /** Whether anybody can sign in yet. */
  hasAccount(): Promise<boolean>;
  /** An account of this name, which nobody has. Nothing is stored. */
  draft(name: string): Promise<Account>;
  /** Stores it with its grants and what its person signs in with, and gives the recovery codes, once. */
  keep(account: Account, given: Given, ways: WaysIn): Promise<string[]>;
  /** An administrator made by the owner of the home, who hands its second factor over. */
  createAccount(
    name: string,
    password: string,
  ): Promise<PendingPassword & { account: Account; recoveryCodes: string[] }>;
  /** Name, password and code (or a recovery code). Guesses are slowed down, for browsers that nobody knows most of all. */
  check(name: string, password: string, code: string, caller: Caller): Promise<Account>;
  /** A recovery code alone: for an account without a password, whose passkeys are lost. It opens nothing but the making of new ones. */
  checkRecoveryCode(name: string, code: string, caller: Caller): Promise<Account>;
  /** Whether `code` is what this person's authenticator shows now, or came from `proofOf`. It is used up; guesses are slowed down. */
  secondFactorIs(accountId: string, code: string): Promise<boolean>;
  /** Stands for a second factor that was proven otherwise, once, within five minutes. */
  proofOf(accountId: string): string;
  /** For a browser that somebody has just signed in with: guesses of others will not slow it down. */
  knowBrowser(accountId: string): Promise<string>;
}

/** At least one of the two: a passkey, or a password with an authenticator. */
export interface WaysIn {
  readonly factors?: Factors;
  readonly passkey?: Passkey;
}

/** What who sets an installation up may do, until others are invited: in a small centre one person does it all. */
export const firstGrants: readonly GrantTerms[] = (["administrator", "radiologist", "technologist"] as const).map(
  (role) => ({ role, place: { kind: "tenant" }, purpose: "treatment", endsAt: 0 }),
);

const knownBrowsersMax = 10;
const proofPurpose = "second factor";

const oneByOne: Slowing = { free: 5, firstPauseMs: 2_000, longestPauseMs: 15 * 60_000 };
/** Behind one address there may be a whole hospital. */
const manyPeople: Slowing = { free: 50, firstPauseMs: 2_000, longestPauseMs: 5 * 60_000 };
/**
 * One account, from wherever: what many machines guess together. The pause is short enough that nobody is kept out by others' guesses for
 * long, and half a minute a guess is forever against twelve characters and six digits.
 */
const fromAnywhere: Slowing = { free: 20, firstPauseMs: 1_000, longestPauseMs: 30_000 };

export interface SignInParts {
  readonly store: AccessStore;
  readonly grants: Grants;
  readonly factors: PasswordFactors;
  readonly challenges: Challenges;
  readonly random: Random;
  readonly clock: Clock;
}

export function createSignIn(parts: SignInParts): SignIn {
  const { store, grants, factors, challenges, random, clock } = parts;
  const attempts = createAttempts(clock);
  /** Hashed against when the name is unknown, so that both answers take the same time. */
  const decoy = hashPassword("no account has this password", random);

  const countedFor = async (typedName: string, account: Account | undefined, caller: Caller): Promise<Counted[]> => {
    const { address, knownBrowser } = caller;
    const digest = knownBrowser === undefined ? undefined : digestOf(knownBrowser);
    if (digest !== undefined && account !== undefined && (await store.isKnownBrowser(digest, account.id))) {
      return [{ key: `browser ${digest} ${account.id}`, slowing: oneByOne }];
    }
    return [
      { key: `pair ${address} ${typedName}`, slowing: oneByOne },
      { key: `address ${address}`, slowing: manyPeople },
      { key: `name ${typedName}`, slowing: fromAnywhere },
    ];
  };
  const secondFactorHolds = async (account: Account, code: string): Promise<boolean> => {
    const step = factors.stepOf(account, code);
    if (step !== undefined) return store.useTotpStep(account.id, step);
    return store.useRecoveryCode(account.id, recoveryCodeDigest(code));
  };
  const draft = async (typed: string): Promise<Account> => {
    const name = foldedName(typed);
    if ((await store.accountNamed(name)) !== undefined) {
      throw new Problem("conflict", "an account of this name is there", { remedy: "sign in" });
    }
    return { id: newToken(random), name, ...noFactors, createdAt: clock.now() };
  };
  const keep = async (account: Account, { grants: terms, invitedBy }: Given, ways: WaysIn): Promise<string[]> => {
    const { factors: kept, passkey } = ways;
    if (kept === undefined && passkey === undefined) throw new Problem("fault", "an account without a way in");
    const made = { ...account, ...kept };
    await grants.giveWith(`user:${account.id}`, terms, { id: invitedBy }, (given) =>
      store.addAccount(made, given, passkey === undefined ? [] : [passkey]),
    );
    const recoveryCodes = newRecoveryCodes(random);
    await store.setRecoveryCodes(account.id, recoveryCodes.map(recoveryCodeDigest));
    return recoveryCodes;
  };

  return {
    hasAccount: async () => (await store.accounts()).length > 0,
    draft,
    keep,
    async createAccount(name, password) {
      const account = await draft(name);
      const pending = await factors.draw(account, password);
      const kept = factors.seal(account, pending);
      const recoveryCodes = await keep(account, { grants: firstGrants, invitedBy: operator.id }, { factors: kept });
      return { ...pending, account: { ...account, ...kept }, recoveryCodes };
    },
    async check(typed, password, code, caller) {
      const name = typed.trim().toLowerCase();
      const account = await store.accountNamed(name);
      const hash = account?.passwordHash || (await decoy);
      const checked = await attempts.make(await countedFor(name, account, caller), async () => {
        const isRight = await passwordMatches(password.slice(0, passwordCharactersMax), hash);
        const holds = isRight && account !== undefined && account.passwordHash !== "";
        return holds && (await secondFactorHolds(account, code)) ? account : undefined;
      });
      if (checked !== undefined) return checked;
      throw new Problem("invalid", "name, password or code is wrong", { remedy: "check all three" });
    },
    async checkRecoveryCode(typed, code, caller) {
      const name = typed.trim().toLowerCase();
      const account = await store.accountNamed(name);
      const checked = await attempts.make(await countedFor(name, account, caller), async () => {
        const isOffered = account !== undefined && account.passwordHash === "";
        return isOffered && (await store.useRecoveryCode(account.id, recoveryCodeDigest(code))) ? account : undefined;
      });
      if (checked !== undefined) return checked;
      throw new Problem("invalid", "name or recovery code is wrong", {
        remedy: "check both; who has a password signs in with it and the code",
      });
    },
    async secondFactorIs(accountId, code) {
      const held = await attempts.make([{ key: `second factor ${accountId}`, slowing: oneByOne }], async () => {
        if (challenges.take(code.trim(), proofPurpose, accountId)) return true;
        const account = await store.account(accountId);
        const step = account && factors.stepOf(account, code);
        return step !== undefined && (await store.useTotpStep(accountId, step)) ? true : undefined;
      });
      return held ?? false;
    },
    proofOf: (accountId) => challenges.issue(proofPurpose, accountId),
    async knowBrowser(accountId) {
      const secret = newSecret(random);
      await store.addKnownBrowser({ digest: digestOf(secret), accountId, createdAt: clock.now() }, knownBrowsersMax);
      return secret;
    },
  };
}

/** Who this person is to the gate. */
export function personOf(account: Pick<Account, "id">): Actor {
  return actorOf("user", account.id);
}

/** An account's name as it is kept. Throws Problem `invalid` for what cannot be one. */
export function foldedName(typed: string): string {
  const name = typed.trim().toLowerCase();
  if (name.length >= 1 && name.length <= 128 && !/\p{Cc}/u.test(name)) return name;
  throw new Problem("invalid", "an account's name is 1 to 128 characters", { remedy: "use an e-mail address" });
}
