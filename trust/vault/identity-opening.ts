import type { IdentityValues, SealedIdentity } from "./identity.ts";
import type { OpenedObject, SealedPlace, Vault } from "./vault.ts";

/** Opens what identifies. Held by `reveal.ts` alone: tools/tidy lets no other file import this one but the maker of vaults. */
export interface IdentityOpening {
  /** Problem "absent" when the study was shredded, "damaged" when it does not prove. */
  row(identity: SealedIdentity): Promise<IdentityValues>;
  object(place: SealedPlace): Promise<OpenedObject>;
}

/** Only who imports this file can name the property. */
const held = Symbol("identity opening");

export function withIdentityOpening(vault: Vault, opening: IdentityOpening): Vault {
  return Object.defineProperty(vault, held, { value: opening, enumerable: false });
}

export function identityOpeningOf(vault: Vault): IdentityOpening {
  const opening = (vault as Vault & { readonly [held]?: IdentityOpening })[held];
  if (opening === undefined) throw new TypeError("not a vault made by createVault");
  return opening;
}
