export type { Listener, Listening } from "./channels.ts";
export type { EventReport } from "./event-reports.ts";
export type { Lock, WithGone } from "./held-work-items.ts";
export { allItems, filteredItems } from "./subscriptions.ts";
export { type Outcome, outcomeOf, type StateAction, type WithUpsStatus } from "./transitions.ts";
export type { FoundWorkItems, WorkItemQuery, WorkItems, WorkItemsParts } from "./work-items.ts";
export { createWorkItems } from "./work-items.ts";
