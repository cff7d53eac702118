export type { BackupBox } from "./backup-box.ts";
export { backupKeyBytes, backupKeyPurpose, createBackupBox } from "./backup-box.ts";
export type { Breaker, StoppedActor } from "./breaker.ts";
export type { HalfStores } from "./create-vault.ts";
export { createVault } from "./create-vault.ts";
export { crockford } from "./crockford.ts";
export type { Half } from "./format.ts";
export type { HeldShelf, HeldShelfParts, HeldValue } from "./held-shelf.ts";
export { openHeldShelf } from "./held-shelf.ts";
export type { Correction, IdentityValues, IndexBox, SealedIdentity } from "./identity.ts";
export type { KeyRotation, Rotated, TellRotation } from "./key-rotation.ts";
export { createKeyRotation } from "./key-rotation.ts";
export type { KeyStore, WrappedStudyKey } from "./key-store.ts";
export { wrappedKeyBytesMax } from "./key-store.ts";
export type { Keyring, TenantKeys } from "./keyring.ts";
export { createKeyring, openKeyring, recoverKeyring } from "./keyring.ts";
export type { Argon2Cost } from "./passphrase.ts";
export { createPassphrase, passphraseRoot } from "./passphrase.ts";
export { aead, hmac, joined, keyOf, openMessage, sealMessage } from "./primitives.ts";
export type { RecordChange, RecordRow, RecordStore } from "./record-store.ts";
export type { Kept, Records, Shelf } from "./records.ts";
export { createRecords } from "./records.ts";
export type { Purpose, Reveal, Revealed, RevealParts, SealedHalf } from "./reveal.ts";
export { createReveal } from "./reveal.ts";
export type { RootKey, RootKeySettings, RootKeySource } from "./root-key.ts";
export { anotherKind } from "./root-key.ts";
export type { PackTail, ReadAt, ScanRange, VoidRange } from "./scan.ts";
export { findTail, headerInNewPack, rangeAt, scanObjects } from "./scan.ts";
export type {
  Compacted,
  Compacting,
  FoundObject,
  Gap,
  ObjectMove,
  ObjectWriter,
  PackRange,
  PackState,
  Replica,
  ReplicaStatus,
  SealedObjects,
} from "./sealed-objects.ts";
export type {
  CheckProgress,
  Damage,
  OpenedImage,
  OpenedObject,
  RecoveredObject,
  Sealed,
  SealedPlace,
  SealedUnder,
  Sealing,
  Shredded,
  Vault,
  WholeObject,
} from "./vault.ts";
export type { Patches, WholeAnswer, WholeDone, WholeOpener, WholeTask } from "./whole.ts";
export { openWholeTask } from "./whole.ts";
