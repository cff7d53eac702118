import { type Act, type Actor, acts, type Role, ruleOf } from "./acts.ts";
import type { Grant, Purpose } from "./grant-store.ts";
import { covers, everywhere, isNowhere, type Reach, reachOf, type StudyFacts } from "./place.ts";

/** What was decided of an actor and an act. */
export type Decision =
  | { readonly isAllowed: false }
  | {
      readonly isAllowed: true;
      /** Where the act may be done: what lists are filtered by. */
      readonly reach: Reach;
      readonly sees: "whole" | "masked";
      /** What for, as the grant says; absent for who needs none. */
      readonly purpose?: Purpose;
    };

/** Grants as the policy needs them: those that hold at this moment. */
export interface LiveGrants {
  liveOf(holder: string): readonly Grant[];
}

/**
 * The one place where it is decided who may do what, where. Nothing is remembered between two decisions, so what has ended counts no
 * more at the next one.
 */
export interface Policy {
  /** Whether this actor may do this act, on the study of these facts where it is done on one. */
  decide(actor: Actor, act: Act, facts?: StudyFacts): Decision;
  /** What this actor may do at all, on something or other: what pages show. */
  actsOf(actor: Actor): Act[];
}

const refused: Decision = { isAllowed: false };
/** Who holds it sees identity masked, and holds nothing else. */
export const maskedRole: Role = "researcher";

export function createPolicy(grants: LiveGrants): Policy {
  /** The grants by which an actor may do an act, and the places that they and its token give. */
  const heldFor = (actor: Actor, act: Act): { readonly held: readonly Grant[]; readonly reach: Reach } | undefined => {
    const { scope, sees } = actor;
    const { who } = ruleOf(act);
    if (scope !== undefined && !scope.acts.includes(act)) return undefined;
    if (sees === "masked" && !(who as readonly string[]).includes(maskedRole)) return undefined;
    const held = grants.liveOf(actor.id).filter(({ role }) => who.includes(role));
    const scoped = scope === undefined || scope.places.length === 0 ? everywhere : reachOf(scope.places);
    const reach = [...reachOf(held.map(({ place }) => place)), ...scoped];
    return isNowhere(reach) ? undefined : { held, reach };
  };
  const isFixed = ({ kind, scope }: Actor, act: Act) =>
    (ruleOf(act).who as readonly string[]).includes(kind) && (scope?.acts.includes(act) ?? true);
  /** By its kind: its scope narrows what is done on studies, and nothing of what belongs to the whole tenant. */
  const decideFixed = (actor: Actor, act: Act, facts: StudyFacts | undefined): Decision => {
    if (!isFixed(actor, act)) return refused;
    const { where } = ruleOf(act);
    const { places = [] } = actor.scope ?? {};
    const isNarrowed = places.length > 0 && (where === "study" || where === "lists");
    const reach = isNarrowed ? reachOf(places) : everywhere;
    if (where === "study" && !covers(reach, facts)) return refused;
    return { isAllowed: true, reach, sees: actor.sees ?? "whole" };
  };

  return {
    decide(actor, act, facts) {
      if (actor.isLive?.() === false) return refused;
      if (!isGranted(actor)) return decideFixed(actor, act, facts);
      const { where } = ruleOf(act);
      const found = heldFor(actor, act);
      if (found === undefined) return refused;
      const { held, reach } = found;
      // What belongs to the whole tenant is not in the reach of a narrower grant, on whichever study it is done.
      if (where !== "lists" && where !== "self" && !covers(reach, where === "tenant" ? undefined : facts))
        return refused;
      const via = held.find(({ place }) => covers(reachOf([place]), facts)) ?? held[0];
      const isMasked = actor.sees === "masked" || held.some(({ role }) => role === maskedRole);
      return {
        isAllowed: true,
        reach: where === "self" ? everywhere : reach,
        sees: isMasked ? "masked" : "whole",
        ...(via !== undefined && { purpose: via.purpose }),
      };
    },
    actsOf: (actor) =>
      acts.filter((act) => (isGranted(actor) ? heldFor(actor, act) !== undefined : isFixed(actor, act))),
  };
}

const isGranted = ({ kind }: Actor) => kind === "user" || kind === "client" || kind === "share";
