import type { SealedPlace } from "#trust/vault";
import type { IndexedInstance, IndexedStudy, PackMark } from "./study-index.ts";

/*
 * What the blind index keeps, row by row. Nothing here identifies: digests are keyed (HMAC under the tenant's index key, cut),
 * `identity` is sealed under the study's identity key, blocks under the index key. Numbers are given out by the index.
 */

export interface StudyHeld extends Omit<IndexedStudy, "identity"> {
  /** 16 bytes, unique. */
  readonly uidDigest: Uint8Array;
  readonly identity: Uint8Array;
}

export interface SeriesHeld {
  readonly id: number;
  readonly studyId: number;
  /** 16 bytes, unique in its study. */
  readonly uidDigest: Uint8Array;
  readonly identity: Uint8Array;
  readonly modality: string;
  /** By value; `absentNumber` when there is none. */
  readonly seriesNumber: number;
  readonly instanceCount: number;
  readonly changedAt: number;
  readonly blobPlace?: SealedPlace;
  /** -1 when there is no blob. */
  readonly blobInstanceCount: number;
}

/** One copy of an instance. */
export interface CopyHeld extends Omit<IndexedInstance, "id" | "seriesId" | "identity"> {
  readonly id: number;
  /** Token of the instance. */
  readonly token: string;
  /** 16 bytes. */
  readonly sopDigest: Uint8Array;
  /** Keyed digest of the data set's hash, 16 bytes: tells the same bytes from others. */
  readonly contentDigest: Uint8Array;
  readonly identity: Uint8Array;
}

/** The copy that is served; `sopDigest` is unique among them. */
export interface InstanceHeld extends CopyHeld {
  readonly studyId: number;
  readonly seriesId: number;
  readonly instanceNumber: number;
  /** A rejection note hides it, or it is one: only reads by row see it, and it counts nowhere. */
  readonly isRejected: boolean;
}

/** What the newest rejection note that names a SOP instance says of it, whether that is here yet or not. */
export interface RejectionHeld {
  /** 16 bytes, unique. */
  readonly sopDigest: Uint8Array;
  /** Token of the note. */
  readonly note: string;
  /** When the note came, epoch milliseconds. */
  readonly at: number;
  /** Why, as a code of the note's title (113001); "" where the note took a rejection back. */
  readonly code: string;
}

/** A copy that came under a SOP Instance UID that was taken; (`sopDigest`, `contentDigest`) is unique among them. */
export interface ConflictHeld extends CopyHeld {
  /** Of the served copy. */
  readonly instanceId: number;
}

/** A piece of what is kept under a name of 8 bytes: a list of study numbers under a term, a part of a sort column. */
export interface Block {
  readonly name: Uint8Array;
  /** From 0. */
  readonly serial: number;
  readonly sealed: Uint8Array;
}

export interface BlindReads {
  studies(ids: readonly number[]): Promise<StudyHeld[]>;
  studiesByDigest(uidDigests: readonly Uint8Array[]): Promise<StudyHeld[]>;
  studiesByToken(studyTokens: readonly string[]): Promise<StudyHeld[]>;
  /** With numbers above `id`, ascending. */
  studiesAfter(id: number, limit: number): Promise<StudyHeld[]>;
  /** Numbers of studies by their last change. */
  studiesByChange(options: { limit: number; offset: number; ascending: boolean }): Promise<number[]>;
  /** Of studies that show an instance. */
  studyCount(): Promise<number>;
  /** By study, then series number, then id. */
  seriesOfStudies(studyIds: readonly number[]): Promise<SeriesHeld[]>;
  seriesByDigest(uidDigests: readonly Uint8Array[]): Promise<SeriesHeld[]>;
  /** Blob missing or stale, unchanged since then, newest change first. */
  seriesWithoutBlob(unchangedSince: number, limit: number): Promise<SeriesHeld[]>;
  /** By series id, then instance number, then id. */
  instancesOfStudy(studyId: number, seriesId?: number): Promise<InstanceHeld[]>;
  instancesByDigest(sopDigests: readonly Uint8Array[]): Promise<InstanceHeld[]>;
  instances(ids: readonly number[]): Promise<InstanceHeld[]>;
  /** By served instance, then id. All, those under some digests, or those that a study's served instances have. */
  conflicts(
    of?: { readonly sopDigests: readonly Uint8Array[] } | { readonly studyId: number },
  ): Promise<ConflictHeld[]>;
  rejections(sopDigests: readonly Uint8Array[]): Promise<RejectionHeld[]>;
  /** All blocks of these names, by name and serial. */
  blocks(names: readonly Uint8Array[]): Promise<Block[]>;
  /** The last block of each of these names. */
  lastBlocks(names: readonly Uint8Array[]): Promise<Block[]>;
  marks(): Promise<PackMark[]>;
}

/** What a change writes: whole rows, taking the place of those with the same number (or name and serial). */
export interface BlindRows {
  readonly studies?: readonly StudyHeld[];
  readonly series?: readonly SeriesHeld[];
  readonly instances?: readonly InstanceHeld[];
  readonly conflicts?: readonly ConflictHeld[];
  readonly rejections?: readonly RejectionHeld[];
  readonly blocks?: readonly Block[];
  /** A mark only moves forward. */
  readonly marks?: readonly PackMark[];
}

export interface BlindChange extends BlindReads {
  put(rows: BlindRows): Promise<void>;
  /** The next free numbers. */
  next(): Promise<{ study: number; series: number; instance: number; conflict: number }>;
  /** Rows of a study and all below it. Its blocks stay: the numbers in them find nothing. */
  removeStudy(studyId: number): Promise<void>;
  removeConflicts(ids: readonly number[]): Promise<void>;
  /** Those of this name with a serial below this one. */
  removeBlocks(name: Uint8Array, below: number): Promise<void>;
  relocate(
    half: "image" | "identity",
    moves: readonly { readonly from: SealedPlace; readonly to: SealedPlace }[],
  ): Promise<void>;
  clear(): Promise<void>;
}

/**
 * Port: where the blind index rests (`LEADGLASS_IDENTITY_DATABASE`, or a database of its own in the home). One process at a time
 * changes it.
 */
export interface BlindStore extends BlindReads {
  /** One transaction after the other; reads inside see what was put. When it rejects nothing of it stands. Durable when it resolves. */
  change<T>(work: (rows: BlindChange) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
