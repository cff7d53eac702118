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
