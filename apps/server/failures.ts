import type { Clock } from "#base/clock";
import { asProblem } from "#base/problem";
import type { EdgeReport } from "#formats/api";

export type Failure = EdgeReport["error"];

/** What went wrong last, for who looks: the log has all of it. */
export interface Failures {
  /** `doing`: in words for an error that has none. */
  note(error: unknown, doing: string): void;
  last(): Failure;
}

export function createFailures(clock: Clock): Failures {
  let last: Failure = null;
  return {
    note(error, doing) {
      const { message, remedy = "" } = asProblem(error, doing);
      last = { at: clock.now(), message, remedy };
    },
    last: () => last,
  };
}
