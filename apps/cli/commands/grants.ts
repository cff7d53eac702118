import { systemClock } from "#base/clock";
import { Problem } from "#base/problem";
import { type GrantRequest, type GrantView, type PlaceView, purposeOf, purposes, roles } from "#formats/api";
import type { Command } from "../arguments.ts";
import { withServer } from "../with-server.ts";

const places = ["facility", "patient", "study", "order"] as const;
const day = 24 * 3_600_000;

/** One of the four options, or none for the whole tenant. */
function placeOf(options: Readonly<Record<string, string | undefined>>): PlaceView {
  const named = places.flatMap((kind) => (options[kind] === undefined ? [] : [{ kind, id: options[kind] }]));
  if (named.length > 1) {
    throw new Problem("invalid", "a grant is for one place", { remedy: "give several grants, one after the other" });
  }
  return named[0] ?? { kind: "tenant" };
}

const chosen = <const T extends string>(all: readonly T[], typed: string | undefined): T | undefined =>
  all.find((one) => one === typed);

export const grantAdd: Command = {
  words: "grant add",
  takes: "NAME ROLE [--facility ID | --patient ID | --study ID | --order ID] [--purpose P] [--days N]",
  does: "let a person or a program act in that role, there, for that long",
  options: {
    facility: "ID  within this facility (`leadglass facility list`)",
    patient: "ID  for this patient's studies, by its token",
    study: "ID  for this study, by its token",
    order: "ID  for what was made on this order, by its token",
    purpose: `P  ${purposes.join(", ")}; else what the role is for`,
    days: "N  over after so many days; else until it is ended",
  },
  run: (context) =>
    withServer(context, async (call) => {
      const [name, typed] = context.positionals;
      const role = chosen(roles, typed);
      const { days, purpose: typedPurpose } = context.options;
      const purpose = typedPurpose === undefined ? role && purposeOf(role) : chosen(purposes, typedPurpose);
      if (name === undefined || role === undefined || purpose === undefined || (days && !(Number(days) > 0))) {
        throw new Problem("invalid", `NAME and one of ${roles.join(", ")} are needed`, {
          remedy: "leadglass grant add bob@example.org referrer --study TOKEN --days 30",
        });
      }
      const endsAt = days === undefined ? 0 : systemClock.now() + Math.round(Number(days) * day);
      const request: GrantRequest = { name, role, purpose, place: placeOf(context.options), endsAt };
      const grant = await call.json<GrantView>("POST", "/api/grants", request);
      context.print(lineOf(grant), grant);
    }),
};

export const grantList: Command = {
  words: "grant list",
  takes: "[--ended]",
  does: "who may act in which role, where, and since when",
  flags: { ended: "also those that are over" },
  run: (context) =>
    withServer(context, async (call) => {
      const query = context.flags.has("ended") ? "?ended=true" : "";
      const grants = await call.json<GrantView[]>("GET", `/api/grants${query}`);
      context.print(grants.map(lineOf).join("\n") || "nobody holds a grant yet", grants);
    }),
};

export const grantEnd: Command = {
  words: "grant end",
  takes: "ID",
  does: "end a grant, at once and everywhere",
  run: (context) =>
    withServer(context, async (call) => {
      const [id] = context.positionals;
      if (id === undefined) throw new Problem("invalid", "ID is needed", { remedy: "leadglass grant list" });
      await call.json("DELETE", `/api/grants/${encodeURIComponent(id)}`);
      context.print("ended", { ended: id });
    }),
};

const moment = (at: number) => new Date(at).toISOString();

function lineOf({
  id,
  holderName,
  role,
  place,
  purpose,
  givenBy,
  givenAt,
  endsAt,
  endedAt,
  isLive,
}: GrantView): string {
  const where = place.kind === "tenant" ? "everywhere" : `${place.kind} ${place.id}`;
  const until = endsAt === 0 ? "" : `, until ${moment(endsAt)}`;
  const over = isLive ? "" : endedAt > 0 ? `  ENDED ${moment(endedAt)}` : "  OVER";
  return `${id}  ${holderName}: ${role}, ${where}, for ${purpose}, by ${givenBy} since ${moment(givenAt)}${until}${over}`;
}
