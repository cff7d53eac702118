import type { Clock } from "#base/clock";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Numbers, ids and enumerated words. Never a value that came from a patient, an order or a caller's free text. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export type LogSink = (line: string) => void;

/** The operational log (not the audit log): one JSON object a line. */
export interface Log {
  debug(what: string, fields?: LogFields): void;
  info(what: string, fields?: LogFields): void;
  warn(what: string, fields?: LogFields, error?: unknown): void;
  error(what: string, fields?: LogFields, error?: unknown): void;
  /** The same log with fields that every line repeats. */
  with(fields: LogFields): Log;
}

const rank: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

export function createLog(options: { sink: LogSink; clock: Clock; level?: LogLevel; fields?: LogFields }): Log {
  const { sink, clock, level = "info", fields: bound = {} } = options;
  const write = (at: LogLevel, what: string, fields?: LogFields, error?: unknown) => {
    if (rank[at] < rank[level]) return;
    const time = new Date(clock.now()).toISOString();
    sink(JSON.stringify({ time, level: at, what, ...bound, ...fields, ...describe(error) }));
  };
  return {
    debug: (what, fields) => write("debug", what, fields),
    info: (what, fields) => write("info", what, fields),
    warn: (what, fields, error) => write("warn", what, fields, error),
    error: (what, fields, error) => write("error", what, fields, error),
    with: (fields) => createLog({ sink, clock, level, fields: { ...bound, ...fields } }),
  };
}

/** Name, code and place of an error. Not its message, which may quote the input that caused it. */
function describe(error: unknown): LogFields {
  if (error === undefined) return {};
  const deepest = (error as { cause?: unknown }).cause ?? error;
  const { name, code, stack } = deepest as { name?: string; code?: string; stack?: string };
  const frame = typeof stack === "string" ? stack.split("\n").find((line) => line.startsWith("    at ")) : undefined;
  return { error: name ?? typeof deepest, code: typeof code === "string" ? code : undefined, at: frame?.trim() };
}

export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLog,
};
