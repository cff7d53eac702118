/*
 * HL7 messages that come and go: `/api/partners` and `/api/messages`. A partner is a device that takes messages: one that may `results` or `status`, at
 * its port.
 *
 * | route | body → answer |
 * |---|---|
 * | GET    /api/partners              | → PartnerView[] |
 * | PUT    /api/partners/:device      | PartnerTerms → PartnerView |
 * | POST   /api/partners/:device/pause  | → PartnerView: nothing is sent to it until it is resumed |
 * | POST   /api/partners/:device/resume | → PartnerView: what waits is sent now |
 * | GET    /api/messages              | ?partner= &direction= &state= &kind= &from= &until= &before= &limit= → MessagePage, newest first |
 * | GET    /api/messages/:id          | → MessageDetail |
 * | POST   /api/messages/:id/replay   | → MessageView of the new one: sent again under its control ID, or processed again as it came |
 * | DELETE /api/messages/:id          | → MessageView: one that waits is not sent |
 */

/** How a partner is written to. */
export interface PartnerTerms {
  /** MSH-5 and MSH-6: whom it is to; of the device's title where nothing was said. */
  readonly application: string;
  readonly facility: string;
  /** MSH-3 and MSH-4: who it is from. */
  readonly ownApplication: string;
  readonly ownFacility: string;
  /** Term of MSH-18. */
  readonly characterSet: string;
  /** Whether it answers what it did with a message, or that it has taken it. */
  readonly acknowledgment: "original" | "enhanced";
}

/** Terms of MSH-18 that a partner can be written to in. */
export const partnerCharacterSets = [
  "UNICODE UTF-8",
  ...["8859/1", "8859/2", "8859/3", "8859/4", "8859/5", "8859/6", "8859/7", "8859/8", "8859/9", "8859/15"],
  "ISO IR87",
] as const;

export interface PartnerView extends PartnerTerms {
  readonly device: { readonly id: string; readonly ae: string };
  readonly takes: readonly ("results" | "status")[];
  readonly isPaused: boolean;
  /** Messages that are not sent yet. */
  readonly waiting: number;
  /** When the oldest of them was queued. */
  readonly oldestAt?: number;
  /** When something was last taken, since the server started. */
  readonly sentAt?: number;
  /** Why the last attempt failed, and when the next one comes. */
  readonly problem?: string;
  readonly nextAt?: number;
}

export const messageStates = ["waiting", "sent", "failed", "cancelled", "accepted", "error", "rejected"] as const;
/**
 * Of one that goes out: `waiting`, `sent` when it was taken, `failed` when it was set aside, `cancelled`. Of one that came in what it was answered:
 * `accepted`, `error`, `rejected`.
 */
export type MessageState = (typeof messageStates)[number];

export interface MessageView {
  readonly id: string;
  readonly direction: "in" | "out";
  /** Its title is "" when it is not registered any more. */
  readonly partner: { readonly id: string; readonly ae: string };
  /** MSH-9: `ORU^R01`. */
  readonly kind: string;
  readonly controlId: string;
  readonly state: MessageState;
  /** When it came, or was queued. */
  readonly at: number;
  readonly changedAt: number;
  /** How often it was answered. */
  readonly attempts: number;
  /** Why not, where it was not taken. */
  readonly problem?: string;
  /** The message that it repeats. */
  readonly replayOf?: string;
}

export interface MessagePage {
  readonly messages: readonly MessageView[];
  /** There are older ones: ask with `before` the last of these. */
  readonly isMore: boolean;
}

export interface MessageDetail extends MessageView {
  /** As it came or goes, base64; `#formats/hl7` reads it. */
  readonly bytes: string;
  /** Its end is missing here: it was longer than is kept. */
  readonly isCut: boolean;
  /** What was answered, each time. */
  readonly answers: readonly string[];
}
