import type { Clock } from "#base/clock";
import { systemRandom } from "#base/id";
import { silentLog } from "#base/log";
import type { RoutingRuleRequest } from "#formats/api";
import type { Gate } from "#trust/access";
import type { Records, Vault } from "#trust/vault";
import { createRouting } from "./index.ts";

export const machineA = "a".repeat(32);
export const machineB = "b".repeat(32);

export const keeping: RoutingRuleRequest = {
  ...{ name: "A rule", isPaused: false, when: {}, cloud: false, keep: true, machines: [] },
};

interface Given {
  readonly records: Records;
  readonly vault: Vault;
  readonly gate: Gate;
  readonly clock: Clock;
}

/** Rules of a home whose two machines take images; `hasCloud` as it is told. */
export async function openRouting({ records, vault, gate, clock }: Given, hasCloud = false) {
  const routing = await createRouting({
    ...{ records, vault, gate, clock, stamp: clock.now, random: systemRandom, log: silentLog, ownTitle: "LEADGLASS" },
    hasCloud: () => hasCloud,
    keepsForGood: () => true,
    destinations: async () => [machineA, machineB],
  });
  return { routing };
}
