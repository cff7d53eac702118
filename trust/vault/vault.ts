import type { Half } from "./format.ts";
import type { IndexBox } from "./identity.ts";
import type { ReadAt } from "./scan.ts";
import type { FoundObject } from "./sealed-objects.ts";
import type { Patches } from "./whole.ts";

/** Where a sealed object rests: its pack and the position of its footer there. Says nothing about what it is. */
export interface SealedPlace {
  readonly pack: string;
  readonly offset: number;
}

/** Which key an object is sealed under, and what is bound into it. */
export interface SealedUnder {
  /** Random token of the study; the study's keys are kept under it. */
  readonly studyToken: string;
  /** Which store it goes to, under which of the study's two keys. */
  readonly half: Half;
}

/** An object that is on stable storage. */
export interface Sealed {
  readonly place: SealedPlace;
  readonly endPosition: number;
  readonly sizeBytes: number;
}

/** One object on its way into the vault. Exactly one of `finish` (or `end` and `commit`) and `abort` ends it. */
export interface Sealing {
  /** Random token of the object (32 hex digits). */
  readonly id: string;
  /**
   * Takes the next bytes. They are copied or used up before it returns, so the caller may reuse its buffer at once.
   * Returns a promise when the caller should wait before sending more.
   */
  write(bytes: Uint8Array): void | Promise<void>;
  /**
   * Ends the object with a record that recovery will find without opening the object (sealed too, up to 1 MiB). Resolves with
   * the place where it will rest: nothing is on stable storage yet. After a rejection nothing of it will be found.
   */
  end(record: Uint8Array): Promise<SealedPlace>;
  /**
   * Resolves when object and record are on stable storage. Many callers share one sync. After a rejection nothing of the
   * object will ever be found again.
   */
  commit(): Promise<Sealed>;
  /** `end` and `commit`. */
  finish(record: Uint8Array): Promise<Sealed>;
  abort(): Promise<void>;
}

export interface OpenedObject {
  readonly id: string;
  readonly studyToken: string;
  readonly sizeBytes: number;
  /** Bytes `from` (inclusive) to `to` (exclusive), verified; only the segments that hold them are opened. */
  read(from: number, to: number): Promise<Buffer>;
  /** The same in pieces, for what does not fit in memory. */
  stream(from?: number, to?: number): AsyncIterable<Buffer>;
}

/** An image half. */
export interface OpenedImage extends OpenedObject {
  /**
   * All of it at once, with other bytes in the places of some, and the hash of what it then is: by a thread of its own. Undefined
   * where it is too long to be held, was read from already, or no thread is free: it is streamed then.
   */
  patched(patches: Patches, hashFrom: number): Promise<WholeObject> | undefined;
}

export interface WholeObject {
  readonly pieces: readonly Buffer[];
  /** SHA-256, in hexadecimal digits. */
  readonly sha256: string;
}

/** A finished object of the identity store as recovery finds it. */
export interface RecoveredObject {
  readonly id: string;
  readonly studyToken: string;
  readonly place: SealedPlace;
  readonly endPosition: number;
  readonly sizeBytes: number;
  readonly record: Buffer;
}

/** A place where bytes at rest failed their proof. */
export interface Damage {
  readonly half: Half;
  readonly place: SealedPlace;
  readonly what: string;
}

/** What is wrong with an object that proves, by the record that stands behind it; undefined when nothing is. */
export type FaultIn = (record: Buffer) => Promise<string | undefined>;

export interface CheckProgress {
  readonly objects: number;
  /** Of these could not be opened, as their keys are not there: shredded, or the key was lost. */
  readonly withoutKey: number;
  readonly bytes: number;
  readonly bytesTotal: number;
}

/** What was shredded: nothing sealed under these tokens opens again, wherever a copy of it lies. */
export interface Shredded {
  readonly studyTokens: readonly string[];
  readonly patientToken?: string;
}

/** Problem "damaged" for what was changed, or sealed for another purpose or tenant. */
export interface Secrets {
  seal(purpose: string, secret: Uint8Array): Buffer;
  open(purpose: string, sealed: Uint8Array): Buffer;
}

export interface Vault {
  /**
   * The token of a study, made with its keys (durable before it resolves) when the study is new. `patient` is any text that stands
   * for its patient; without one the study counts as a patient's only.
   */
  studyToken(studyUid: string, patient?: string): Promise<string>;
  seal(under: SealedUnder): Sealing;
  /** Takes back an object that nobody was told of: it will not be found again. Durable when it resolves. */
  withdraw(half: Half, place: SealedPlace): Promise<void>;
  /** Resolves when each commit that was under way has ended, well or not: two halves that were committed side by side stand together. */
  settled(): Promise<void>;
  /**
   * Opens an image half: pixels and technical header, nothing that identifies. Identity halves are opened by `reveal` alone.
   * Rejects with Problem "damaged" when header or key commitment do not prove, or another object than `id` (its token, where it is
   * known) lies there, "absent" when nothing is there. Who will read all of it says how long it is.
   */
  open(place: SealedPlace, id?: string, sizeBytes?: number): Promise<OpenedImage>;
  /** The token of the image half that stands at a place; undefined when none does, or it does not prove. */
  imageAt(place: SealedPlace): Promise<string | undefined>;
  /** Finished objects of the identity store behind `from` (a position in each pack; all packs not named from their start). */
  recover(from: ReadonlyMap<string, number>): AsyncIterable<RecoveredObject>;
  /** Every image half as its framing shows it, to find those that were moved. */
  images(): AsyncIterable<{ readonly id: string; readonly place: SealedPlace }>;
  /**
   * Opens every segment of every object of both stores and reports damage; `seen` is called with progress. `faultIn` says what else is
   * wrong with an object of the identity store, by its record.
   */
  check(seen?: (progress: CheckProgress) => void, faultIn?: FaultIn): AsyncIterable<Damage>;
  /**
   * Whether every byte of one object proves; what is wrong with it otherwise. `readAt` reads its pack in another place (a replica),
   * or slowly; `faultIn` is asked as by `check`.
   */
  prove(
    half: Half,
    found: Pick<FoundObject, "pack" | "offset">,
    readAt?: ReadAt,
    faultIn?: FaultIn,
  ): Promise<string | undefined>;
  /** Deletes the keys of studies, and of a patient: durable when it resolves. How many there were. */
  shred(what: Shredded): Promise<number>;
  /** The token of the patient under whose key a study's identity lies. */
  patientOf(studyToken: string): Promise<string | undefined>;
  /** Puts a study's identity under another patient's key (a merge, a study that was moved). */
  moveIdentity(studyToken: string, patient: string): Promise<void>;
  /** Forgets opened keys of one study or patient, or all, after they were wrapped anew. */
  forgetKeys(token?: string): void;
  /** What the blind index may do. */
  readonly indexBox: IndexBox;
  /** Small secrets (a TOTP seed, a signing key) under the tenant's key, each bound to its purpose. */
  readonly secrets: Secrets;
  /** Bytes that only this tenant's keyring gives, the same at every start: a seed, a key of another part. HKDF, one purpose one result. */
  derive(purpose: string, bytes: number): Buffer;
  /** Finishes what was begun, closes files, wipes keys from memory. */
  close(): Promise<void>;
}
