import type { Grant, StudyFacts } from "./index.ts";

/** An actor as the page speaks of one. */
export interface PageActor {
  readonly kind: string;
  readonly id: string;
  readonly isMaskedToken: boolean;
  readonly hasEnded: boolean;
  readonly token?: {
    readonly acts: readonly string[];
    readonly places: readonly { readonly kind: string; readonly id?: string }[];
  };
}

/**
 * Decides as docs/access.md says, by reading it, and by nothing else: slow, naive, and written without a look at the policy, so that the two
 * can be compared.
 */
export function readThePage(page: string) {
  const rows = new Map<string, { where: string; who: string[] }>();
  for (const line of (page.split("## Acts")[1] ?? "").split("## Roles")[0]?.split("\n") ?? []) {
    const [, act, where, who] = /^\| `([^`]+)` \| (\w+) \| ([^|]+) \|$/.exec(line) ?? [];
    if (act !== undefined && where !== undefined && who !== undefined) {
      rows.set(act, { where, who: who.split(",").map((one) => one.trim()) });
    }
  }

  const lies = (facts: StudyFacts | undefined, place: { readonly kind: string; readonly id?: string }): boolean => {
    if (place.kind === "tenant") return true;
    if (facts === undefined || !place.id) return false;
    if (place.kind === "facility") return facts.facility === place.id;
    if (place.kind === "patient") return facts.patient === place.id;
    if (place.kind === "order") return facts.order === place.id;
    return place.kind === "study" && facts.study === place.id;
  };

  const holds = (grant: Grant, now: number) => grant.endedAt === 0 && !(grant.endsAt !== 0 && grant.endsAt <= now);

  /** Whether the actor may do the act on the study of these facts, or sees it in a list of that act. */
  const isIn = (
    actor: PageActor,
    act: string,
    facts: StudyFacts | undefined,
    grants: readonly Grant[],
    now: number,
  ) => {
    const row = rows.get(act);
    if (row === undefined) throw new Error(`the page does not know ${act}`);
    if (actor.hasEnded) return false;
    // "tenant: the grant is for the whole tenant": on whichever study it is done.
    const where = row.where === "tenant" ? undefined : facts;
    const { acts, places } = actor.token ?? { acts: [act], places: [] };
    const isNarrowed = places.length > 0 && row.where !== "self";
    const liesThere = (narrowed: boolean) => !narrowed || places.some((place) => lies(where, place));
    if (!["user", "client", "share"].includes(actor.kind)) {
      return row.who.includes(actor.kind) && acts.includes(act) && liesThere(isNarrowed && row.where !== "tenant");
    }
    if (actor.isMaskedToken && !row.who.includes("researcher")) return false;
    if (!acts.includes(act)) return false;
    let isGranted = false;
    for (const grant of grants) {
      if (grant.holder !== actor.id || !holds(grant, now) || !row.who.includes(grant.role)) continue;
      if (row.where === "self" || lies(where, grant.place)) isGranted = true;
    }
    return isGranted && liesThere(isNarrowed);
  };

  return {
    acts: [...rows.keys()],
    isIn,
    /** Whether the act is let through at all: a list act when there is a place that could hold something. */
    isAllowed(actor: PageActor, act: string, facts: StudyFacts | undefined, grants: readonly Grant[], now: number) {
      if (rows.get(act)?.where !== "lists") return isIn(actor, act, facts, grants, now);
      const places = grants.map(({ place }) => place);
      const somewhere = ["", ...places.map((place) => ("id" in place ? place.id : ""))];
      const could = somewhere.flatMap((id) => [
        { facility: id, patient: "?", study: "?", order: "?" },
        { facility: "?", patient: id, study: "?", order: "?" },
        { facility: "?", patient: "?", study: id, order: "?" },
        { facility: "?", patient: "?", study: "?", order: id },
      ]);
      // A token's places may have nothing in common with the grants': then the list is there, and empty.
      const { token: _, ...without } = actor;
      const withActs =
        actor.token === undefined ? without : { ...without, token: { acts: actor.token.acts, places: [] } };
      return could.some((one) => isIn(withActs, act, one, grants, now));
    },
    isMasked(actor: PageActor, act: string, grants: readonly Grant[], now: number) {
      const who = rows.get(act)?.who ?? [];
      const roles = grants.filter((grant) => grant.holder === actor.id && holds(grant, now)).map(({ role }) => role);
      return actor.isMaskedToken || roles.some((role) => role === "researcher" && who.includes(role));
    },
  };
}
