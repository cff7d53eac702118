/** What of PS3.4 §C.5.1.1 the association has agreed on; all false where nothing was negotiated. */
export interface QueryExtensions {
  readonly relational: boolean;
  readonly fuzzyNames: boolean;
  /** A date and the time that belongs to it are matched together. */
  readonly dateTime?: boolean;
  readonly timezone?: boolean;
  /** Two quotation marks ask for what has no value. */
  readonly emptyValues?: boolean;
  /** Of several values of an attribute that has several, each must be there. */
  readonly multipleValues?: boolean;
}

export const noExtensions: QueryExtensions = { relational: false, fuzzyNames: false };
const usualSupport: QueryExtensions = { relational: true, fuzzyNames: true };

/** PS3.4 Tables C.5-1 and C.5-3: what each byte asks for; undefined for what no service here does (enhanced multi-frame conversion). */
const byBytes: readonly (keyof QueryExtensions | undefined)[] = [
  ...(["relational", "dateTime", "fuzzyNames", "timezone"] as const),
  ...[undefined, "emptyValues" as const, "multipleValues" as const],
];

/** What the service does not support is not granted. */
export function granting(information: Uint8Array, supports = usualSupport): QueryExtensions {
  const asked = byBytes.flatMap((name, at) => (name === undefined ? [] : [[name, information[at] === 1] as const]));
  return { ...noExtensions, ...Object.fromEntries(asked.map(([name, is]) => [name, is && supports[name] === true])) };
}

/** As many bytes as were asked. */
export function encodeExtensions(extensions: QueryExtensions, bytes: number): Uint8Array {
  const said = byBytes.map((name) => (name !== undefined && extensions[name] === true ? 1 : 0));
  return Uint8Array.from(said.slice(0, Math.max(bytes, 1)));
}
