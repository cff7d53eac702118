import type { GrantTerms } from "./grant-store.ts";

/** What a group of the provider's is worth here. */
export type GroupRule = Pick<GrantTerms, "role" | "place" | "purpose"> & { readonly group: string };

/** A customer's own identity provider (OpenID Connect), whose people sign in here. */
export interface IdentityProvider {
  /** Short, in our addresses. */
  readonly id: string;
  /** What its button says. */
  readonly label: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Empty for a public client. */
  readonly clientSecretSealed: Uint8Array;
  /** Beside `openid`. */
  readonly scopes: readonly string[];
  /** The claim of the ID token that lists groups. */
  readonly groupsClaim: string;
  readonly rules: readonly GroupRule[];
  /** Values of `acr` and `amr` that stand for two factors; without one of them a passkey of ours is asked for as well. */
  readonly strongAcr: readonly string[];
  readonly strongAmr: readonly string[];
  readonly createdAt: number;
}

/** Port: identity providers, and whose accounts came from them. Every write is durable when it resolves. */
export interface IdentityProviderStore {
  /** Adds it, or changes the one of this id. */
  putIdentityProvider(provider: IdentityProvider): Promise<void>;
  /** Oldest first. */
  identityProviders(): Promise<IdentityProvider[]>;
  /** With whose accounts came from it; the accounts stay. False when there is none. */
  removeIdentityProvider(id: string): Promise<boolean>;
  /** The account that stands for somebody there. `subject` is the digest of issuer and subject, never an e-mail address. */
  accountOfSubject(subject: string): Promise<string | undefined>;
  /** The provider that an account came from. */
  providerOfAccount(accountId: string): Promise<string | undefined>;
  putSubject(subject: {
    readonly digest: string;
    readonly providerId: string;
    readonly accountId: string;
  }): Promise<void>;
}
