export type { Deliveries, DeliveriesParts, EdgeDeliveries } from "./deliveries.ts";
export { createDeliveries } from "./deliveries.ts";
export { createEdgeIntake, type EdgeRoute } from "./edge-intake.ts";
export type { MessageHead } from "./parcel-content.ts";
export type { ParcelOffice, SendingEdge } from "./parcel-office.ts";
export type { PartialParcels, PartialParcelsParts } from "./partial-parcels.ts";
export { openPartialParcels } from "./partial-parcels.ts";
export { judgeByReceipts } from "./receipt-commitment.ts";
export type {
  AsideParcel,
  ParcelNote,
  ParcelWriter,
  Spool,
  SpooledParcel,
  SpoolState,
  SubjectStanding,
  Urgency,
} from "./spool.ts";
export { putBackMsMost, urgencies } from "./spool.ts";
export type { Uplink, UplinkKeys, UplinkParts, UplinkQueue } from "./uplink.ts";
export { createUplink } from "./uplink.ts";
