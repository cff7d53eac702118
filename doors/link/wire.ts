import type { Duplex } from "node:stream";
import type { Clock, Timer } from "#base/clock";
import { asProblem, Problem } from "#base/problem";
import { createFrameReader } from "./frame-reader.ts";
import { encodeFrame, type Frame } from "./frames.ts";

/** A connection that is authenticated and encrypted: a `tls.TLSSocket`, or one end of a `duplexPair` in a test. */
export type Connection = Duplex & { setNoDelay?(on: boolean): unknown };

export interface WireUser {
  /** What it throws ends the wire. */
  frame(frame: Frame): void;
  /** Once; nothing comes after it. Without a problem when the other end closed between two frames of its own will. */
  gone(problem: Problem | undefined): void;
}

/** One stream of a session: frames, signs of life, and its end noticed. */
export interface Wire {
  send(frame: Frame): void;
  /** Whether what is sent may still arrive. */
  isOpen(): boolean;
  /** Sends what was handed over, then closes: soon, also where the other end takes nothing or says nothing. */
  end(): void;
  /** Closes now. `gone` is told. */
  destroy(problem?: Problem): void;
}

/** An end that has nothing to say says so this often. */
const aliveEveryMs = 5_000;
/** Nothing was heard for so long: the other end is taken for dead. */
const deadAfterMs = 20_000;
/** What was handed over before the end has so long to go. */
const endMsMax = 2_000;
/** While so much of what we say is not taken, no more is heard: the other end cannot make us keep answers without end. */
const unsentBytesMax = 8 * 2 ** 20;

export function openWire(connection: Connection, clock: Clock, user: WireUser): Wire {
  let isGone = false;
  let isEnding = false;
  let heardAt = clock.monotonicMs();
  let saidAt = heardAt;
  let timer: Timer;

  const close = (problem: Problem | undefined): void => {
    if (isGone) return;
    isGone = true;
    timer.stop();
    connection.destroy();
    user.gone(problem);
  };
  const send = (frame: Frame): void => {
    if (isGone || isEnding) return;
    saidAt = clock.monotonicMs();
    const parts = encodeFrame(frame);
    if (parts.length > 1) connection.cork();
    for (const part of parts) connection.write(part);
    if (parts.length > 1) connection.uncork();
    if (connection.writableLength > unsentBytesMax) connection.pause();
  };
  const tick = (): void => {
    timer = clock.after(aliveEveryMs, tick);
    const now = clock.monotonicMs();
    if (now - heardAt >= deadAfterMs) close(silent());
    else if (now - saidAt >= aliveEveryMs) send({ type: "alive" });
  };
  const reader = createFrameReader((frame) => {
    if (!isGone) user.frame(frame);
  });

  timer = clock.after(aliveEveryMs, tick);
  connection.setNoDelay?.(true);
  connection.on("data", (chunk: Uint8Array) => {
    heardAt = clock.monotonicMs();
    try {
      reader.read(chunk);
    } catch (error) {
      close(asProblem(error, "reading from the link"));
    }
  });
  connection.on("drain", () => connection.resume());
  connection.on("end", () => close(undefined));
  connection.on("close", () => close(undefined));
  connection.on("error", (cause: unknown) => close(broken(cause)));
  return {
    send,
    isOpen: () => !isGone && !isEnding,
    end() {
      if (isGone || isEnding) return;
      isEnding = true;
      connection.end();
      timer.stop();
      timer = clock.after(endMsMax, () => close(undefined));
    },
    destroy: close,
  };
}

const silent = () =>
  new Problem("unavailable", `nothing was heard on the link for ${deadAfterMs / 1000} seconds`, {
    remedy: "look at the network between the device and the cloud; the link is opened again by itself",
  });

const broken = (cause: unknown) =>
  new Problem("unavailable", "a connection of the link broke", {
    remedy: "nothing, if it does not go on: the link is opened again by itself",
    cause,
  });
