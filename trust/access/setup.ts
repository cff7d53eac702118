import { timingSafeEqual } from "node:crypto";
import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import type { Account, Invitation } from "./access-store.ts";
import { operator } from "./acts.ts";
import type { GrantTerms } from "./grant-store.ts";
import type { People } from "./people.ts";
import { digestOf, newSecret } from "./secrets.ts";
import { firstGrants, type PendingAccount, type SignIn } from "./sign-in.ts";

/** What a one-use link is good for. */
export interface Link {
  /** The first account of all, or another. */
  readonly first: boolean;
  /** Given by who invited; the first administrator chooses. */
  readonly name?: string;
  /** What the account will be given, and by whom (an actor id). */
  readonly grants: readonly GrantTerms[];
  readonly invitedBy: string;
}

/**
 * Making an account by a one-use link. The first start's link makes the administrator: its secret lives in memory only, a
 * restart makes a new one, and it is over when the first account exists. Later ones are invitations, which the store keeps.
 * Every method rejects with Problem `denied` when the link is not valid.
 */
export interface Setup {
  needed(): Promise<boolean>;
  /** For the first link, which is printed on the operator's terminal. */
  readonly secret: string;
  linkOf(secret: string): Promise<Link>;
  /** Draws the second factor. Nothing is stored yet. */
  begin(secret: string, name: string, password: string): Promise<PendingAccount>;
  confirm(secret: string, code: string): Promise<{ account: Account; recoveryCodes: string[]; first: boolean }>;
}

export function createSetup(parts: { signIn: SignIn; people: People; random: Random }): Setup {
  const { signIn, people, random } = parts;
  const firstSecret = newSecret(random);
  /** By the digest of the link. Only who holds a valid link adds to it. */
  const pending = new Map<string, PendingAccount>();
  /** One confirmation at a time for a link: two at once would make two accounts. */
  const confirming = new Set<string>();

  const check = async (secret: string): Promise<Link & { invitation?: Invitation }> => {
    const isFirst = timingSafeEqual(Buffer.from(digestOf(secret), "hex"), Buffer.from(digestOf(firstSecret), "hex"));
    if (isFirst && !(await signIn.hasAccount())) return { first: true, grants: firstGrants, invitedBy: operator.id };
    const invitation = isFirst ? undefined : await people.invitationOf(secret);
    if (invitation !== undefined) {
      const { name, grants, invitedBy } = invitation;
      return { first: false, name, grants, invitedBy, invitation };
    }
    throw new Problem("denied", "this link is not valid", {
      remedy: "use the newest link that was printed; `leadglass user add` makes another",
    });
  };

  const confirmNow = async (key: string, secret: string, code: string) => {
    const { first, invitation } = await check(secret);
    const account = pending.get(key);
    if (account === undefined) {
      throw new Problem("conflict", "no account is being made", { remedy: "begin with the password" });
    }
    const { recoveryCodes } = await signIn.confirmAccount(account, code);
    pending.delete(key);
    // A link that is left behind by a crash here is void: its name is taken.
    if (invitation !== undefined) await people.accepted(invitation);
    return { account: account.account, recoveryCodes, first };
  };

  return {
    needed: async () => !(await signIn.hasAccount()),
    secret: firstSecret,
    async linkOf(secret) {
      const { first, name, grants, invitedBy } = await check(secret);
      return { first, grants, invitedBy, ...(name !== undefined && { name }) };
    },
    async begin(secret, typedName, password) {
      const { name, grants, invitedBy } = await check(secret);
      const account = await signIn.prepareAccount(name ?? typedName, password, { grants, invitedBy });
      pending.set(digestOf(secret), account);
      return account;
    },
    async confirm(secret, code) {
      const key = digestOf(secret);
      if (confirming.has(key)) throw new Problem("conflict", "this account is being made", { remedy: "wait a moment" });
      confirming.add(key);
      try {
        return await confirmNow(key, secret, code);
      } finally {
        confirming.delete(key);
      }
    },
  };
}
