// A DICOM door to attack, and the bounds of the pass rule of the attack table.
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "#base/clock";
import { createLog } from "#base/log";
import {
  createDimseDoor,
  type DimseDoorOptions,
  type DimseServices,
  type DoorEvent,
  storagePolicy,
} from "#doors/dimse";

export const mebibyte = 2 ** 20;

export const nothingStored: DimseServices = {
  echo: async () => {},
  store: () => assert.fail("nothing may be stored"),
};

/** A door on a free port that keeps what it stores, everything it logs, and every event. */
export async function door(t: TestContext, options: Partial<DimseDoorOptions> = {}) {
  const stored: Buffer[] = [];
  const events: DoorEvent[] = [];
  const logged: string[] = [];
  const services: DimseServices = {
    echo: async () => {},
    store: () => {
      const parts: Buffer[] = [];
      return {
        write: (bytes) => void parts.push(Buffer.from(bytes)),
        finish: async () => void stored.push(Buffer.concat(parts)),
        abort() {},
      };
    },
  };
  const made = createDimseDoor({
    callers: {
      admit: async ({ callingAe }) =>
        /^(CT|MR)\d+$/.test(callingAe) ? { admitted: true, services } : { admitted: false, reason: "calling-ae" },
    },
    policy: storagePolicy,
    aeTitle: "LEADGLASS",
    clock: systemClock,
    log: createLog({ sink: (line) => logged.push(line), clock: systemClock, level: "debug" }),
    on: (event) => void events.push(event),
    ...options,
  });
  const listener = await made.listen({ host: "127.0.0.1", port: 0 });
  t.after(() => listener.close(100));
  return { port: listener.port, stored, events, logged, associations: made.associations };
}

/** The longest that this thread computes without a pause, by the processor's time, so that a busy machine does not count. */
function watchComputing(): { end(): number } {
  const cpuMs = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1_000;
  };
  let [longestMs, at] = [0, cpuMs()];
  const look = () => {
    const now = cpuMs();
    longestMs = Math.max(longestMs, now - at);
    at = now;
  };
  const timer = setInterval(look, 5);
  return {
    end() {
      clearInterval(timer);
      look();
      return longestMs;
    },
  };
}

/**
 * The pass rule: no block of the event loop over 100 ms, and memory within 64 MiB and four times the input. This machine
 * is shared, so a block counts only when it shows in each of three attempts.
 */
export async function withinBounds(inputBytes: number, attack: () => Promise<void>): Promise<void> {
  let blockMs = Number.POSITIVE_INFINITY;
  const before = process.memoryUsage.rss();
  for (let attempt = 0; attempt < 3 && blockMs > 100; attempt++) {
    const watch = watchComputing();
    await attack();
    await sleep(10);
    blockMs = watch.end();
  }
  assert.ok(blockMs <= 100, `the event loop stood still for ${blockMs} ms`);
  const grown = process.memoryUsage.rss() - before;
  assert.ok(grown <= 64 * mebibyte + 4 * inputBytes, `RSS grew by ${grown}`);
}
