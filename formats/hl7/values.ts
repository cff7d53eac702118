import { partOf, repetitionsAt } from "./fields.ts";
import type { Message, Segment } from "./message.ts";

/** A person's name (XPN, XCN without its identifier). */
export interface PersonName {
  readonly family: string;
  readonly given: string;
  /** Further given names or their initials. */
  readonly middle: string;
  readonly suffix: string;
  readonly prefix: string;
  /** Table 0200: `L` legal, `M` maiden, `A` alias, … */
  readonly type: string;
  /** Table 0465: `A` alphabetic, `I` ideographic, `P` phonetic; empty: not said. */
  readonly representation: string;
}

export function personNamesAt(message: Message, segment: Segment | undefined, field: number): PersonName[] {
  return repetitionsAt(message, segment, field).map((each) => nameOf(message, each, 0));
}

/** Of those who are named with an identifier before their name (XCN; CN of older versions). */
export function providerNamesAt(message: Message, segment: Segment | undefined, field: number): PersonName[] {
  return repetitionsAt(message, segment, field).map((each) => nameOf(message, each, 1));
}

function nameOf(message: Message, repetition: string, before: number): PersonName {
  const part = (component: number) => partOf(message, repetition, before + component);
  return {
    ...{ family: part(1), given: part(2), middle: part(3), suffix: part(4), prefix: part(5) },
    type: partOf(message, repetition, before === 0 ? 7 : 10),
    representation: partOf(message, repetition, before === 0 ? 8 : 15),
  };
}

/** An identifier and who gave it (CX, EI). */
export interface Identifier {
  readonly id: string;
  /** The assigning authority's local name, or its universal id where it has no such. */
  readonly authority: string;
  readonly universalId: string;
  /** ISO, DNS, … */
  readonly universalIdType: string;
  /** Table 0203: `MR`, `PI`, `SS`, … */
  readonly type: string;
}

/** CX: authority in component 4, type in 5. */
export function identifiersAt(message: Message, segment: Segment | undefined, field: number): Identifier[] {
  const all = repetitionsAt(message, segment, field).map((each) => {
    const [namespace, universalId] = [partOf(message, each, 4, 1), partOf(message, each, 4, 2)];
    return {
      id: partOf(message, each, 1),
      authority: namespace || universalId,
      universalId,
      universalIdType: partOf(message, each, 4, 3),
      type: partOf(message, each, 5),
    };
  });
  return all.filter(({ id }) => id !== "");
}

/** The parts of an address (XAD) that say where. */
export interface Address {
  readonly street: string;
  readonly other: string;
  readonly city: string;
  readonly state: string;
  readonly postalCode: string;
  readonly country: string;
}

export function addressesAt(message: Message, segment: Segment | undefined, field: number): Address[] {
  return repetitionsAt(message, segment, field).map((each) => {
    const part = (component: number) => partOf(message, each, component);
    return {
      ...{ street: part(1), other: part(2), city: part(3), state: part(4), postalCode: part(5), country: part(6) },
    };
  });
}

/** A moment as far as it is said (TS, DTM): `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]`. */
export interface Moment {
  /** `YYYY`, `YYYYMM` or `YYYYMMDD`. */
  readonly date: string;
  /** Empty, or `HH`, `HHMM`, `HHMMSS`, with a fraction of up to four digits after a dot. */
  readonly time: string;
  /** Minutes east of UTC; undefined: the sender's own zone. */
  readonly zoneMinutes: number | undefined;
}

/** Undefined for a text that is no moment. */
export function momentOf(text: string): Moment | undefined {
  const found = /^(\d{4})(\d\d)?(\d\d)?(?:(\d\d)(\d\d)?(\d\d)?(\.\d{1,4})?)?([+-]\d{4})?$/.exec(text.trim());
  if (found === null) return undefined;
  const [, year = "", month = "", day = "", hours = "", minutes = "", seconds = "", fraction = "", zone = ""] = found;
  // A fraction is one of seconds; hours follow a whole date, which the pattern alone does not say.
  if ((fraction !== "" && seconds === "") || (hours !== "" && day === "")) return undefined;
  if ((month !== "" && !isWithin(month, 1, 12)) || (day !== "" && !isWithin(day, 1, daysOf(year, month)))) {
    return undefined;
  }
  if (![hours, minutes, seconds].every((part, at) => part === "" || isWithin(part, 0, at === 0 ? 23 : 59))) {
    return undefined;
  }
  const sign = zone.startsWith("-") ? -1 : 1;
  const zoneMinutes = zone === "" ? undefined : sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3)));
  return { date: year + month + day, time: hours + minutes + seconds + fraction, zoneMinutes };
}

const isWithin = (digits: string, from: number, to: number) => Number(digits) >= from && Number(digits) <= to;

function daysOf(year: string, month: string): number {
  return new Date(Date.UTC(2000 + (Number(year) % 400), Number(month), 0)).getUTCDate();
}

/** Epoch milliseconds as a moment in UTC, to the second. */
export function momentText(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replace(/[-:T]/g, "")}+0000`;
}
