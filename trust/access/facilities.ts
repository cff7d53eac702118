import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import { Problem } from "#base/problem";
import type { Facility, FacilityStore } from "./facility-store.ts";

const charactersMax = 64;

/** The places that machines stand in and that people may be granted. */
export interface Facilities {
  list(): Promise<Facility[]>;
  /** Problem `conflict` when the name is taken. */
  add(name: string): Promise<Facility>;
  /** Problem `absent` when there is none, `conflict` when the name is another's. */
  rename(id: string, name: string): Promise<Facility>;
  /** The token given back, "" for none. Problem `absent` when no facility has it. */
  require(id: string): Promise<string>;
}

export function createFacilities(parts: { store: FacilityStore; clock: Clock; random: Random }): Facilities {
  const { store, clock, random } = parts;
  const found = async (id: string): Promise<Facility> => {
    const facility = (await store.facilities()).find((one) => one.id === id);
    if (facility !== undefined) return facility;
    throw new Problem("absent", "no such facility", { remedy: "leadglass facility list shows those there are" });
  };
  return {
    list: () => store.facilities(),
    async add(name) {
      const facility = { id: newToken(random), name: checkedName(name), createdAt: clock.now() };
      await store.addFacility(facility);
      return facility;
    },
    async rename(id, name) {
      const facility = { ...(await found(id)), name: checkedName(name) };
      await store.renameFacility(id, facility.name);
      return facility;
    },
    require: async (id) => (id === "" ? "" : (await found(id)).id),
  };
}

function checkedName(name: string): string {
  const text = name.trim();
  const isName = text !== "" && [...text].length <= charactersMax && text.isWellFormed() && !/\p{Cc}/u.test(text);
  if (isName) return text;
  throw new Problem("invalid", "that is no name for a facility", { remedy: `1 to ${charactersMax} characters` });
}
