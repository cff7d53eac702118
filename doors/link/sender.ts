import type { Clock, Timer } from "#base/clock";
import type { Random } from "#base/id";
import type { Log } from "#base/log";
import { asProblem, type Problem } from "#base/problem";
import { type AllowedRate, createBandwidth } from "./bandwidth.ts";
import { createGrowth } from "./growth.ts";
import type { OutgoingQueue } from "./outgoing.ts";
import { createSendingSession } from "./sending-session.ts";
import type { Connection } from "./wire.ts";

export interface LinkSenderParts {
  readonly queue: OutgoingQueue;
  /** Opens one more stream to the cloud: connected, encrypted, both ends proven. Rejects with a `Problem`. */
  readonly dial: () => Promise<Connection>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** What the link may use at which hour; see `hourlyRates`. */
  readonly allowedRate?: AllowedRate;
  readonly streamsMax?: number;
}

export interface LinkState {
  readonly streams: number;
  readonly objectsInHand: number;
  /** What the cloud acknowledged lately. */
  readonly bytesPerSecond: number;
  /** Why it does not get on; absent once bytes are acknowledged again. */
  readonly error?: { readonly since: number; readonly problem: Problem };
}

export interface LinkSender {
  state(): LinkState;
  /** Waits some seconds for what is on its way. What is not settled then is given by the queue to the next sender. */
  close(): Promise<void>;
}

const firstStreams = 4;
const streamsMaxUsual = 48;
/** An interval is long enough to see what a stream brings; while streams are added it is shorter, to lose no time. */
const usualInterval = { msLeast: 400, roundTrips: 8 };
const risingInterval = { msLeast: 200, roundTrips: 4 };
const firstRetryMs = 250;
const lastRetryMs = 30_000;

/** Sends what the queue holds for as long as it runs: opens streams, as many as help, and opens them again when they break. */
export function startLinkSender(parts: LinkSenderParts): LinkSender {
  const { clock, log, streamsMax = streamsMaxUsual } = parts;
  const growth = createGrowth({ first: Math.min(firstStreams, streamsMax), most: streamsMax });
  const retry = createRetry(clock, parts.random);
  let dialing = 0;
  let isClosed = false;
  let bytesPerSecond = 0;
  let error: LinkState["error"];

  const note = (problem: Problem): void => {
    if (error?.problem.message === problem.message) return;
    log.warn(`link: ${problem.message}`, { code: problem.code }, problem);
    error = { since: clock.now(), problem };
  };
  const session = createSendingSession({
    ...{ queue: parts.queue, clock, log, note, random: parts.random },
    bandwidth: createBandwidth(parts.allowedRate ?? (() => undefined), clock),
    changed(how) {
      if (how === "useful") retry.succeeded();
      // Where nothing is to be sent, being there is all that can be hoped for.
      if (how === "useful" || (how === "welcome" && session.objectsInHand() === 0)) error = undefined;
      if (how === "fewer") retry.failed();
      if (how !== "useful") ensure();
    },
  });
  const dialOne = async (): Promise<void> => {
    dialing += 1;
    try {
      const connection = await parts.dial();
      if (isClosed) connection.destroy();
      else session.join(connection);
    } catch (thrown) {
      note(asProblem(thrown, "opening the link"));
      retry.failed();
    } finally {
      dialing -= 1;
    }
    ensure();
  };
  /** Brings the number of streams to what it should be. After a failure the first shows whether the cloud is there for the others. */
  const ensure = (): void => {
    if (isClosed) return;
    const wanted = retry.hasFailed() && !session.isThrough() ? 1 : growth.streams();
    const missing = wanted - session.streams() - dialing;
    if (missing < 0) session.retire(-missing);
    for (let each = 0; each < missing; each++) {
      if (retry.waits(ensure)) return;
      void dialOne();
    }
  };
  let intervalFrom = clock.monotonicMs();
  const endInterval = (): void => {
    if (isClosed) return;
    const now = clock.monotonicMs();
    const { bytes, ...rest } = session.interval();
    bytesPerSecond = (bytes * 1000) / Math.max(1, now - intervalFrom);
    intervalFrom = now;
    growth.observe({ bytesPerSecond, ...rest, isIdle: session.objectsInHand() === 0 });
    ensure();
    awaitInterval();
  };
  const awaitInterval = (): void => {
    const { msLeast, roundTrips } = growth.isRising() ? risingInterval : usualInterval;
    clock.after(Math.max(msLeast, roundTrips * session.delayMs()), endInterval);
  };

  awaitInterval();
  ensure();
  return {
    state: () => ({
      streams: session.streams(),
      objectsInHand: session.objectsInHand(),
      bytesPerSecond,
      ...(error && { error }),
    }),
    async close() {
      isClosed = true;
      await session.leave();
    },
  };
}

interface Retry {
  succeeded(): void;
  /** What else fails before it is tried again is the same failure. */
  failed(): void;
  hasFailed(): boolean;
  /** Whether it is too early; `later` is then called when it no longer is. */
  waits(later: () => void): boolean;
}

/** Twice as long after each failure, and never all devices at once. */
function createRetry(clock: Clock, random: Random): Retry {
  let failures = 0;
  let notBefore = 0;
  let timer: Timer | undefined;
  return {
    succeeded() {
      failures = 0;
    },
    hasFailed: () => failures > 0,
    failed() {
      if (clock.monotonicMs() < notBefore) return;
      const longestMs = Math.min(lastRetryMs, firstRetryMs * 2 ** failures);
      const [share = 0] = random(new Uint8Array(1));
      notBefore = clock.monotonicMs() + longestMs * (0.5 + share / 512);
      failures = Math.min(failures + 1, 16);
    },
    waits(later) {
      const waitMs = notBefore - clock.monotonicMs();
      if (waitMs <= 0) return false;
      if (timer === undefined) {
        timer = clock.after(waitMs, () => {
          timer = undefined;
          later();
        });
      }
      return true;
    },
  };
}
