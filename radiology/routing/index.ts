export type { Batch, Closing } from "./batches.ts";
export type { Changed, Outgoing } from "./changing.ts";
export type { Decision, RoutingFacts } from "./decide.ts";
export { decide } from "./decide.ts";
export type { Forward, Routing, RoutingActs, RoutingParts } from "./routing.ts";
export { createRouting } from "./routing.ts";
export type { Changes } from "./rule.ts";
