import type { Problem } from "#base/problem";

/** What goes before what: STAT, then the first instance of each series so that reading can begin, then the rest. */
export const urgencies = ["stat", "first", "routine"] as const;
export type Urgency = (typeof urgencies)[number];

/** Nothing is put back for longer. A parcel whose time is further off was put back by a clock that was ahead, and is due. */
export const putBackMsMost = 10 * 60_000;

/** One parcel: a thing that was sealed to the cloud's key, and that this machine cannot open again. */
export interface SpooledParcel {
  /** 16 bytes in hexadecimal, lower case: a keyed digest of what is in it, so that the same thing has the same id. */
  readonly id: string;
  readonly length: number;
  /** Of the sealed bytes. */
  readonly sha256: Uint8Array;
}

/** What the spool is told of a parcel besides. None of it says who it is about. */
export interface ParcelNote extends SpooledParcel {
  readonly urgency: Urgency;
  /** Given only when each one in order that was put before it has gone: messages, steps of a procedure. */
  readonly inOrder: boolean;
  /** Stands for what may be asked for later, an instance (a keyed digest, 32 hexadecimal digits); undefined: nobody will ask. */
  readonly subject: string | undefined;
  /** When it came, epoch milliseconds. */
  readonly putAt: number;
}

/** A parcel on its way into the spool. Exactly one of `commit` and `abort` ends it. */
export interface ParcelWriter {
  /** The next bytes, in a row; resolves when the system has taken them, until when they must not change. A rejection ends the writer. */
  write(parts: readonly Uint8Array[]): Promise<void>;
  /**
   * Resolves when the parcel is on stable storage; those that wait at the same time share a sync. `there` when a parcel of that id waits
   * already, durably: these bytes are dropped then.
   */
  commit(note: ParcelNote): Promise<"kept" | "there">;
  /** Nothing of it will be found. Never rejects. */
  abort(): Promise<void>;
}

export type SubjectStanding =
  | { readonly state: "waiting"; readonly since: number }
  | { readonly state: "arrived"; readonly receipt: Uint8Array; readonly at: number }
  | { readonly state: "aside"; readonly since: number };

/** A parcel that the cloud refused for good. It stays until somebody decides. */
export interface AsideParcel {
  readonly id: string;
  readonly length: number;
  readonly putAt: number;
  readonly asideAt: number;
  readonly why: string;
}

export interface SpoolState {
  /** That wait, those aside not counted. */
  readonly parcels: number;
  readonly bytes: number;
  /** When the one that waits longest was put; null when none does. */
  readonly oldestAt: number | null;
  readonly aside: number;
}

/**
 * Port: the parcels that wait for the cloud, durably. A parcel is forgotten only by `settle` (or `drop`, which a person says). What memory it takes does
 * not grow with what waits. What a kill leaves: every parcel whose `commit` resolved, and none that is half; taken ones are given again.
 */
export interface Spool {
  /** Problem `no-room` before the reserve of the disk is touched. Waits while as many are being written as there are lanes. */
  begin(): Promise<ParcelWriter>;
  /** Up to `most` of this urgency, oldest first, that are not taken and whose time has come; they are taken from now on. */
  take(urgency: Urgency, most: number): Promise<readonly SpooledParcel[]>;
  /** The bytes [from, to) of a parcel that waits, exactly; 64 KiB at most. Problem `absent` for one that is gone, `damaged` for what cannot be read. */
  read(id: string, from: number, to: number): Promise<Uint8Array>;
  /** The cloud has signed for it: durably kept is the receipt, for who asks by subject, and no longer the parcel. Unknown ids change nothing. `at`: by the cloud's clock. */
  settle(id: string, receipt: Uint8Array, at: number): Promise<void>;
  /** It was not taken: it is given again, not before this time (epoch milliseconds, `putBackMsMost` from now at most). */
  putBack(id: string, notBefore: number): Promise<void>;
  /** It was refused for good: it is not given again until `again`; the order goes on without it. */
  setAside(id: string, why: Problem, at: number): Promise<void>;
  asides(most: number): Promise<readonly AsideParcel[]>;
  /** Those that are aside wait again, one or all. How many. */
  again(id?: string): Promise<number>;
  /** One that is aside is deleted: a person decided. */
  drop(id: string): Promise<void>;
  /** What became of the newest parcel with this subject; undefined when none is known. */
  standing(subject: string): Promise<SubjectStanding | undefined>;
  /** Receipts that are so much older than the newest are forgotten: the clock of this machine, which may jump, has no say. */
  forget(olderMs: number): Promise<void>;
  state(): SpoolState;
  /** Calls `listener` when there may be something to take. Gives what ends that. */
  onArrival(listener: () => void): () => void;
  close(): Promise<void>;
}
