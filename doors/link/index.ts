export { type AllowedRate, type HourlyLimit, hourlyRates } from "./bandwidth.ts";
export type { Arrival, Arrivals, IncomingObject, Standing } from "./incoming.ts";
export type { OutgoingObject, OutgoingQueue, Urgency } from "./outgoing.ts";
export { createLinkReceiver, type EdgeLink, type LinkReceiver, type LinkReceiverParts } from "./receiver.ts";
export { type LinkSender, type LinkSenderParts, type LinkState, startLinkSender } from "./sender.ts";
export type { Connection } from "./wire.ts";
