export type { Damage, OpenedObject, RecoveredObject, SealedPlace, SealedUnder, Sealing, Vault } from "./vault.ts";
