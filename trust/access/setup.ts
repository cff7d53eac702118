import { timingSafeEqual } from "node:crypto";
import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import type { AccessStore, Account, Factors, Invitation } from "./access-store.ts";
import type { AccountLink } from "./account-link-store.ts";
import { operator } from "./acts.ts";
import { newRecoveryCodes, noFactors, type PasswordFactors, type PendingPassword } from "./factors.ts";
import type { PasskeyAnswer, Passkeys } from "./passkeys.ts";
import type { People } from "./people.ts";
import type { Recovery } from "./recovery.ts";
import { digestOf, newSecret, recoveryCodeDigest } from "./secrets.ts";
import { firstGrants, type Given, type SignIn } from "./sign-in.ts";

/**
 * What a one-use link is good for:
 * - `first`   the first account of all, an administrator
 * - `join`    an account, for who is invited
 * - `recover` new ways in for an account that has none any more
 * - `enrol`   a passkey beside the identity provider that vouches for the account
 */
export type LinkKind = "first" | "join" | "recover" | "enrol";

export interface Link extends Given {
  readonly kind: LinkKind;
  /** Given by who invited; the first administrator chooses. */
  readonly name?: string;
}

/** Somebody who came by a link and has a way in now. */
export interface Arrival {
  readonly account: Account;
  readonly kind: LinkKind;
  /** None where those there are stay good. */
  readonly recoveryCodes: readonly string[];
}

/**
 * Coming to an account, or to a new way into it, by a one-use link. The first start's link makes the administrator: its secret lives in
 * memory only, a restart makes a new one, and it is over when the first account exists. The others rest in the store.
 * Every method rejects with Problem `denied` when the link is not valid.
 */
export interface Setup {
  needed(): Promise<boolean>;
  /** For the first link, which is printed on the operator's terminal. */
  readonly secret: string;
  linkOf(secret: string): Promise<Link>;
  /** What to ask an authenticator for. `origin`: of our pages. Nothing is stored yet. */
  beginPasskey(secret: string, name: string, origin: string): ReturnType<Passkeys["beginRegistration"]>;
  confirmPasskey(secret: string, answer: PasskeyAnswer, name: string, origin: string): Promise<Arrival>;
  /** Draws the authenticator that a password needs beside it. Nothing is stored yet. */
  begin(secret: string, name: string, password: string): Promise<PendingPassword>;
  confirm(secret: string, code: string): Promise<Arrival>;
}

export interface SetupParts {
  readonly store: AccessStore;
  readonly signIn: SignIn;
  readonly people: People;
  readonly recovery: Recovery;
  readonly passkeys: Passkeys;
  readonly factors: PasswordFactors;
  readonly random: Random;
  readonly clock: Clock;
}

interface Checked extends Link {
  readonly account?: Account;
  readonly accountLink?: AccountLink;
  readonly invitation?: Invitation;
}

/** Ways in that were just made for this account. */
interface Made {
  readonly factors?: Factors;
  readonly passkey?: Awaited<ReturnType<Passkeys["register"]>>;
}

