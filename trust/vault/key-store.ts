/** A study's data key as it rests: opened only by the tenant's image key. */
export interface WrappedStudyKey {
  /** 32 hex digits. */
  readonly studyToken: string;
  /** At most 72 bytes. */
  readonly wrappedKey: Buffer;
}

/**
 * Port: where wrapped study keys rest, apart from index and packs and never copied into either: the wrapped key is the only copy,
 * and a study whose key is deleted is shredded.
 */
export interface KeyStore {
  /** By the keyed digest (32 bytes) of the Study Instance UID. */
  get(digest: Uint8Array): Promise<WrappedStudyKey | undefined>;
  byToken(studyToken: string): Promise<WrappedStudyKey | undefined>;
  /** Keeps the key unless there is one for this digest; resolves with the one that stands, once it is on stable storage. */
  putIfAbsent(digest: Uint8Array, key: WrappedStudyKey): Promise<WrappedStudyKey>;
  /** Overwrites the wrapped key where it rests; resolves when that is on stable storage. False when there was none. */
  delete(studyToken: string): Promise<boolean>;
  /**
   * Puts another wrapping of the same key in the place of the one that stands; a crash leaves the one or the other. Resolves when it is on
   * stable storage and nothing of the old one is left. False, with nothing done, when there is no key, or the one that stands is
   * not `standing`, where that is given.
   */
  replace(studyToken: string, wrappedKey: Buffer, standing?: Buffer): Promise<boolean>;
  /**
   * Every key that stands when it is asked for, those included that are being put at that moment. One that is replaced while they are
   * walked through comes once, as it was or as it is; one that is deleted may come or not.
   */
  all(): AsyncIterable<WrappedStudyKey>;
  /** How many keys it holds. */
  count(): number;
  close(): Promise<void>;
}

export const wrappedKeyBytesMax = 72;
