import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import type { AccessStore, Account } from "./access-store.ts";
import { newRecoveryCodes, noFactors, type PasswordFactors, type PendingPassword } from "./factors.ts";
import type { Passkey, PasskeyStore } from "./passkey-store.ts";
import { passkeyName } from "./passkeys.ts";
import { recoveryCodeDigest } from "./secrets.ts";
import type { Session } from "./session-store.ts";
import type { Sessions } from "./sessions.ts";

/** What somebody signs in with. */
export interface WaysHeld {
  readonly hasPassword: boolean;
  readonly recoveryCodesLeft: number;
  readonly passkeys: readonly Passkey[];
}

/**
 * One's own ways to sign in. Each change but a name ends one's other sessions: whoever had got in is out. Who calls has shown within the
 * last minutes who they are. The last way in is never taken away.
 */
export interface Credentials {
  of(accountId: string): Promise<WaysHeld>;
  /** By account. */
  passkeyCounts(): Promise<ReadonlyMap<string, number>>;
  addPasskey(session: Session, passkey: Passkey): Promise<void>;
  renamePasskey(accountId: string, id: string, name: string): Promise<void>;
  removePasskey(session: Session, accountId: string, id: string): Promise<void>;
  /** Problem `conflict` when there is none: it comes with an authenticator. */
  changePassword(session: Session, accountId: string, password: string): Promise<void>;
  /** Draws an authenticator, with a password where there is none. Nothing is stored before its code has been shown. */
  beginAuthenticator(accountId: string, password: string | undefined): Promise<PendingPassword>;
  confirmAuthenticator(session: Session, accountId: string, code: string): Promise<void>;
  /** Password and authenticator: passkeys alone from then on. */
  removePassword(session: Session, accountId: string): Promise<void>;
  /** New ones, shown once; those there were are void. */
  newRecoveryCodes(accountId: string): Promise<string[]>;
}

export interface CredentialsParts {
  readonly store: AccessStore & PasskeyStore;
  readonly factors: PasswordFactors;
  readonly sessions: Pick<Sessions, "endAllOf">;
  readonly random: Random;
}

export function createCredentials({ store, factors, sessions, random }: CredentialsParts): Credentials {
  /** By account: one at a time, the newest. */
  const pending = new Map<string, PendingPassword>();
  const accountOf = async (id: string): Promise<Account> => {
    const account = await store.account(id);
    if (account === undefined) throw new Problem("absent", "no such account");
    return account;
  };
  const endOthers = (session: Session) => sessions.endAllOf(session.holder, session);

  return {
    async of(accountId) {
      const account = await accountOf(accountId);
      return {
        hasPassword: account.passwordHash !== "",
        recoveryCodesLeft: await store.recoveryCodesLeft(accountId),
        passkeys: await store.passkeysOf(accountId),
      };
    },
    passkeyCounts: () => store.passkeyCounts(),
    async addPasskey(session, passkey) {
      await store.addPasskey(passkey);
      await endOthers(session);
    },
    async renamePasskey(accountId, id, name) {
      if (!(await store.renamePasskey(accountId, id, passkeyName(name)))) throw noSuchPasskey();
    },
    async removePasskey(session, accountId, id) {
      const { passwordHash } = await accountOf(accountId);
      const others = (await store.passkeysOf(accountId)).filter((each) => each.id !== id);
      if (passwordHash === "" && others.length === 0) throw lastWayIn();
      if (!(await store.removePasskey(accountId, id))) throw noSuchPasskey();
      await endOthers(session);
    },
    async changePassword(session, accountId, password) {
      const account = await accountOf(accountId);
      if (account.passwordHash === "") {
        throw new Problem("conflict", "there is no password", { remedy: "add one together with an authenticator" });
      }
      const { totpSealed, totpStep } = account;
      await store.setFactors(accountId, { passwordHash: await factors.hash(account, password), totpSealed, totpStep });
      await endOthers(session);
    },
    async beginAuthenticator(accountId, password) {
      const account = await accountOf(accountId);
      if (password === undefined && account.passwordHash === "") {
        throw new Problem("invalid", "an authenticator needs a password beside it", { remedy: "choose a password" });
      }
      const drawn =
        password === undefined
          ? factors.drawAuthenticator(account, account.passwordHash)
          : await factors.draw(account, password);
      pending.set(accountId, drawn);
      return drawn;
    },
    async confirmAuthenticator(session, accountId, code) {
      const account = await accountOf(accountId);
      const drawn = pending.get(accountId);
      if (drawn === undefined)
        throw new Problem("conflict", "no authenticator is being added", { remedy: "begin again" });
      await store.setFactors(accountId, factors.prove(account, drawn, code));
      pending.delete(accountId);
      await endOthers(session);
    },
    async removePassword(session, accountId) {
      if ((await store.passkeysOf(accountId)).length === 0) throw lastWayIn();
      await store.setFactors(accountId, noFactors);
      await endOthers(session);
    },
    async newRecoveryCodes(accountId) {
      await accountOf(accountId);
      const codes = newRecoveryCodes(random);
      await store.setRecoveryCodes(accountId, codes.map(recoveryCodeDigest));
      return codes;
    },
  };
}

function lastWayIn(): Problem {
  return new Problem("conflict", "this is your last way in", { remedy: "add another passkey or a password first" });
}

function noSuchPasskey(): Problem {
  return new Problem("absent", "no such passkey");
}
