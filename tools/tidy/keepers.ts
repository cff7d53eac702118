/** Something that only a few files may get at, so that the ways to it can be read in one sitting. */
export interface Keeper {
  /** A file that no other may import, or a method or property that no other may name. */
  readonly file?: string;
  readonly member?: string;
  /** Starts of paths. */
  readonly by: readonly string[];
  readonly reason: string;
}

/** The ways to what identifies: `reveal` for people, the blind index for itself. */
export const keepers: readonly Keeper[] = [
  {
    file: "trust/vault/identity-opening.ts",
    by: ["trust/vault/reveal.ts", "trust/vault/create-vault.ts"],
    reason: "identity is opened by reveal alone",
  },
  {
    file: "trust/vault/index-box.ts",
    by: ["trust/vault/create-vault.ts"],
    reason: "the index gets its box from the vault",
  },
  {
    file: "trust/vault/identity-keys.ts",
    by: ["trust/vault/create-vault.ts", "trust/vault/index-box.ts"],
    reason: "keys of identity are used by the vault and the index's box alone",
  },
  {
    member: "examine",
    by: ["radiology/archive/blind-", "trust/vault/index-box.ts"],
    reason: "the blind index looks at identity to verify what it found, and hands none of it on",
  },
  {
    member: "amend",
    by: ["radiology/archive/blind-", "trust/vault/index-box.ts"],
    reason: "the blind index changes identity that it keeps, and hands none of it on",
  },
  {
    member: "indexBox",
    by: ["apps/server/house.ts", "trust/vault/create-vault.ts"],
    reason: "the box is given to the blind index and nobody else",
  },
];
