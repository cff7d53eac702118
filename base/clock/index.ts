export type { Clock, Timer } from "./clock.ts";
export { systemClock } from "./clock.ts";
export type { VirtualClock } from "./virtual-clock.ts";
export { createVirtualClock } from "./virtual-clock.ts";
