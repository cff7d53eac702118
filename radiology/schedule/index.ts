export type { OrderChange, OrderRef, StepPatient } from "./amendments.ts";
export { itemsOf, key, keyOf, stepOf, textAt, textsAt, textsOf } from "./attributes.ts";
export { allAreKeys, type ItemQuery, itemQuery, type KnownKeys } from "./item-query.ts";
export type { OrderTurn, TellOrders } from "./order-turns.ts";
export type { PerformedSteps } from "./performed.ts";
export type { WithAttributeFault } from "./performed-attributes.ts";
export type { AnnouncedStep, FoundStep, Schedule, ScheduleParts } from "./schedule.ts";
export { createSchedule } from "./schedule.ts";
