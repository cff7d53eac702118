import type { Clock } from "#base/clock";
import { asProblem, isPassing } from "#base/problem";
import type { DimseServices } from "#doors/dimse";
import type { Failures } from "./failures.ts";

/** What machines have brought today, by this machine's calendar, and in the last minute. */
export interface DeviceTally {
  /** Counts what comes in by `store`, and what of it does not. */
  counted(deviceId: string, store: DimseServices["store"]): DimseServices["store"];
  of(deviceId: string): { readonly stored: number; readonly failed: number };
  receivedPerMinute(): number;
}

const slotMs = 10_000;
const slotsOfMinute = 6;

export function createDeviceTally({
  clock,
  failures,
}: {
  readonly clock: Clock;
  readonly failures: Pick<Failures, "note">;
}): DeviceTally {
  let day = "";
  const today = new Map<string, { stored: number; failed: number }>();
  const countsOf = (deviceId: string) => {
    const now = new Date(clock.now()).toDateString();
    if (now !== day) today.clear();
    day = now;
    return today.get(deviceId) ?? { stored: 0, failed: 0 };
  };
  /** The newest last. */
  const slots: { readonly slot: number; count: number }[] = [];
  const slotNow = () => Math.floor(clock.monotonicMs() / slotMs);
  const noteReceived = (): void => {
    const slot = slotNow();
    const last = slots.at(-1);
    if (last?.slot === slot) last.count++;
    else slots.push({ slot, count: 1 });
    if (slots.length > slotsOfMinute) slots.shift();
  };
  const note = (deviceId: string, how: "stored" | "failed"): void => {
    const counts = countsOf(deviceId);
    today.set(deviceId, { ...counts, [how]: counts[how] + 1 });
    if (how === "stored") noteReceived();
  };

  return {
    counted: (deviceId, store) => (request) => {
      const failed = (error?: unknown) => {
        note(deviceId, "failed");
        // What is wrong with the instance is the machine's to mend, not this box's.
        if (error !== undefined && isPassing(asProblem(error, "storing"))) failures.note(error, "storing");
      };
      try {
        const { write, finish, abort } = store(request);
        return {
          write,
          async finish() {
            try {
              await finish();
            } catch (error) {
              failed(error);
              throw error;
            }
            note(deviceId, "stored");
          },
          abort(reason) {
            failed();
            abort(reason);
          },
        };
      } catch (error) {
        failed(error);
        throw error;
      }
    },
    of: countsOf,
    receivedPerMinute() {
      const oldest = slotNow() - slotsOfMinute;
      return slots.filter(({ slot }) => slot > oldest).reduce((sum, { count }) => sum + count, 0);
    },
  };
}
