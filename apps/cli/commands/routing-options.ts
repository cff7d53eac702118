import { Problem } from "#base/problem";
import {
  type ChangesView,
  type CoercionView,
  type DeidentifyOption,
  deidentifyOptions,
  type HoursCondition,
  type RoutingConditions,
  type RoutingText,
  type TextCondition,
} from "#formats/api";
import type { CommandContext } from "../arguments.ts";

/** What a rule looks at, by the name of its option. */
export const textOptions: Readonly<Record<string, { readonly text: RoutingText; readonly help: string }>> = {
  "calling-ae": {
    text: "callingAe",
    help: "AE,…  AE title of who sends; !AE,… none of them; * and ? stand for others",
  },
  "called-ae": { text: "calledAe", help: "AE,…  AE title that is called" },
  machine: { text: "machine", help: "AE,…  registered machine that sends" },
  modality: { text: "modality", help: "CT,…  Modality" },
  "body-part": { text: "bodyPart", help: "CHEST,…  Body Part Examined" },
  "sop-class": { text: "sopClass", help: "UID,…  SOP Class UID" },
  station: { text: "stationName", help: "NAME,…  Station Name" },
  description: { text: "description", help: "TEXT,…  Study Description, such as *brain*" },
};

const dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

export const conditionHelp: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(textOptions).map(([name, { help }]) => [name, help])),
  hours: "HH:MM-HH:MM  between these, over midnight where the second is earlier; !HH:MM-HH:MM  not between them",
  days: `${dayNames.join(",")}  on these days`,
};

export const changeHelp: Readonly<Record<string, string>> = {
  deidentify: `OPTIONS  de-identify (PS3.15 Annex E): basic, or some of ${deidentifyOptions.join(",")}; none: not any more`,
  project: "NAME  pseudonyms of this project are its own",
};

export const coercionHelp: Readonly<Record<string, string>> = {
  set: "KEYWORD=VALUE  make an attribute say this",
  clear: "KEYWORD  take an attribute out",
  copy: "KEYWORD=FROM  make an attribute say what another one says",
  prefix: "KEYWORD=TEXT  put this in front",
  map: "KEYWORD=A:B,C:D  A becomes B, C becomes D",
  rewrite:
    "KEYWORD=PATTERN=VALUE  what fits the pattern becomes the value; a * of the value is what that of the pattern found",
};

/** The conditions that were given; `none` takes one away. */
export async function conditionsFrom(
  { options }: CommandContext,
  before: RoutingConditions,
  machineNamed: (ae: string) => Promise<string>,
): Promise<RoutingConditions> {
  const when: { -readonly [Key in keyof RoutingConditions]: RoutingConditions[Key] } = { ...before };
  for (const [name, { text }] of Object.entries(textOptions)) {
    const given = options[name];
    if (given === undefined) continue;
    delete when[text];
    if (given === "none") continue;
    const condition = textCondition(given);
    when[text] =
      text === "machine" ? { ...condition, is: await Promise.all(condition.is.map(machineNamed)) } : condition;
  }
  if (options.hours !== undefined || options.days !== undefined) {
    delete when.hours;
    const hours = hoursFrom(options.hours, options.days, before.hours);
    if (hours !== undefined) when.hours = hours;
  }
  return when;
}

function textCondition(given: string): TextCondition {
  const not = given.startsWith("!");
  const is = given
    .slice(not ? 1 : 0)
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
  return { is, ...(not && { not }) };
}

function hoursFrom(
  given: string | undefined,
  days: string | undefined,
  before: HoursCondition | undefined,
): HoursCondition | undefined {
  if (given === "none") return undefined;
  const weekdays = days === undefined ? (before?.weekdays ?? []) : weekdaysFrom(days);
  if (given === undefined) return { from: 0, to: 0, ...before, weekdays };
  const parts = /^(!?)(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$/.exec(given);
  if (parts === null) throw new Problem("invalid", "--hours takes HH:MM-HH:MM", { remedy: "--hours 18:00-07:00" });
  const [, not = "", ...digits] = parts;
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = digits.map(Number);
  const hours = { from: fromHour * 60 + fromMinute, to: toHour * 60 + toMinute, weekdays };
  return not === "" ? hours : { ...hours, not: true };
}

function weekdaysFrom(days: string): number[] {
  const found = days.split(",").map((day) => dayNames.indexOf(day.trim().toLowerCase()));
  if (days !== "none" && found.includes(-1)) {
    throw new Problem("invalid", "--days takes days of the week", { remedy: `some of ${dayNames.join(",")}` });
  }
  return days === "none" ? [] : found;
}

/** The changes that were given; coercions that are given take the place of those that there were. */
export function changesFrom({ options, lists }: CommandContext, before: ChangesView | undefined): ChangesView {
  const given = Object.keys(coercionHelp).flatMap((does) =>
    (lists[does] ?? []).map((each) => coercionFrom(does, each)),
  );
  const coercions = given.length > 0 ? given : (before?.coercions ?? []);
  if (options.deidentify === "none") return { coercions };
  const chosen = options.deidentify?.split(",").filter((each) => each !== "basic");
  const unknown = chosen?.find((each) => !deidentifyOptions.some((one) => one === each));
  if (unknown !== undefined) {
    throw new Problem("invalid", "--deidentify takes basic or options of the profile", {
      remedy: deidentifyOptions.join(", "),
    });
  }
  const deidentify =
    chosen === undefined ? before?.deidentify : { ...before?.deidentify, options: chosen as DeidentifyOption[] };
  if (deidentify === undefined) return { coercions };
  const { project } = options;
  return { coercions, deidentify: { ...deidentify, ...(project !== undefined && { project }) } };
}

function coercionFrom(does: string, given: string): CoercionView {
  const [attribute = "", ...rest] = given.split("=");
  const value = rest.join("=");
  switch (does) {
    case "clear":
      return { does: "remove", attribute };
    case "copy":
      return { does, attribute, from: value };
    case "map":
      return { does, attribute, table: value.split(",").map(rowFrom) };
    case "rewrite": {
      const [pattern = "", ...into] = rest;
      return { does, attribute, pattern, value: into.join("=") };
    }
    default:
      return { does: does === "prefix" ? "prefix" : "set", attribute, value };
  }
}

function rowFrom(pair: string): readonly [string, string] {
  const [from = "", ...to] = pair.split(":");
  return [from, to.join(":")];
}
