import { Problem } from "#base/problem";
import type { FacilityView, StudyPlacesView } from "#formats/api";
import type { Command } from "../arguments.ts";
import type { Call } from "../call.ts";
import { withServer } from "../with-server.ts";

export const facilityAdd: Command = {
  words: "facility add",
  takes: "NAME",
  does: "a place that machines stand in and that people may be granted",
  run: (context) =>
    withServer(context, async (call) => {
      const [name] = context.positionals;
      if (name === undefined) {
        throw new Problem("invalid", "a name is needed", { remedy: 'leadglass facility add "North Wing"' });
      }
      const facility = await call.json<FacilityView>("POST", "/api/facilities", { name });
      context.print(lineOf(facility), facility);
    }),
};

export const facilityList: Command = {
  words: "facility list",
  takes: "",
  does: "the places that machines stand in, with their ids",
  run: (context) =>
    withServer(context, async (call) => {
      const facilities = await call.json<FacilityView[]>("GET", "/api/facilities");
      context.print(facilities.map(lineOf).join("\n") || "no facilities yet: leadglass facility add NAME", facilities);
    }),
};

export const facilityRename: Command = {
  words: "facility rename",
  takes: "NAME NEW",
  does: "another name for it; its id, and what was granted, stay",
  run: (context) =>
    withServer(context, async (call) => {
      const [old, name] = context.positionals;
      if (old === undefined || name === undefined) {
        throw new Problem("invalid", "two names are needed", { remedy: "leadglass facility rename NAME NEW" });
      }
      const id = await facilityNamed(call, old);
      const facility = await call.json<FacilityView>("PUT", `/api/facilities/${id}`, { name });
      context.print(lineOf(facility), facility);
    }),
};

export const studyPlaces: Command = {
  words: "study places",
  takes: "STUDY",
  does: "the ids of the facility, patient and order that a study lies in, for grants",
  run: (context) =>
    withServer(context, async (call) => {
      const [study] = context.positionals;
      if (study === undefined) throw new Problem("invalid", "the token of a study is needed");
      const places = await call.json<StudyPlacesView>("GET", `/api/studies/${encodeURIComponent(study)}/places`);
      const lines = Object.entries(places).map(([kind, id]) => `${kind.padEnd(8)}  ${id || "none"}`);
      context.print(lines.join("\n"), places);
    }),
};

const lineOf = ({ id, name }: FacilityView) => `${id}  ${name}`;

/** The id of a facility by its name, or by itself; "" for `-`, which is none. */
export async function facilityNamed(call: Call, name: string): Promise<string> {
  if (name === "-") return "";
  const facilities = await call.json<FacilityView[]>("GET", "/api/facilities");
  const facility = facilities.find((one) => one.name === name || one.id === name);
  if (facility !== undefined) return facility.id;
  throw new Problem("absent", "no facility has that name", { remedy: "leadglass facility list shows those there are" });
}
