import type { LogQuestion } from "#formats/api";

/** What the address of the log holds: tokens of ours and words of ours, no name. */
export interface LogView {
  /** Actor id. */
  readonly actor?: string;
  readonly study?: string;
  readonly act?: string;
  readonly outcome?: "done" | "refused" | "failed";
  /** `YYYY-MM-DD`, local days, both inclusive. */
  readonly from?: string;
  readonly to?: string;
  /** The entry that is open. */
  readonly entry?: number;
}

const patterns = {
  actor: /^[a-z]+(:[0-9a-f]{1,64})?$/,
  study: /^[0-9a-f]{32}$/,
  act: /^[a-z-]+\.([a-z.-]{1,64})?$/,
  outcome: /^(done|refused|failed)$/,
  from: /^\d{4}-\d{2}-\d{2}$/,
  to: /^\d{4}-\d{2}-\d{2}$/,
} as const;

/** Reads an address that anyone may have typed: what is not understood is left out. */
export function logView(search: Record<string, unknown>): LogView {
  const held = Object.entries(patterns).flatMap(([name, pattern]) => {
    const value = search[name];
    return typeof value === "string" && pattern.test(value) ? [[name, value]] : [];
  });
  const { entry } = search;
  const isEntry = Number.isSafeInteger(entry) && (entry as number) >= 0;
  return { ...Object.fromEntries(held), ...(isEntry && { entry }) } as LogView;
}

export function isFiltered({ entry: _entry, ...filters }: LogView): boolean {
  return Object.keys(filters).length > 0;
}

/** Days as the reader's clock has them. */
export function logQuestion({ entry: _entry, from, to, ...rest }: LogView): LogQuestion {
  const start = from === undefined ? Number.NaN : new Date(`${from}T00:00`).getTime();
  const last = to === undefined ? Number.NaN : new Date(`${to}T00:00`);
  const end = last instanceof Date ? last.setDate(last.getDate() + 1) : last;
  return { ...rest, ...(start >= 0 && { from: start }), ...(end >= 0 && { to: end }) };
}

/** What somebody types into the one box: the number of an entry, or the token of a study or patient. */
export function typedPlace(text: string): Pick<LogView, "entry" | "study"> | undefined {
  const plain = text.replaceAll(/[\s,.]/g, "");
  if (/^\d{1,15}$/.test(plain)) return { entry: Number(plain) };
  return /^[0-9a-f]{32}$/i.test(plain) ? { study: plain.toLowerCase() } : undefined;
}
