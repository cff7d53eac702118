/*
 * Looks in an emergency, and what somebody else has to judge afterwards.
 *
 * | route | body → answer |
 * |---|---|
 * | POST   /api/break-glass       | BreakGlassRequest → BrokenGlass; 404 as for anything absent; 403 `unproven`: show again that it is you |
 * | GET    /api/break-glass       | → BrokenGlassView[], those that hold: one's own, and all for who may review |
 * | DELETE /api/break-glass/:id   | → 204: by oneself or an administrator |
 * | GET    /api/reviews           | ?state=open|decided&before= → ReviewPage, the last noticed first |
 * | POST   /api/reviews/:id       | ReviewDecision → ReviewView (not by who is reviewed) |
 * | GET    /api/marked-patients   | → MarkedPatientView[] |
 * | POST   /api/marked-patients   | PatientMark → MarkedPatientView |
 * | DELETE /api/marked-patients/:patient | → 204 |
 * | PUT    /api/accounts/facts    | PersonFacts → 204: to notice who looks at their own family |
 */
export interface BreakGlassRequest {
  /** Exact. With its issuer, where the patient has one. */
  readonly patientId?: string;
  readonly issuer?: string;
  /** Instead. */
  readonly accessionNumber?: string;
  /** 10 to 500 characters. */
  readonly reason: string;
}

export interface BrokenGlass {
  /** Of the grant: ends it. */
  readonly id: string;
  readonly patient: string;
  readonly endsAt: number;
}

export interface BrokenGlassView extends BrokenGlass {
  readonly by: string;
  readonly isOwn: boolean;
  readonly since: number;
}

/**
 * - `break-glass`   a look in an emergency
 * - `guessing`      identifiers tried in an emergency that stood for nobody
 * - `titles`        one address tried one AE title after the other
 * - `volume`        far more studies in an hour than this person usually looks at
 * - `hours`         at hours that are not this person's
 * - `same-surname`  a patient of the family name of who looked
 * - `own-record`    who looked is the patient
 * - `vip`           a patient that an administrator marked
 */
export const reviewKinds = [
  "break-glass",
  "guessing",
  "titles",
  "volume",
  "hours",
  "same-surname",
  "own-record",
  "vip",
] as const;

export const reviewOutcomes = ["justified", "not-justified", "needs-follow-up"] as const;

export interface ReviewView {
  readonly id: string;
  readonly kind: (typeof reviewKinds)[number];
  /** Actor id, and the name that it has. */
  readonly actor: string;
  readonly actorName: string;
  /** Tokens; empty where it is about none. */
  readonly patient: string;
  readonly study: string;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly count: number;
  readonly state: "open" | "decided";
  /** What was said for a look in an emergency, the last first. */
  readonly reasons: readonly string[];
  /** Whether the caller is who is reviewed, and so may not decide. */
  readonly isOwn: boolean;
  readonly reviewer: string;
  readonly outcome: (typeof reviewOutcomes)[number] | "";
  readonly note: string;
  readonly decidedAt: number;
}

export interface ReviewPage {
  readonly reviews: readonly ReviewView[];
  /** `before` of the page that follows. */
  readonly next?: string;
}

export interface ReviewDecision {
  readonly outcome: (typeof reviewOutcomes)[number];
  /** At most 1,000 characters. */
  readonly note?: string;
}

export interface PatientMark {
  readonly patientId: string;
  readonly issuer?: string;
  /** At most 500 characters. */
  readonly reason: string;
}

export interface MarkedPatientView {
  readonly patient: string;
  readonly reason: string;
  readonly markedBy: string;
  readonly markedAt: number;
}

export interface PersonFacts {
  /** The name that the account has. */
  readonly account: string;
  /** As in a data set: Family^Given, with its ideographic and phonetic groups behind `=` where there are any; empty to forget. */
  readonly fullName: string;
  /** YYYYMMDD. */
  readonly birthDate?: string;
  /** Token of the patient that this person is. */
  readonly patient?: string;
}
