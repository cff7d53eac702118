import { X509Certificate } from "node:crypto";
import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import { Problem } from "#base/problem";
import type { AccessStore } from "./access-store.ts";
import type { Actor } from "./acts.ts";
import type { GrantTerms } from "./grant-store.ts";
import type { Grants } from "./grants.ts";

/** A public key as JSON (RFC 7517). */
export type Jwk = Readonly<Record<string, unknown>>;

/** How a program proves who it is; `none`: it cannot keep a secret (a page, an app on a phone, an edge box before it is enrolled). */
export type ClientProof =
  | { readonly kind: "none" }
  | { readonly kind: "keys"; readonly keys: readonly Jwk[] }
  /** PEM: this certificate itself is known. */
  | { readonly kind: "certificate"; readonly certificate: string };

export interface ClientRegistration {
  readonly proof: ClientProof;
  /** Where people may be sent back to, to the letter. None: the program acts for itself. */
  readonly redirectUris: readonly string[];
  /** FAPI 2.0 Security Profile: pushed requests, tokens bound to a key. */
  readonly isFapi: boolean;
  /** Ours: people are not asked whether they want it. */
  readonly isFirstParty: boolean;
  /** May have itself let in by a person who types a code (RFC 8628). */
  readonly byCode: boolean;
}

export interface OauthClient extends ClientRegistration {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
}

export interface NewOauthClient extends ClientRegistration {
  readonly name: string;
  /** What it may do by itself. */
  readonly grants: readonly GrantTerms[];
}

/** The programs that may ask for tokens. All are in memory. */
export interface OauthClients {
  /** Problem `invalid` for a registration that cannot be, `conflict` when the name is taken. */
  add(client: NewOauthClient, by: Actor): Promise<OauthClient>;
  list(): OauthClient[];
  get(id: string): OauthClient | undefined;
  /** Its grants, tokens and sessions end with it. Problem `absent` when there is none. */
  remove(id: string, by: Actor): Promise<void>;
  /** Tells which one was removed. Returns how to stop. */
  watchRemoved(listener: (id: string) => Promise<void>): () => void;
}

export interface OauthClientParts {
  readonly store: AccessStore;
  readonly grants: Pick<Grants, "give" | "endAllOf">;
  readonly clock: Clock;
  readonly random: Random;
}

const redirectUrisMax = 20;

export async function createOauthClients({ store, grants, clock, random }: OauthClientParts): Promise<OauthClients> {
  const held = new Map<string, OauthClient>();
  const listeners = new Set<(id: string) => Promise<void>>();
  const registrations = new Map((await store.oauthClients()).map((one) => [one.clientId, one.registration]));
  for (const client of await store.clients()) {
    const registration = registrations.get(client.id);
    if (registration !== undefined)
      held.set(client.id, { ...client, ...(JSON.parse(registration) as ClientRegistration) });
  }
  return {
    async add({ name, grants: terms, ...registration }, by) {
      if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) {
        throw new Problem("invalid", "a client's name is 1 to 64 letters, digits, '.', '_' or '-'");
      }
      requireRegistration(registration, terms);
      const id = newToken(random);
      const client = await store.clientNamed({ id, name, createdAt: clock.now() });
      if (client.id !== id) {
        throw new Problem("conflict", "a client of this name is there", { remedy: "take another name, or remove it" });
      }
      try {
        await store.putOauthClient({ clientId: id, registration: JSON.stringify(registration) });
        for (const one of terms) await grants.give(`client:${id}`, one, by);
      } catch (error) {
        await grants.endAllOf(`client:${id}`, by);
        await store.removeClient(id);
        throw error;
      }
      const added = { ...client, ...registration };
      held.set(id, added);
      return added;
    },
    list: () => [...held.values()],
    get: (id) => held.get(id),
    async remove(id, by) {
      const known = held.delete(id) || (await store.clients()).some((client) => client.id === id);
      if (!known) throw new Problem("absent", "no such client", { remedy: "leadglass client list shows them" });
      await grants.endAllOf(`client:${id}`, by);
      for (const listener of listeners) await listener(id);
      await store.removeClient(id);
    },
    watchRemoved(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function requireRegistration(
  { proof, redirectUris, isFapi, byCode }: ClientRegistration,
  terms: readonly GrantTerms[],
): void {
  const refuse = (message: string, remedy?: string): never => {
    throw new Problem("invalid", message, remedy === undefined ? {} : { remedy });
  };
  if (redirectUris.length > redirectUrisMax) refuse(`a client has at most ${redirectUrisMax} redirect URIs`);
  for (const uri of redirectUris) requireRedirectUri(uri);
  if (proof.kind === "none" && isFapi)
    refuse("the FAPI profile is for clients that can prove who they are", "give it keys");
  if (proof.kind === "none" && terms.length > 0) {
    refuse("a client that cannot prove who it is acts for people only, and is given nothing itself");
  }
  if (proof.kind === "none" && redirectUris.length === 0 && !byCode) refuse("a public client needs a redirect URI");
  if (proof.kind === "keys") requireKeys(proof.keys);
  if (proof.kind === "certificate") requireCertificate(proof.certificate);
}

/** RFC 9700 §2.1: compared to the letter, so nothing in it may stand for more than one place. Plain HTTP to this machine only. */
function requireRedirectUri(uri: string): void {
  const url = uri.length <= 2_000 ? URL.parse(uri) : null;
  const isLoopback = url !== null && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  const isSafe = url !== null && (url.protocol === "https:" || (url.protocol === "http:" && isLoopback));
  const isPlain = url !== null && url.username === "" && url.password === "" && !/[*#\\\s]/.test(uri);
  if (isSafe && isPlain) return;
  throw new Problem("invalid", "a redirect URI is an https address without user, fragment or wildcard", {
    remedy: "name each one in full; http is taken for localhost only",
  });
}

function requireKeys(keys: readonly Jwk[]): void {
  const secretMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];
  for (const key of keys) {
    if (secretMembers.some((member) => member in key)) {
      throw new Problem("invalid", "the key set holds a private key", {
        remedy: "give public keys only, and change this one",
      });
    }
  }
  if (keys.length > 0 && keys.every(({ kty }) => kty === "EC" || kty === "RSA" || kty === "OKP")) return;
  throw new Problem("invalid", "the key set holds no public key, or one of an unknown kind", {
    remedy: "see RFC 7517",
  });
}

function requireCertificate(pem: string): void {
  try {
    new X509Certificate(pem);
  } catch {
    throw new Problem("invalid", "this is no certificate", { remedy: "give one in PEM" });
  }
}
