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
  /** How many keys it holds. */
  count(): number;
  close(): Promise<void>;
}

export const wrappedKeyBytesMax = 72;
