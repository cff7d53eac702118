import { Problem } from "#base/problem";
import type { Facility, FacilityStore } from "#trust/access";

export function facilities(): FacilityStore {
  const held = new Map<string, Facility>();
  const requireFree = (name: string, id?: string) => {
    if (![...held.values()].some((other) => other.name === name && other.id !== id)) return;
    throw new Problem("conflict", "a facility of this name is there already", { remedy: "choose another name" });
  };
  return {
    async addFacility(facility) {
      requireFree(held.get(facility.id)?.name ?? facility.name);
      held.set(facility.id, { ...facility });
    },
    facilities: async () => [...held.values()].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)),
    async renameFacility(id, name) {
      requireFree(name, id);
      const facility = held.get(id);
      if (facility !== undefined) held.set(id, { ...facility, name });
      return facility !== undefined;
    },
  };
}
