/** What of PS3.4 §C.5.1.1 the association has agreed on; all false where nothing was negotiated. */
export interface QueryExtensions {
  readonly relational: boolean;
  readonly fuzzyNames: boolean;
  /** A date and the time that belongs to it are matched together. */
  readonly dateTime?: boolean;
  readonly timezone?: boolean;
}

export const noExtensions: QueryExtensions = { relational: false, fuzzyNames: false };
const usualSupport: QueryExtensions = { relational: true, fuzzyNames: true };

/** PS3.4 Tables C.5-1 and C.5-3: one byte for each; what the service does not support is not granted. */
export function granting(information: Uint8Array, supports = usualSupport): QueryExtensions {
  const [relational, dateTime, fuzzyNames, timezone] = information;
  return {
    relational: relational === 1 && supports.relational,
    dateTime: dateTime === 1 && supports.dateTime === true,
    fuzzyNames: fuzzyNames === 1 && supports.fuzzyNames,
    timezone: timezone === 1 && supports.timezone === true,
  };
}
/** As many bytes as were asked, the ones after the fourth (enhanced multi-frame conversion and later) not supported. */
export function encodeExtensions(extensions: QueryExtensions, bytes: number): Uint8Array {
  const { relational, dateTime = false, fuzzyNames, timezone = false } = extensions;
  const out = new Uint8Array(Math.min(Math.max(bytes, 1), 7));
  out.set([relational, dateTime, fuzzyNames, timezone].map(Number).slice(0, out.length));
  return out;
}
