/** The characters that a message says in MSH-1 and MSH-2 it is divided by (HL7 v2.8 §2.5.4). */
export interface Delimiters {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  readonly escape: string;
  readonly subcomponent: string;
  /** From 2.7 on; undefined where the message names none. */
  readonly truncation: string | undefined;
}

export const usualDelimiters: Delimiters = {
  field: "|",
  component: "^",
  repetition: "~",
  escape: "\\",
  subcomponent: "&",
  truncation: undefined,
};

/** Undefined for characters that would make other messages of a message: letters, digits, blanks, the mark of null, one for two things. */
export function delimitersOf(field: string, encoding: string): Delimiters | undefined {
  const [component, repetition, mark, subcomponent, truncation] = encoding;
  const all = [field, ...encoding];
  if (encoding.length < 4 || encoding.length > 5 || new Set(all).size < all.length) return undefined;
  if (!all.every((one) => /^[!#-/:-@[-`{-~]$/.test(one))) return undefined;
  if (component === undefined || repetition === undefined || mark === undefined || subcomponent === undefined) {
    return undefined;
  }
  return { field, component, repetition, escape: mark, subcomponent, truncation };
}

/** MSH-2. */
export function encodingCharacters(of: Delimiters): string {
  return of.component + of.repetition + of.escape + of.subcomponent + (of.truncation ?? "");
}
