import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import { Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import type { Actor, Role } from "./acts.ts";
import type { Grant, GrantStore, GrantTerms } from "./grant-store.ts";
import { maskedRole } from "./policy.ts";

/** Who holds which grants. All that are live are in memory: what is ended counts no more from that moment on. */
export interface Grants {
  /**
   * Problem `invalid` for terms that cannot be (over before they begin), `conflict` where a role that sees identity masked would stand
   * beside one that does not.
   */
  give(holder: string, terms: GrantTerms, by: Actor): Promise<Grant>;
  /** Gives the first grants of a holder that is being made; `keep` stores them together with it. */
  giveWith(
    holder: string,
    terms: readonly GrantTerms[],
    by: Pick<Actor, "id">,
    keep: (grants: readonly Grant[]) => Promise<void>,
  ): Promise<void>;
  /** Problem `absent` when there is none that holds, `conflict` for the last administrator's. */
  end(id: string, by: Actor): Promise<void>;
  /** Ends all of a holder that leaves. Problem `conflict` for the last administrator. */
  endAllOf(holder: string, by: Actor): Promise<void>;
  liveOf(holder: string): readonly Grant[];
  /** Who holds this role for the whole tenant: actor ids. */
  holdersOf(role: Role): string[];
  /** All there have been, oldest first. */
  list(): Promise<Grant[]>;
  /** Tells whose grants were ended by somebody (not by time). Returns how to stop. */
  watchEnded(listener: (holder: string) => void): () => void;
}

export async function createGrants(parts: { store: GrantStore; clock: Clock; random: Random }): Promise<Grants> {
  const { store, clock, random } = parts;
  const byHolder = new Map<string, readonly Grant[]>();
  const listeners = new Set<(holder: string) => void>();
  const put = (holder: string, grants: readonly Grant[]) =>
    grants.length === 0 ? byHolder.delete(holder) : byHolder.set(holder, grants);
  for (const grant of await store.grants()) {
    if (isLive(grant, clock.now())) put(grant.holder, [...(byHolder.get(grant.holder) ?? []), grant]);
  }
  /** One change at a time: two at once must not take the last two administrators. */
  const turns = createTurns();

  const liveOf = (holder: string): readonly Grant[] => {
    const grants = byHolder.get(holder) ?? [];
    const now = clock.now();
    if (grants.every((grant) => isLive(grant, now))) return grants;
    const live = grants.filter((grant) => isLive(grant, now));
    put(holder, live);
    return live;
  };
  const holdersOf = (role: Role) =>
    [...byHolder.keys()].filter((holder) =>
      liveOf(holder).some((grant) => grant.role === role && grant.place.kind === "tenant"),
    );
  const requireAdministratorLeft = (ended: readonly Grant[]) => {
    const ids = new Set(ended.map(({ id }) => id));
    const isLeft = [...byHolder.keys()].some((holder) =>
      liveOf(holder).some((grant) => isAdministration(grant) && !ids.has(grant.id)),
    );
    if (isLeft || !ended.some(isAdministration)) return;
    throw new Problem("conflict", "this is the last administrator", {
      remedy: "make somebody else an administrator first",
    });
  };
  const endNow = async (ended: readonly Grant[], by: Actor): Promise<void> => {
    requireAdministratorLeft(ended);
    for (const { id, holder } of ended) {
      await store.endGrant(id, clock.now(), by.id);
      put(
        holder,
        liveOf(holder).filter((grant) => grant.id !== id),
      );
    }
    for (const holder of new Set(ended.map((grant) => grant.holder)))
      for (const listener of listeners) listener(holder);
  };

  const draft = (holder: string, { role, place, purpose, endsAt }: GrantTerms, by: Pick<Actor, "id">): Grant => {
    const given = { holder, givenBy: by.id, givenAt: clock.now(), endedAt: 0, endedBy: "" };
    return { id: newToken(random), role, place, purpose, endsAt, ...given };
  };

  return {
    give: (holder, terms, by) =>
      turns.take(async () => {
        requireTerms(terms, clock.now());
        requireAlike([terms, ...liveOf(holder)]);
        const grant = draft(holder, terms, by);
        await store.addGrants([grant]);
        put(holder, [...liveOf(holder), grant]);
        return grant;
      }),
    giveWith: (holder, all, by, keep) =>
      turns.take(async () => {
        for (const terms of all) requireTerms(terms, clock.now());
        requireAlike(all);
        const given = all.map((terms) => draft(holder, terms, by));
        await keep(given);
        put(holder, given);
      }),
    end: (id, by) =>
      turns.take(async () => {
        const ended = [...byHolder.keys()].flatMap((holder) => liveOf(holder)).filter((grant) => grant.id === id);
        if (ended.length === 0) {
          throw new Problem("absent", "no such grant", { remedy: "leadglass grant list shows those that hold" });
        }
        await endNow(ended, by);
      }),
    endAllOf: (holder, by) => turns.take(() => endNow(liveOf(holder), by)),
    liveOf,
    holdersOf,
    list: () => store.grants(),
    watchEnded(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const isLive = ({ endsAt, endedAt }: Grant, now: number) => endedAt === 0 && (endsAt === 0 || now < endsAt);
const isAdministration = ({ role, place, holder, endsAt }: Grant) =>
  role === "administrator" && place.kind === "tenant" && holder.startsWith("user:") && endsAt === 0;

function requireTerms({ place, endsAt }: GrantTerms, now: number): void {
  if (endsAt !== 0 && endsAt <= now) {
    throw new Problem("invalid", "this grant would be over before it begins", { remedy: "choose a later end" });
  }
  if (place.kind !== "tenant" && place.id === "") {
    throw new Problem("invalid", `which ${place.kind} the grant is for is missing`);
  }
}

/** Identity is masked for a person, not for a row: who does research does it with an account of its own. */
export function requireAlike(held: readonly Pick<GrantTerms, "role">[]): void {
  const masked = held.filter(({ role }) => role === maskedRole).length;
  if (masked === 0 || masked === held.length) return;
  throw new Problem("conflict", "a researcher sees identity masked and holds no other role", {
    remedy: "make a second account for the research",
  });
}
