import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import type { Account, Factors } from "./access-store.ts";
import type { PasswordRules } from "./password-rules.ts";
import { newTotpSeed, totpEnrolment, totpStepOf } from "./second-factor.ts";
import type { SecretBox } from "./secret-box.ts";
import { hashPassword, newRecoveryCode } from "./secrets.ts";

/** A password with an authenticator, which has yet to be shown to work. Nothing of it is stored. */
export interface PendingPassword {
  readonly passwordHash: string;
  readonly seed: Uint8Array;
  readonly totpSecret: string;
  readonly totpUri: string;
}

type Person = Pick<Account, "id" | "name">;

/** Passwords and authenticators: drawn, proven, compared. */
export interface PasswordFactors {
  /** Problem `invalid` when the password breaks a rule. */
  draw(person: Person, password: string): Promise<PendingPassword>;
  /** For a password that is there. */
  drawAuthenticator(person: Person, passwordHash: string): PendingPassword;
  /** What is kept of it, if `code` comes from its authenticator; Problem `invalid` if not. */
  prove(person: Person, pending: PendingPassword, code: string): Factors;
  /** What is kept of it, for who hands the authenticator's key over unproven. */
  seal(person: Person, pending: PendingPassword): Factors;
  /** The hash of a password that keeps the rules. */
  hash(person: Person, password: string): Promise<string>;
  /** The time step of a code of this account's authenticator; undefined when it is none, or there is no authenticator. */
  stepOf(account: Account, code: string): number | undefined;
}

export interface FactorsParts {
  readonly box: SecretBox;
  readonly rules: PasswordRules;
  readonly random: Random;
  readonly clock: Clock;
}

export const noFactors: Factors = { passwordHash: "", totpSealed: new Uint8Array(0), totpStep: 0 };

export function createPasswordFactors({ box, rules, random, clock }: FactorsParts): PasswordFactors {
  const hash = async ({ name }: Person, password: string) => {
    await rules.check(password, name);
    return hashPassword(password, random);
  };
  const drawAuthenticator = ({ name }: Person, passwordHash: string): PendingPassword => {
    const seed = newTotpSeed(random);
    return { passwordHash, seed, ...totpEnrolment(seed, name) };
  };
  const seal = ({ id }: Person, { passwordHash, seed }: PendingPassword): Factors => ({
    passwordHash,
    totpSealed: box.seal(totpPurpose(id), seed),
    totpStep: 0,
  });
  return {
    hash,
    seal,
    drawAuthenticator,
    draw: async (person, password) => drawAuthenticator(person, await hash(person, password)),
    prove(person, pending, code) {
      const totpStep = totpStepOf(pending.seed, code.trim(), clock.now());
      if (totpStep === undefined) {
        throw new Problem("invalid", "the code is wrong", { remedy: "type the code that the authenticator shows now" });
      }
      return { ...seal(person, pending), totpStep };
    },
    stepOf({ id, totpSealed }, code) {
      if (totpSealed.length === 0) return undefined;
      return totpStepOf(box.open(totpPurpose(id), totpSealed), code.trim(), clock.now());
    },
  };
}

const totpPurpose = (accountId: string) => `totp ${accountId}`;

export const recoveryCodesGiven = 8;

export function newRecoveryCodes(random: Random): string[] {
  return Array.from({ length: recoveryCodesGiven }, () => newRecoveryCode(random));
}
