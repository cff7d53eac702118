import { Problem } from "#base/problem";
import type { Gate, Pass } from "#trust/access";
import type { OpenedObject } from "#trust/vault";
import type { ReceivedObject } from "./held-instance.ts";

/** What a pass let through is refused from the moment on when the access has ended, with Problem "denied". */
export function liveOpening(gate: Pick<Gate, "isLive">) {
  const check = (pass: Pass) => {
    if (gate.isLive(pass)) return;
    throw new Problem("denied", "access has ended", { remedy: "sign in as someone who has access" });
  };
  const whileLive = async function* <Piece>(pass: Pass, pieces: AsyncIterable<Piece>): AsyncGenerator<Piece> {
    for await (const piece of pieces) {
      check(pass);
      yield piece;
    }
  };
  return {
    /** Checks once: who keeps the object open for others asks the gate again for them. */
    once: (pass: Pass, open: () => Promise<OpenedObject>) => () => {
      check(pass);
      return open();
    },
    /** Checks with each piece that is read. */
    throughout: (pass: Pass, open: () => Promise<ReceivedObject>) => async (): Promise<ReceivedObject> => {
      check(pass);
      const object = await open();
      return {
        ...object,
        async read(from, to) {
          check(pass);
          return object.read(from, to);
        },
        stream: (from, to) => whileLive(pass, object.stream(from, to)),
        whole(dataSetOffset) {
          check(pass);
          return object.whole(dataSetOffset)?.then((whole) => {
            check(pass);
            return whole;
          });
        },
      };
    },
    whileLive,
  };
}