export function createSetup(parts: SetupParts): Setup {
  const { signIn, people, recovery, passkeys, factors, random } = parts;
  const firstSecret = newSecret(random);
  /** By the digest of the link. Only who holds a valid link adds to it. */
  const pending = new Map<string, { readonly account: Account; readonly password?: PendingPassword }>();
  /** One confirmation at a time for a link: two at once would make two accounts. */
  const confirming = new Set<string>();
  const check = createLinks(parts, firstSecret);

  const accountOf = async (link: Checked, typedName: string): Promise<Account> =>
    link.account ?? signIn.draft(link.name ?? typedName);

  const settle = async (link: Checked, account: Account, made: Made): Promise<Arrival> => {
    const { kind, invitation, accountLink } = link;
    if (accountLink !== undefined) {
      const recoveryCodes = kind === "recover" ? await replaceWays(parts, account, made) : [];
      if (kind === "enrol" && made.passkey !== undefined) await parts.store.addPasskey(made.passkey);
      await recovery.used(accountLink);
      return { account, kind, recoveryCodes };
    }
    const recoveryCodes = await signIn.keep(account, link, made);
    // A link that is left behind by a crash here is void: its name is taken.
    if (invitation !== undefined) await people.accepted(invitation);
    return { account, kind, recoveryCodes };
  };

  const confirmOnce = async (secret: string, make: (account: Account, password?: PendingPassword) => Promise<Made>) => {
    const key = digestOf(secret);
    if (confirming.has(key)) throw new Problem("conflict", "this account is being made", { remedy: "wait a moment" });
    confirming.add(key);
    try {
      const link = await check(secret);
      const begun = pending.get(key);
      if (begun === undefined) throw nothingBegun();
      const arrival = await settle(link, begun.account, await make(begun.account, begun.password));
      pending.delete(key);
      return arrival;
    } finally {
      confirming.delete(key);
    }
  };

  return {
    needed: async () => !(await signIn.hasAccount()),
    secret: firstSecret,
    async linkOf(secret) {
      const { kind, name, grants, invitedBy } = await check(secret);
      return { kind, grants, invitedBy, ...(name !== undefined && { name }) };
    },
    async beginPasskey(secret, typedName, origin) {
      const account = await accountOf(await check(secret), typedName);
      pending.set(digestOf(secret), { account });
      return passkeys.beginRegistration(account, { origin, boundTo: digestOf(secret) });
    },
    confirmPasskey: (secret, answer, name, origin) =>
      confirmOnce(secret, async (account) => ({
        passkey: await passkeys.register(account, { origin, boundTo: digestOf(secret) }, answer, name),
      })),
    async begin(secret, typedName, password) {
      const link = await check(secret);
      if (link.kind === "enrol") throw new Problem("invalid", "this link adds a passkey", { remedy: "add a passkey" });
      const account = await accountOf(link, typedName);
      const drawn = await factors.draw(account, password);
      pending.set(digestOf(secret), { account, password: drawn });
      return drawn;
    },
    confirm: (secret, code) =>
      confirmOnce(secret, async (account, password) => {
        if (password === undefined) throw nothingBegun();
        return { factors: factors.prove(account, password, code) };
      }),
  };
}

/** Finds out what a secret is good for at this moment. */
function createLinks({ store, signIn, people, recovery }: SetupParts, firstSecret: string) {
  return async (secret: string): Promise<Checked> => {
    const isFirst = timingSafeEqual(Buffer.from(digestOf(secret), "hex"), Buffer.from(digestOf(firstSecret), "hex"));
    if (isFirst && !(await signIn.hasAccount())) return { kind: "first", grants: firstGrants, invitedBy: operator.id };
    const invitation = isFirst ? undefined : await people.invitationOf(secret);
    if (invitation !== undefined) {
      const { name, grants, invitedBy } = invitation;
      return { kind: "join", name, grants, invitedBy, invitation };
    }
    const accountLink = isFirst ? undefined : await recovery.linkOf(secret);
    const account = accountLink && (await store.account(accountLink.accountId));
    if (accountLink !== undefined && account !== undefined) {
      const { kind, issuedBy: invitedBy } = accountLink;
      return { kind, name: account.name, grants: [], invitedBy, account, accountLink };
    }
    throw new Problem("denied", "this link is not valid", {
      remedy: "use the newest link that was printed; `leadglass user add` makes another",
    });
  };
}

async function replaceWays({ store, random }: SetupParts, account: Account, made: Made): Promise<string[]> {
  await store.replaceWaysIn(account.id, made.factors ?? noFactors, made.passkey === undefined ? [] : [made.passkey]);
  const codes = newRecoveryCodes(random);
  await store.setRecoveryCodes(account.id, codes.map(recoveryCodeDigest));
  return codes;
}

function nothingBegun(): Problem {
  return new Problem("conflict", "nothing was begun with this link", { remedy: "begin with the passkey or password" });
}
