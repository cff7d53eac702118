import { Problem } from "#base/problem";
import type { Gate, Pass } from "#trust/access";
import type { OpenedObject } from "#trust/vault";

/**
 * Wraps how an object is opened for a pass: what was let through once is refused with Problem "denied" when it is opened, and with each
 * piece that is read of it, once the access has ended.
 */
export function liveOpening(gate: Pick<Gate, "isLive">) {
  return (pass: Pass, open: () => Promise<OpenedObject>) => {
    const check = () => {
      if (gate.isLive(pass)) return;
      throw new Problem("denied", "access has ended", { remedy: "sign in as someone who has access" });
    };
    return async (): Promise<OpenedObject> => {
      check();
      const object = await open();
      return {
        ...object,
        read(from, to) {
          check();
          return object.read(from, to);
        },
        async *stream(from, to) {
          for await (const piece of object.stream(from, to)) {
            check();
            yield piece;
          }
        },
      };
    };
  };
}
