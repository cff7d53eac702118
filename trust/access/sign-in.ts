import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import { Problem } from "#base/problem";
import type { AccessStore, Account, Session } from "./access-store.ts";
import { type Actor, actorOf, operator } from "./acts.ts";
import { createAttempts } from "./attempts.ts";
import type { GrantTerms } from "./grant-store.ts";
import type { Grants } from "./grants.ts";
import { newTotpSeed, totpEnrolment, totpStepOf } from "./second-factor.ts";
import { digestOf, hashPassword, newRecoveryCode, newSecret, passwordMatches, recoveryCodeDigest } from "./secrets.ts";

/** Seals small secrets; the vault does it. */
export interface SecretBox {
  seal(purpose: string, secret: Uint8Array): Uint8Array;
  open(purpose: string, sealed: Uint8Array): Uint8Array;
}

export interface SignedIn {
  readonly actor: Actor;
  readonly account: Account;
  readonly session: Session;
}

/** An account that is being made: it is stored when its second factor has been shown to work. */
export interface PendingAccount {
  readonly account: Account;
  /** What it will be given, and by whom (an actor id). */
  readonly grants: readonly GrantTerms[];
  readonly invitedBy: string;
  readonly seed: Uint8Array;
  readonly totpSecret: string;
  readonly totpUri: string;
}

/** People and programs: how they prove who they are, and what stands for the proof afterwards. */
export interface SignIn {
  /** Checks name and password and draws a second factor. Nothing is stored yet. */
  prepareAccount(
    name: string,
    password: string,
    given: Pick<PendingAccount, "grants" | "invitedBy">,
  ): Promise<PendingAccount>;
  /** Stores the account with its grants if `code` comes from its authenticator, and gives the recovery codes, once. */
  confirmAccount(pending: PendingAccount, code: string): Promise<{ recoveryCodes: string[] }>;
  /** An administrator made by the owner of the home, who hands its second factor over. */
  createAccount(name: string, password: string): Promise<PendingAccount & { recoveryCodes: string[] }>;
  /** Whether anybody can sign in yet. */
  hasAccount(): Promise<boolean>;
  /** Name, password and code (or a recovery code). `from` is the caller's address, for slowing guesses down. */
  check(name: string, password: string, code: string, from: string): Promise<Account>;
  /** Whether `code` is what this person's authenticator shows now. It is used up; guesses are slowed down. */
  secondFactorIs(accountId: string, code: string): Promise<boolean>;
  beginSession(account: Account): Promise<{ secret: string; session: Session }>;
  /** Who holds this session secret; undefined when it is unknown, idle too long or over. Only `use` keeps it alive. */
  sessionOf(secret: string, reason?: "use" | "watch"): Promise<SignedIn | undefined>;
  endSession(secret: string): Promise<void>;
  /** A new token for a program, which is made when its name is new. With `sees`, who holds it sees identity masked. */
  issueToken(clientName: string, minutes: number, sees?: Actor["sees"]): Promise<{ secret: string; endsAt: number }>;
  /** The program that holds this token; undefined when it is unknown or over. */
  clientOf(secret: string): Promise<Actor | undefined>;
}

const sessionEndsAfterMs = 12 * 3_600_000;
const sessionIdleMs = 30 * 60_000;
/** A session's last use is written at most this often: reads must not each cost a write. */
const touchEveryMs = 60_000;
const passwordLengthMin = 12;
const passwordLengthMax = 256;
const tokenMinutesMax = 366 * 24 * 60;
/** What who sets an installation up may do, until others are invited: in a small centre one person does it all. */
export const firstGrants: readonly GrantTerms[] = (["administrator", "radiologist", "technologist"] as const).map(
  (role) => ({ role, place: { kind: "tenant" }, purpose: "treatment", endsAt: 0 }),
);
const scriptGrant: GrantTerms = { role: "service", place: { kind: "tenant" }, purpose: "operations", endsAt: 0 };
const totpPurpose = (accountId: string) => `totp ${accountId}`;

export interface SignInParts {
  readonly store: AccessStore;
  readonly grants: Grants;
  readonly box: SecretBox;
  readonly random: Random;
  readonly clock: Clock;
}

