import type { Clock, Timer } from "#base/clock";
import type { KeptJson } from "#base/io";
import type { Log } from "#base/log";
import { asProblem, type Problem } from "#base/problem";
import type { AuditLog } from "#trust/audit";
import { type AuditSource, auditMessages, eventOf } from "./audit-message.ts";
import { type Collector, connectCollector, type Link } from "./collector.ts";
import { frameOf, type SyslogNames } from "./frame.ts";

export interface SyslogParts {
  readonly audit: Pick<AuditLog, "size" | "entries">;
  readonly collector: Collector;
  readonly source: AuditSource;
  readonly names: SyslogNames;
  /** Where the position is kept over restarts. */
  readonly kept: KeptJson;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SyslogState {
  /** The collector has all entries before this one. */
  readonly position: number;
  readonly behind: number;
  /** Why it is not getting on; absent once it is. */
  readonly error?: { readonly since: number; readonly message: string; readonly remedy?: string };
}

export interface SyslogSender {
  state(): SyslogState;
  /** Lets what is under way come to its end, for some seconds. */
  close(): Promise<void>;
}

const lookEveryMs = 250;
const entriesAtOnce = 200;
/** A connection is closed after so much, which is how the collector confirms that it has read everything. */
const unconfirmedMessagesMax = 5_000;
const unconfirmedMsMax = 10_000;
/** Or when nothing new has come for so long. */
const idleMsMax = 2_000;
const firstRetryMs = 1_000;
const lastRetryMs = 60_000;

/**
 * Sends each entry of the log to the collector, in order, at least once: what the collector has not confirmed is sent again, after
 * a broken connection as after a restart. It reads the log as fast as the collector takes it and holds a few hundred entries at most.
 */
export function startSyslogSender(parts: SyslogParts): SyslogSender {
  const { audit, clock, log, kept } = parts;
  const pause = createPause(clock);
  let position = 0;
  let error: SyslogState["error"];
  let link: Link | undefined;

  const begin = async (): Promise<void> => {
    position = await loadPosition(parts);
    for (let retryMs = firstRetryMs; !pause.isOver(); ) {
      if (audit.size() <= position) {
        await pause.for(lookEveryMs);
        continue;
      }
      try {
        await run();
        retryMs = firstRetryMs;
      } catch (thrown) {
        note(asProblem(thrown, "sending the audit log to the collector"));
        await pause.for(retryMs);
        retryMs = Math.min(2 * retryMs, lastRetryMs);
      } finally {
        link?.abandon();
        link = undefined;
      }
    }
  };
  /** One connection's worth. */
  const run = async (): Promise<void> => {
    link = await connectCollector(parts.collector, clock);
    const sent = await sendFrom(position, link, parts, pause);
    await link.finish();
    position = sent;
    error = undefined;
    await kept.save({ log: parts.source.log, position });
  };
  const note = (problem: Problem): void => {
    const { message, remedy } = problem;
    if (error?.message !== message) log.warn(`syslog: ${message}`, { behind: audit.size() - position }, problem);
    const since = error?.message === message ? error.since : clock.now();
    error = { since, message, ...(remedy !== undefined && { remedy }) };
  };

  const running = begin();
  return {
    state: () => ({ position, behind: Math.max(0, audit.size() - position), ...(error && { error }) }),
    async close() {
      pause.end();
      const timer = clock.after(closeMsMax, () => link?.abandon());
      await running;
      timer.stop();
    },
  };
}

const closeMsMax = 3_000;

/** Another log's position, or one that cannot be read, counts for nothing: the collector gets the log from its beginning. */
async function loadPosition({ kept, source, audit, log }: SyslogParts): Promise<number> {
  const found = await kept.load().catch((error: unknown) => {
    log.warn("syslog: the kept position cannot be read; the log is sent from its beginning", {}, error);
  });
  const { log: ofLog, position } = (found ?? {}) as { readonly log?: unknown; readonly position?: unknown };
  if (ofLog !== source.log || typeof position !== "number" || !Number.isSafeInteger(position) || position < 0) return 0;
  // The log was restored from an older backup.
  return Math.min(position, audit.size());
}

/** Sends until there is nothing new, or enough for one connection. Gives where it stopped. */
async function sendFrom(position: number, link: Link, parts: SyslogParts, pause: Pause): Promise<number> {
  const { audit, clock, source, names } = parts;
  const begun = clock.monotonicMs();
  let idleSince = begun;
  let messages = 0;
  let at = position;
  while (!pause.isOver() && messages < unconfirmedMessagesMax && clock.monotonicMs() - begun < unconfirmedMsMax) {
    const end = Math.min(audit.size(), at + entriesAtOnce);
    if (end <= at) {
      if (clock.monotonicMs() - idleSince >= idleMsMax) break;
      await pause.for(lookEveryMs);
      continue;
    }
    for (const entry of await audit.entries(at, end)) {
      const event = eventOf(entry, at);
      for (const message of auditMessages(event, source)) {
        await link.send(frameOf(message, event, names));
        messages++;
      }
      at++;
    }
    idleSince = clock.monotonicMs();
  }
  return at;
}

interface Pause {
  for(ms: number): Promise<void>;
  /** Ends this pause and all that would follow. */
  end(): void;
  isOver(): boolean;
}

function createPause(clock: Clock): Pause {
  let isOver = false;
  let wake: () => void = () => {};
  return {
    for: (ms) =>
      new Promise((resolve) => {
        if (isOver) return resolve();
        const timer: Timer = clock.after(ms, resolve);
        wake = () => {
          timer.stop();
          resolve();
        };
      }),
    end() {
      isOver = true;
      wake();
    },
    isOver: () => isOver,
  };
}
