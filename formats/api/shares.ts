/*
 * Links to a study for somebody outside.
 *
 * | route | body → answer |
 * |---|---|
 * | POST   /api/shares        | ShareRequest → MadeShare: link and code, told this once |
 * | GET    /api/shares        | ?study= → ShareView[], newest first: one's own, and those of studies in one's reach |
 * | DELETE /api/shares/:id    | → 204: sessions, streams and downloads of whoever opened it end |
 * | POST   /api/shares/open   | ShareOpening → OpenedShare, sets the cookie (anonymous) |
 * | GET    /api/shares/opened | → OpenedShare of the session that the request comes with |
 */
export const sharePurposes = ["treatment", "payment", "operations", "patient-request"] as const;

export interface ShareRequest {
  /** Token of the study. */
  readonly study: string;
  /** To look, or to take the images away too. */
  readonly mode: "view" | "download";
  /** 1 to 30. */
  readonly days: number;
  /** Who it is for, as an accounting of disclosures will name them: 1 to 200 characters. */
  readonly recipient: string;
  /** At most 500 characters. */
  readonly note?: string;
  /** What for; treatment when absent. */
  readonly purpose?: (typeof sharePurposes)[number];
}

export interface ShareView {
  readonly id: string;
  readonly study: string;
  readonly mode: "view" | "download";
  readonly purpose: string;
  readonly recipient: string;
  readonly note: string;
  /** A name, "the console" or "a removed account". */
  readonly madeBy: string;
  readonly isOwn: boolean;
  readonly madeAt: number;
  readonly endsAt: number;
  /** 0 while it holds, or when its time was over by itself. */
  readonly endedAt: number;
  readonly endedBy: string;
  readonly isLive: boolean;
  /** How often it was opened. */
  readonly uses: number;
  readonly lastUsedAt: number;
}

export interface MadeShare extends ShareView {
  /** The secret stands behind `#share=`: it goes to no server and into no log by itself. */
  readonly link: string;
  /** 8 digits, to be told another way than the link. */
  readonly code: string;
}

export interface ShareOpening {
  /** From the link, behind `#share=`. */
  readonly secret: string;
  readonly code: string;
}

export interface OpenedShare {
  readonly study: string;
  readonly mode: "view" | "download";
  /** When the session ends at the latest. */
  readonly endsAt: number;
  /** Acts. */
  readonly may: readonly string[];
}
