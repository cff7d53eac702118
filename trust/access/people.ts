import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import type { AccessStore, Account, Invitation, Role } from "./access-store.ts";
import { digestOf, newSecret } from "./secrets.ts";
import { foldedName } from "./sign-in.ts";

const invitationHours = 24;

/** Who has an account, who is invited to make one, and how either ends. */
export interface People {
  list(): Promise<{ accounts: Account[]; invitations: Invitation[] }>;
  /** Draws a one-use link's secret for a new account; an earlier one for the same name is void. */
  invite(name: string, role: Role): Promise<{ secret: string; invitation: Invitation }>;
  /** The invitation of this secret, while it holds: not over, and nobody has that name. */
  invitationOf(secret: string): Promise<Invitation | undefined>;
  /** The invitation is used up. */
  accepted(invitation: Invitation): Promise<void>;
  /** Removes the account or the invitation of this name; sessions end at once. Problem `conflict` for the last administrator. */
  remove(name: string): Promise<void>;
}

export function createPeople(parts: { store: AccessStore; clock: Clock; random: Random }): People {
  const { store, clock, random } = parts;
  const holds = async (invitation: Invitation): Promise<boolean> =>
    invitation.endsAt > clock.now() && (await store.accountNamed(invitation.name)) === undefined;

  /** Two removals at once must not take the last two administrators. */
  let removing: Promise<unknown> = Promise.resolve();
  const removeNow = async (name: string): Promise<void> => {
    const account = await store.accountNamed(name);
    const invited = (await store.invitations()).filter((invitation) => invitation.name === name);
    for (const { digest } of invited) await store.removeInvitation(digest);
    if (account === undefined) {
      if (invited.length > 0) return;
      throw new Problem("absent", "nobody has this name", { remedy: "leadglass user list shows who there is" });
    }
    const others = (await store.accounts()).filter(({ id, role }) => role === "administrator" && id !== account.id);
    if (account.role === "administrator" && others.length === 0) {
      throw new Problem("conflict", "this is the last administrator", { remedy: "leadglass user add another first" });
    }
    await store.removeAccount(account.id);
  };

  return {
    async list() {
      const invitations: Invitation[] = [];
      for (const invitation of await store.invitations()) if (await holds(invitation)) invitations.push(invitation);
      return { accounts: await store.accounts(), invitations };
    },
    async invite(typed, role) {
      const name = foldedName(typed);
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
      const invitation = { digest: digestOf(secret), name, role, createdAt, endsAt };
      await store.putInvitation(invitation);
      return { secret, invitation };
    },
    async invitationOf(secret) {
      const invitation = await store.invitation(digestOf(secret));
      return invitation !== undefined && (await holds(invitation)) ? invitation : undefined;
    },
    accepted: ({ digest }) => store.removeInvitation(digest),
    remove(name) {
      const removed = removing.then(() => removeNow(name.trim().toLowerCase()));
      removing = removed.catch(() => {});
      return removed;
    },
  };
}
