import type { IdentityValues, SealedIdentity } from "./identity.ts";
import type { OpenedObject, SealedPlace, Vault } from "./vault.ts";

/** Opens what identifies. Held by `reveal.ts` alone: tools/tidy lets no other file import this one but the maker of vaults. */
export interface IdentityOpening {
  /** Problem "absent" when the study was shredded, "damaged" when it does not prove. */
  row(identity: SealedIdentity): Promise<IdentityValues>;
  object(place: SealedPlace): Promise<OpenedObject>;
}

const openings = new WeakMap<Vault, IdentityOpening>();

export function keepIdentityOpening(vault: Vault, opening: IdentityOpening): void {
  openings.set(vault, opening);
}

export function identityOpeningOf(vault: Vault): IdentityOpening {
  const opening = openings.get(vault);
  if (opening === undefined) throw new TypeError("not a vault made by createVault");
  return opening;
}
