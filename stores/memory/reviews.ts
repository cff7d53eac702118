import { Problem } from "#base/problem";
import type {
  GrantStore,
  MarkedPatient,
  ReviewStore,
  ShareStore,
  StoredPersonFacts,
  StoredReview,
  StoredShare,
  WatchedStore,
} from "#trust/access";

export function shares(granted: GrantStore): ShareStore {
  const held = new Map<string, StoredShare>();
  return {
    async addShare(share, grants) {
      const isTaken = [...held.values()].some(({ id, digest }) => id === share.id || digest === share.digest);
      if (isTaken) throw new Problem("conflict", "a share of this id is there already");
      await granted.addGrants(grants);
      held.set(share.id, { ...share });
    },
    shares: async () => [...held.values()].sort((a, b) => b.madeAt - a.madeAt || (a.id < b.id ? -1 : 1)),
    shareOf: async (digest) => [...held.values()].find((share) => share.digest === digest),
    async useShare(id, at) {
      const share = held.get(id);
      if (share !== undefined) held.set(id, { ...share, uses: share.uses + 1, lastUsedAt: at });
    },
  };
}

export function reviews(): ReviewStore {
  const held = new Map<string, StoredReview>();
  const isBehind = (a: Pick<StoredReview, "lastAt" | "id">, b: Pick<StoredReview, "lastAt" | "id">) =>
    a.lastAt < b.lastAt || (a.lastAt === b.lastAt && a.id > b.id);
  return {
    async noteReview({ at, count, ...noticed }) {
      const open = [...held.values()].find(
        ({ kind, actor, patient, day, outcome }) =>
          outcome === "" &&
          kind === noticed.kind &&
          actor === noticed.actor &&
          patient === noticed.patient &&
          day === noticed.day,
      );
      const begun = { firstAt: at, count: 0, reviewer: "", outcome: "", noteSealed: new Uint8Array(0), decidedAt: 0 };
      const before: StoredReview = open ?? { ...noticed, ...begun, lastAt: at, outcome: "" };
      held.set(before.id, { ...before, lastAt: at, count: before.count + count });
      return open === undefined;
    },
    reviews: async ({ state, before, limit }) =>
      [...held.values()]
        .filter(({ outcome }) => state === undefined || (outcome === "") === (state === "open"))
        .filter((review) => before === undefined || isBehind(review, before))
        .sort((a, b) => (isBehind(a, b) ? 1 : -1))
        .slice(0, limit),
    review: async (id) => held.get(id),
    async decideReview(id, decision) {
      const review = held.get(id);
      if (review === undefined || review.outcome !== "") return false;
      held.set(id, { ...review, ...decision });
      return true;
    },
  };
}

export function watched(): WatchedStore {
  const marked = new Map<string, MarkedPatient>();
  const people = new Map<string, StoredPersonFacts>();
  return {
    markPatient: async (one) => void marked.set(one.patient, { ...one }),
    markedPatients: async () => [...marked.values()].sort((a, b) => b.markedAt - a.markedAt),
    unmarkPatient: async (patient) => marked.delete(patient),
    putPersonFacts: async (facts) => void people.set(facts.accountId, { ...facts }),
    personFacts: async () => [...people.values()],
  };
}
