import { type MessageState, messageStates } from "#formats/api";

/** What the address of the messages holds: ids and words of ours, nothing that a message says. */
export interface MessagesView {
  /** Id of a device. */
  readonly partner?: string;
  readonly direction?: "in" | "out";
  readonly state?: MessageState;
  readonly kind?: string;
  /** `YYYY-MM-DD`, local days, both inclusive. */
  readonly from?: string;
  readonly to?: string;
  /** The message that is open. */
  readonly message?: string;
}

const patterns = {
  partner: /^[0-9a-f]{32}$/,
  direction: /^(in|out)$/,
  state: new RegExp(`^(${messageStates.join("|")})$`),
  kind: /^[A-Z0-9]{3}\^[A-Z0-9]{3}$/,
  from: /^\d{4}-\d{2}-\d{2}$/,
  to: /^\d{4}-\d{2}-\d{2}$/,
  message: /^[0-9a-f]{32}$/,
} as const;

/** Reads an address that anyone may have typed: what is not understood is left out. */
export function messagesView(search: Record<string, unknown>): MessagesView {
  const held = Object.entries(patterns).flatMap(([name, pattern]) => {
    const value = search[name];
    return typeof value === "string" && pattern.test(value) ? [[name, value]] : [];
  });
  return Object.fromEntries(held) as MessagesView;
}

export function isFiltered({ message: _message, ...filters }: MessagesView): boolean {
  return Object.keys(filters).length > 0;
}

/** What the server is asked; days as the reader's clock has them. */
export function messagesQuestion({ message: _message, from, to, ...rest }: MessagesView): Record<string, string> {
  const start = from === undefined ? Number.NaN : new Date(`${from}T00:00`).getTime();
  const end = to === undefined ? Number.NaN : new Date(`${to}T23:59:59.999`).getTime();
  return { ...rest, ...(start >= 0 && { from: String(start) }), ...(end >= 0 && { until: String(end) }) };
}
