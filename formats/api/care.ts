/** What goes on with stored objects in the background. */
export interface CareView {
  readonly scrub: ScrubView;
  /** Null where no second place is configured. */
  readonly replica: {
    /** Acknowledged, and not there yet. */
    readonly laggingBytes: number;
    /** Since when; null while it keeps step. */
    readonly since: number | null;
    /** Packs that it holds and the first place does not. */
    readonly strangePacks: number;
  } | null;
  /** So far the wall clock is ahead of the time that retention goes by; null: nothing is deleted until the clock is confirmed. */
  readonly clockBehindMs: number | null;
  /** Studies under legal hold. */
  readonly holds: number;
}

export interface ScrubView {
  readonly state: "running" | "paused" | "resting" | "stopped" | "off";
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly lastFullPass: {
    readonly startedAt: number;
    readonly endedAt: number;
    readonly objects: number;
    readonly bytes: number;
    readonly repaired: number;
  } | null;
  /** Ranges that do not prove, and that no replica could mend. */
  readonly damaged: number;
}

export interface ScrubRequest {
  readonly to: "pause" | "resume" | "begin";
}

export interface HoldRequest {
  /** The study's token. */
  readonly study: string;
  readonly release: boolean;
}

export interface HoldView {
  readonly study: string;
  readonly since: number;
}

export interface ClockView {
  /** By how much the time that retention goes by was behind; null when it was not known. */
  readonly behindMs: number | null;
}

export interface CompactionView {
  readonly packs: number;
  readonly objects: number;
  readonly freedBytes: number;
  /** Packs that hold something damaged, and stay as they are. */
  readonly damagedPacks: number;
}

export interface ConflictRequest {
  /** Id of the copy. */
  readonly instance: string;
}