export function createSignIn(parts: SignInParts): SignIn {
  const { store, grants, box, random, clock } = parts;
  const attempts = createAttempts(clock);
  const wrong = () => new Problem("invalid", "name, password or code is wrong", { remedy: "check all three" });
  /** Hashed against when the name is unknown, so that both answers take the same time. */
  const decoy = hashPassword("no account has this password", random);

  const stepOf = (account: Account, code: string): number | undefined =>
    totpStepOf(box.open(totpPurpose(account.id), account.totpSealed), code.trim(), clock.now());
  const secondFactorHolds = async (account: Account, code: string): Promise<boolean> => {
    const step = stepOf(account, code);
    if (step !== undefined) return store.useTotpStep(account.id, step);
    return store.useRecoveryCode(account.id, recoveryCodeDigest(code));
  };

  const prepareAccount: SignIn["prepareAccount"] = async (name, password, { grants, invitedBy }) => {
    const account = await newAccount(name, password, { store, random, clock });
    const seed = newTotpSeed(random);
    const totpSealed = box.seal(totpPurpose(account.id), seed);
    return { account: { ...account, totpSealed }, grants, invitedBy, seed, ...totpEnrolment(seed, account.name) };
  };

  const keepAccount = async (account: Account, pending: PendingAccount): Promise<string[]> => {
    const { grants: terms, invitedBy } = pending;
    await grants.giveWith(`user:${account.id}`, terms, { id: invitedBy }, (given) => store.addAccount(account, given));
    const recoveryCodes = Array.from({ length: 8 }, () => newRecoveryCode(random));
    await store.setRecoveryCodes(account.id, recoveryCodes.map(recoveryCodeDigest));
    return recoveryCodes;
  };

  return {
    prepareAccount,
    async createAccount(name, password) {
      const pending = await prepareAccount(name, password, { grants: firstGrants, invitedBy: operator.id });
      return { ...pending, recoveryCodes: await keepAccount(pending.account, pending) };
    },
    async confirmAccount(pending, code) {
      const { account, seed } = pending;
      const totpStep = totpStepOf(seed, code.trim(), clock.now());
      if (totpStep === undefined) {
        throw new Problem("invalid", "the code is wrong", { remedy: "type the code that the authenticator shows now" });
      }
      return { recoveryCodes: await keepAccount({ ...account, totpStep }, pending) };
    },
    hasAccount: async () => (await store.accounts()).length > 0,
    async check(name, password, code, from) {
      const keys = [`${from} ${name.trim().toLowerCase()}`, `from ${from}`];
      for (const key of keys) attempts.check(key);
      const account = await store.accountNamed(name.trim().toLowerCase());
      const held = await passwordMatches(password.slice(0, passwordLengthMax), account?.passwordHash ?? (await decoy));
      if (!held || account === undefined || !(await secondFactorHolds(account, code))) {
        for (const key of keys) attempts.failed(key);
        throw wrong();
      }
      for (const key of keys) attempts.succeeded(key);
      return account;
    },
    async secondFactorIs(accountId, code) {
      const key = `second factor ${accountId}`;
      attempts.check(key);
      const account = await store.account(accountId);
      const step = account && stepOf(account, code);
      const held = step !== undefined && (await store.useTotpStep(accountId, step));
      if (held) attempts.succeeded(key);
      else attempts.failed(key);
      return held;
    },
    async beginSession(account) {
      const secret = newSecret(random);
      const now = clock.now();
      const session: Session = {
        digest: digestOf(secret),
        accountId: account.id,
        createdAt: now,
        lastSeenAt: now,
        endsAt: now + sessionEndsAfterMs,
      };
      await store.addSession(session);
      return { secret, session };
    },
    async sessionOf(secret, reason = "use") {
      const session = await store.session(digestOf(secret));
      const now = clock.now();
      if (session === undefined || session.endsAt <= now || session.lastSeenAt + sessionIdleMs <= now) return undefined;
      const account = await store.account(session.accountId);
      if (account === undefined) return undefined;
      if (reason === "use" && now - session.lastSeenAt >= touchEveryMs) await store.touchSession(session.digest, now);
      return { actor: personOf(account), account, session };
    },
    endSession: (secret) => store.endSession(digestOf(secret)),
    async issueToken(clientName, minutes, sees) {
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
      const masked = sees === "masked";
      await store.addToken({ digest: digestOf(secret), clientId: client.id, masked, createdAt: now, endsAt });
      return { secret, endsAt };
    },
    async clientOf(secret) {
      const token = await store.token(digestOf(secret));
      if (token === undefined || token.endsAt <= clock.now()) return undefined;
      return actorOf("client", token.client.id, token.masked ? { sees: "masked" } : {});
    },
  };
}

/** Who this person is to the gate. */
export function personOf(account: Account): Actor {
  return actorOf("user", account.id);
}

/** An account's name as it is kept. Throws Problem `invalid` for what cannot be one. */
export function foldedName(typed: string): string {
  const name = typed.trim().toLowerCase();
  if (name.length >= 1 && name.length <= 128 && !/\p{Cc}/u.test(name)) return name;
  throw new Problem("invalid", "an account's name is 1 to 128 characters", { remedy: "use an e-mail address" });
}

async function newAccount(
  typedName: string,
  password: string,
  parts: { store: AccessStore; random: Random; clock: Clock },
): Promise<Account> {
  const name = foldedName(typedName);
  if (password.length < passwordLengthMin || password.length > passwordLengthMax) {
    const message = `a password is ${passwordLengthMin} to ${passwordLengthMax} characters`;
    throw new Problem("invalid", message, { remedy: "take four or five unrelated words" });
  }
  const there = await parts.store.accountNamed(name);
  if (there !== undefined) throw new Problem("conflict", "an account of this name is there", { remedy: "sign in" });
  return {
    id: newToken(parts.random),
    name,
    passwordHash: await hashPassword(password, parts.random),
    totpSealed: new Uint8Array(0),
    totpStep: 0,
    createdAt: parts.clock.now(),
  };
}
