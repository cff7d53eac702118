import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import type { AccessStore, Account, Invitation } from "./access-store.ts";
import type { Actor } from "./acts.ts";
import type { GrantTerms } from "./grant-store.ts";
import { type Grants, requireAlike } from "./grants.ts";
import { digestOf, newSecret } from "./secrets.ts";
import { foldedName } from "./sign-in.ts";

const invitationHours = 24;

/** Who stands behind an actor id, and the other way round. */
export interface Names {
  /** A name, "the console", "a share link" or "a removed account". */
  of(actorId: string): string;
  /** The actor id of the account or the program of this name. */
  holderOf(name: string): string | undefined;
}

/** Who has an account, who is invited to make one, and how either ends. */
export interface People {
  list(): Promise<{ accounts: Account[]; invitations: Invitation[] }>;
  names(): Promise<Names>;
  /** Problem `absent` when there is none of this id. */
  account(id: string): Promise<Account>;
  /** However the name was typed. */
  named(name: string): Promise<Account | undefined>;
  /** Draws a one-use link's secret for a new account; an earlier one for the same name is void. */
  invite(name: string, grants: readonly GrantTerms[], by: Actor): Promise<{ secret: string; invitation: Invitation }>;
  /** The invitation of this secret, while it holds: not over, and nobody has that name. */
  invitationOf(secret: string): Promise<Invitation | undefined>;
  /** The invitation is used up. */
  accepted(invitation: Invitation): Promise<void>;
  /** Removes the account or the invitation of this name; its sessions and grants end at once. Problem `conflict` for the last administrator. */
  remove(name: string, by: Actor): Promise<void>;
}

/** What those are called who have no name, or none any more. */
const nameless: Readonly<Record<string, string>> = { share: "a share link", device: "a removed device" };

export function createPeople(parts: { store: AccessStore; grants: Grants; clock: Clock; random: Random }): People {
  const { store, grants: held, clock, random } = parts;
  const holds = async (invitation: Invitation): Promise<boolean> =>
    invitation.endsAt > clock.now() && (await store.accountNamed(invitation.name)) === undefined;

  const removeNamed = async (name: string, by: Actor): Promise<void> => {
    const account = await store.accountNamed(name);
    const invited = (await store.invitations()).filter((invitation) => invitation.name === name);
    for (const { digest } of invited) await store.removeInvitation(digest);
    if (account === undefined) {
      if (invited.length > 0) return;
      throw new Problem("absent", "nobody has this name", { remedy: "leadglass user list shows who there is" });
    }
    await held.endAllOf(`user:${account.id}`, by);
    await store.removeAccount(account.id);
  };

  return {
    async list() {
      const invitations: Invitation[] = [];
      for (const invitation of await store.invitations()) if (await holds(invitation)) invitations.push(invitation);
      return { accounts: await store.accounts(), invitations };
    },
    async names() {
      const [accounts, clients, machines] = await Promise.all([store.accounts(), store.clients(), store.devices()]);
      const named = [
        ...accounts.map(({ id, name }) => [`user:${id}`, name] as const),
        ...clients.map(({ id, name }) => [`client:${id}`, name] as const),
      ];
      const names = new Map<string, string>([...named, ...machines.map(({ id, ae }) => [`device:${id}`, ae] as const)]);
      const holders = new Map(named.toReversed().map(([holder, name]) => [name, holder]));
      return {
        of(actorId) {
          if (actorId === "operator") return "the console";
          return names.get(actorId) ?? nameless[actorId.slice(0, actorId.indexOf(":"))] ?? "a removed account";
        },
        holderOf: (name) => holders.get(name.trim()) ?? holders.get(name.trim().toLowerCase()),
      };
    },
    async account(id) {
      const account = await store.account(id);
      if (account === undefined) throw new Problem("absent", "no such account");
      return account;
    },
    named: (name) => store.accountNamed(name.trim().toLowerCase()),
    async invite(typed, grants, by) {
      const name = foldedName(typed);
      if (grants.length === 0) {
        throw new Problem("invalid", "what this person may do is missing", { remedy: "name at least one role" });
      }
      requireAlike(grants);
      if ((await store.accounts()).length === 0) {
        const remedy = "open the one-use link that `leadglass start` prints, or use `leadglass init --admin`";
        throw new Problem("conflict", "there is no administrator yet", { remedy });
      }
      if ((await store.accountNamed(name)) !== undefined) {
        throw new Problem("conflict", "an account of this name is there", { remedy: "take another name" });
      }
      const secret = newSecret(random);
      const createdAt = clock.now();
      const endsAt = createdAt + invitationHours * 3_600_000;
      const invitation = { digest: digestOf(secret), name, grants, invitedBy: by.id, createdAt, endsAt };
      await store.putInvitation(invitation);
      return { secret, invitation };
    },
    async invitationOf(secret) {
      const invitation = await store.invitation(digestOf(secret));
      return invitation !== undefined && (await holds(invitation)) ? invitation : undefined;
    },
    accepted: ({ digest }) => store.removeInvitation(digest),
    remove: (name, by) => removeNamed(name.trim().toLowerCase(), by),
  };
}
