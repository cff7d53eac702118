import { Problem } from "#base/problem";
import { type Actor, covers, type Policy, type StudyFacts } from "#trust/access";
import type { EventReport } from "./event-reports.ts";

/** Somebody who listens for a subscriber. */
export interface Listener {
  send(report: EventReport): void;
  end(): void;
}

export interface Listening {
  /** Whether the listener still may; one that may not is ended. */
  check(): boolean;
  stop(): void;
}

export interface Channels {
  /** Problem `busy` when too many listen, for this subscriber or at all. */
  open(actor: Actor, ae: string, listener: Listener): Listening;
  /** Tells who listens for these subscribers; each hears of what it may see at this moment. No facts: what is said to everybody. */
  tell(aes: readonly string[], reports: readonly EventReport[], facts: StudyFacts | undefined): void;
}

const listenersMax = 512;
const listenersOfOneMax = 8;

/** Where event reports go while somebody listens. What nobody listens for is not kept (PS3.4 §CC.2.4.3). */
export function createChannels(policy: Pick<Policy, "decide">): Channels {
  const byAe = new Map<string, Set<{ readonly actor: Actor; readonly listener: Listener; end(): void }>>();
  let count = 0;
  const decide = (actor: Actor) => policy.decide(actor, "work-item.read");

  return {
    open(actor, ae, listener) {
      const listening = byAe.get(ae) ?? new Set();
      if (count >= listenersMax || listening.size >= listenersOfOneMax) {
        throw new Problem("busy", "too many listen for work items", { remedy: "close a connection first" });
      }
      const stop = () => {
        if (!listening.delete(one)) return;
        count--;
        if (listening.size === 0 && byAe.get(ae) === listening) byAe.delete(ae);
      };
      const end = () => {
        stop();
        listener.end();
      };
      const one = { actor, listener, end };
      byAe.set(ae, listening.add(one));
      count++;
      const check = () => {
        const { isAllowed } = decide(actor);
        if (!isAllowed) end();
        return isAllowed;
      };
      return { check, stop };
    },
    tell(aes, reports, facts) {
      for (const ae of aes) {
        for (const { actor, listener, end } of [...(byAe.get(ae) ?? [])]) {
          const decision = decide(actor);
          if (!decision.isAllowed) end();
          else if (facts === undefined || covers(decision.reach, facts))
            for (const report of reports) listener.send(report);
        }
      }
    },
  };
}
