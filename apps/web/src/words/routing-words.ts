import type {
  ChangesView,
  CoercionView,
  DeidentifyOption,
  HeldReason,
  HoursCondition,
  RoutingConditions,
  RoutingRuleView,
  RoutingText,
  TextCondition,
} from "#formats/api";

/** What a rule looks at, in the order in which it is shown. */
export const textNames: Readonly<Record<RoutingText, string>> = {
  modality: "Modality",
  bodyPart: "Body part",
  description: "Study description",
  stationName: "Station name",
  machine: "Sent by device",
  callingAe: "Calling AE title",
  calledAe: "Called AE title",
  sopClass: "SOP class UID",
};

/** From Sunday on, as in a rule. */
export const dayNames = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;

export const coercionNames: Readonly<Record<CoercionView["does"], string>> = {
  set: "Set",
  remove: "Remove",
  copy: "Copy from",
  prefix: "Put in front",
  map: "By table",
  rewrite: "Rewrite",
};

export const optionNames: Readonly<Record<DeidentifyOption, string>> = {
  "retain-modified-dates": "Keep dates, moved by whole weeks for each patient",
  "retain-full-dates": "Keep dates as they are",
  "retain-patient-characteristics": "Keep sex, age, weight and height",
  "retain-device": "Keep which device it was",
  "retain-institution": "Keep which institution it was",
  "clean-descriptors": "Keep descriptions, cleaned to known words",
  "retain-safe-private": "Keep private attributes known to be safe",
  "retain-uids": "Keep UIDs",
};

export const heldReasons: Readonly<Record<HeldReason, string>> = {
  pixels: "The pictures may show whose they are",
  document: "A document within may say whose it is",
  value: "A value made by the rule does not fit its attribute",
  again: "De-identified here before: two archives send to each other",
  queue: "Too much waits to be sent there",
};

const clock = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;

/** As a field of a form takes it. */
export const timeOf = (minute: number) => (minute >= 24 * 60 ? "00:00" : clock(minute));
export function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return hours * 60 + minutes;
}

/** What must hold, one after the other; nothing for every image. */
export function conditionWords(when: RoutingConditions, deviceName: (id: string) => string): string[] {
  const names = Object.entries(textNames) as [RoutingText, string][];
  const texts = names.flatMap(([text, name]) => {
    const condition = when[text];
    return condition === undefined ? [] : [`${name} ${textWords(condition, text === "machine" ? deviceName : same)}`];
  });
  return when.hours === undefined ? texts : [...texts, hoursWords(when.hours)];
}

const same = (text: string) => text;

function textWords({ is, not }: TextCondition, name: (text: string) => string): string {
  return `${not === true ? "is not " : ""}${is.map(name).join(" or ")}`;
}

function hoursWords({ from, to, weekdays, not }: HoursCondition): string {
  const days = weekdays.map((day) => dayNames[day]?.slice(0, 3)).join(", ");
  const hours = from === to ? "all day" : `${clock(from)} to ${clock(to)}`;
  return `${not === true ? "Not " : ""}${days === "" ? "" : `${days} `}${hours}`;
}

/** What leaves is changed so; "" as it came. */
export function changeWords(changes: ChangesView | undefined): string {
  if (changes === undefined) return "";
  const { deidentify, coercions } = changes;
  const count = coercions.length;
  const coerced = count === 0 ? [] : [count === 1 ? "1 attribute changed" : `${count} attributes changed`];
  return [...(deidentify === undefined ? [] : ["De-identified"]), ...coerced].join(", ");
}

/** Where it goes, the place here first. */
export function destinationWords(
  { cloud, keep, machines }: Pick<RoutingRuleView, "cloud" | "keep" | "machines">,
  deviceName: (id: string) => string,
): string {
  return [...(keep ? ["kept here"] : []), ...(cloud ? ["the cloud"] : []), ...machines.map(deviceName)].join(", ");
}
