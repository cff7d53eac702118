import type { purposes } from "#formats/api";
import type { Role } from "./acts.ts";
import type { Place } from "./place.ts";

/** What access is used for (the HL7 purposes of use that an archive meets: TREAT, HPAYMT, HOPERAT, HRESCH, PATRQT, BTG). */
export type Purpose = (typeof purposes)[number];

/** What somebody may be given: a role, somewhere, for something, for some time. */
export interface GrantTerms {
  readonly role: Role;
  readonly place: Place;
  readonly purpose: Purpose;
  /** Epoch milliseconds; 0: until it is ended. */
  readonly endsAt: number;
}

/** What ties an actor to a place: the one thing that lets people and programs in. Kept when it has ended: who could see what, and when. */
export interface Grant extends GrantTerms {
  readonly id: string;
  /** Actor id: `user:…`, `client:…`, `share:…`. */
  readonly holder: string;
  /** Actor ids. */
  readonly givenBy: string;
  readonly givenAt: number;
  /** 0 and empty until somebody ended it. */
  readonly endedAt: number;
  readonly endedBy: string;
}

/** Port: grants. Every write is durable when it resolves. */
export interface GrantStore {
  addGrants(grants: readonly Grant[]): Promise<void>;
  /** All, the ended ones too, oldest first. */
  grants(): Promise<Grant[]>;
  /** Ends it; false, changing nothing, when there is none or it had been ended. */
  endGrant(id: string, endedAt: number, endedBy: string): Promise<boolean>;
}
