import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import { createKeyedTurns } from "#base/turns";
import type { AccessStore, Account } from "./access-store.ts";
import { type Actor, system } from "./acts.ts";
import { noFactors } from "./factors.ts";
import type { Grant, GrantTerms } from "./grant-store.ts";
import { type Grants, requireAlike } from "./grants.ts";
import type { GroupRule, IdentityProvider } from "./identity-provider-store.ts";
import type { SecretBox } from "./secret-box.ts";
import { digestOf } from "./secrets.ts";

/** A provider as an administrator describes it. */
export type ProviderSettings = Omit<IdentityProvider, "clientSecretSealed" | "createdAt"> & {
  /** Absent: as it was; empty: none. */
  readonly clientSecret?: string;
};

/** What a provider says of somebody, once its answer has been checked. */
export interface ProvidedClaims {
  readonly issuer: string;
  readonly subject: string;
  /** What they are called there, for lists; nothing is decided by it. */
  readonly name: string;
  readonly groups: readonly string[];
  readonly acr?: string;
  readonly amr: readonly string[];
}

export interface Arrived {
  readonly account: Account;
  /** Whether the provider says that it asked for two factors. */
  readonly isStrong: boolean;
}

/** Sign-in through the customer's own identity provider: what is configured, and what its word is worth here. */
export interface IdentityProviders {
  list(): Promise<IdentityProvider[]>;
  /** Problem `absent` when there is none. */
  provider(id: string): Promise<IdentityProvider>;
  /** Adds or changes one. Problem `invalid` for what cannot be. */
  put(settings: ProviderSettings): Promise<IdentityProvider>;
  /** What it gave ends; the accounts stay. Problem `absent` when there is none. */
  remove(id: string, by: Actor): Promise<void>;
  secretOf(provider: IdentityProvider): string;
  /**
   * Whose account these claims stand for: found by issuer and subject, made when they come for the first time. What they hold through
   * this provider is brought in line with their groups. Problem `denied` when no group of theirs counts here.
   */
  arrive(provider: IdentityProvider, claims: ProvidedClaims): Promise<Arrived>;
  /** The provider that this account must come through, if it came from one. */
  providerOf(accountId: string): Promise<IdentityProvider | undefined>;
}

export interface IdentityProvidersParts {
  readonly store: AccessStore;
  readonly grants: Grants;
  readonly box: SecretBox;
  readonly random: Random;
  readonly clock: Clock;
  readonly log: Log;
  /** For tests alone: a provider on this machine may be reached without TLS. */
  readonly loopbackProviders?: boolean;
}

const secretPurpose = (id: string) => `identity provider ${id}`;
const giverOf = (id: string): Actor => ({ ...system, id: `provider:${id}` });

export function createIdentityProviders(parts: IdentityProvidersParts): IdentityProviders {
  const { store, grants, box, clock } = parts;
  const list = () => store.identityProviders();
  const find = async (id: string) => (await list()).find((provider) => provider.id === id);
  /** One at a time for a person: two first arrivals at once would make two accounts. */
  const arrivals = createKeyedTurns();

  const accountOf = async (provider: IdentityProvider, claims: ProvidedClaims, digest: string): Promise<Account> => {
    const known = await store.accountOfSubject(digest);
    const there = known === undefined ? undefined : await store.account(known);
    return there ?? makeAccount(parts, provider, claims, digest);
  };
  const arrive = async (provider: IdentityProvider, claims: ProvidedClaims, digest: string): Promise<Arrived> => {
    const wanted = termsOf(provider.rules, claims.groups);
    const account = await accountOf(provider, claims, digest);
    await bringInLine(parts, provider, `user:${account.id}`, wanted);
    if (wanted.length === 0) throw nothingGranted(provider);
    const { strongAcr, strongAmr } = provider;
    const isStrong =
      (claims.acr !== undefined && strongAcr.includes(claims.acr)) ||
      claims.amr.some((each) => strongAmr.includes(each));
    return { account, isStrong };
  };

  return {
    list,
    async provider(id) {
      const provider = await find(id);
      if (provider === undefined) throw noSuchProvider();
      return provider;
    },
    async put(settings) {
      const { clientSecret, ...provider } = settings;
      requireSettings(settings, parts.loopbackProviders === true);
      const before = await find(settings.id);
      const kept = before?.clientSecretSealed ?? new Uint8Array(0);
      const sealed =
        clientSecret === undefined
          ? kept
          : clientSecret === ""
            ? new Uint8Array(0)
            : box.seal(secretPurpose(settings.id), Buffer.from(clientSecret, "utf8"));
      if (before !== undefined && before.issuer !== settings.issuer) {
        throw new Problem("conflict", "the issuer of a provider does not change", {
          remedy: "remove it and add another: its people are others",
        });
      }
      const put = { ...provider, clientSecretSealed: sealed, createdAt: before?.createdAt ?? clock.now() };
      await store.putIdentityProvider(put);
      return put;
    },
    async remove(id, by) {
      if (!(await store.removeIdentityProvider(id))) throw noSuchProvider();
      const given = (await grants.list()).filter((grant) => grant.givenBy === giverOf(id).id && grant.endedAt === 0);
      for (const grant of given) await endQuietly(parts, grant, by);
    },
    secretOf: ({ id, clientSecretSealed }) =>
      clientSecretSealed.length === 0
        ? ""
        : Buffer.from(box.open(secretPurpose(id), clientSecretSealed)).toString("utf8"),
    async arrive(provider, claims) {
      if (claims.issuer !== provider.issuer || claims.subject === "") {
        throw new Problem("invalid", "the identity provider's answer is not for this sign-in", { remedy: "try again" });
      }
      // Never by an e-mail address: who has one today had another owner yesterday.
      const digest = digestOf(`${claims.issuer}\0${claims.subject}`);
      return arrivals.take(digest, () => arrive(provider, claims, digest));
    },
    async providerOf(accountId) {
      const id = await store.providerOfAccount(accountId);
      return id === undefined ? undefined : find(id);
    },
  };
}

async function makeAccount(
  { store, grants, random, clock }: IdentityProvidersParts,
  provider: IdentityProvider,
  claims: ProvidedClaims,
  digest: string,
): Promise<Account> {
  const plain = `${provider.id}/${claims.name === "" ? digest.slice(0, 12) : claims.name}`
    .toLowerCase()
    .replace(/\p{Cc}/gu, "");
  // A name that is taken is somebody else's, whatever the provider calls this one.
  const isTaken = (await store.accountNamed(plain.slice(0, 128))) !== undefined;
  const name = isTaken ? `${plain.slice(0, 119)} ${digest.slice(0, 8)}` : plain.slice(0, 128);
  const account = { id: newToken(random), name, ...noFactors, createdAt: clock.now() };
  // First whose it is: a crash in between leaves a line that leads nowhere, and the next arrival takes its place.
  await store.putSubject({ digest, providerId: provider.id, accountId: account.id });
  await grants.giveWith(`user:${account.id}`, [], giverOf(provider.id), () => store.addAccount(account, []));
  return account;
}

/** What the groups are worth, each thing once. */
function termsOf(rules: readonly GroupRule[], groups: readonly string[]): GrantTerms[] {
  const wanted = rules
    .filter(({ group }) => groups.includes(group))
    .map(({ role, place, purpose }): GrantTerms => ({ role, place, purpose, endsAt: 0 }));
  return [...new Map(wanted.map((terms) => [keyOf(terms), terms])).values()];
}

const keyOf = ({ role, place, purpose }: Pick<GrantTerms, "role" | "place" | "purpose">) =>
  `${role} ${place.kind} ${place.kind === "tenant" ? "" : place.id} ${purpose}`;

/** Ends what the provider no longer says, gives what it says now. What others gave stays. */
async function bringInLine(
  parts: IdentityProvidersParts,
  provider: IdentityProvider,
  holder: string,
  wanted: readonly GrantTerms[],
): Promise<void> {
  const { grants } = parts;
  const giver = giverOf(provider.id);
  const held = grants.liveOf(holder).filter(({ givenBy }) => givenBy === giver.id);
  const keys = new Set(wanted.map(keyOf));
  for (const grant of held) if (!keys.has(keyOf(grant))) await endQuietly(parts, grant, giver);
  const there = new Set(held.map(keyOf));
  for (const terms of wanted) if (!there.has(keyOf(terms))) await grants.give(holder, terms, giver);
}

/** The last administrator stays one, whatever the provider says: somebody has to be able to put it right. */
async function endQuietly({ grants, log }: IdentityProvidersParts, { id }: Grant, by: Actor): Promise<void> {
  try {
    await grants.end(id, by);
  } catch (error) {
    if (!(error instanceof Problem) || (error.code !== "conflict" && error.code !== "absent")) throw error;
    if (error.code === "conflict")
      log.warn("what an identity provider gave was not ended: it is the last administrator's");
  }
}

function requireSettings(settings: ProviderSettings, isLoopbackAllowed: boolean): void {
  const { id, label, issuer, clientId, groupsClaim, rules } = settings;
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(id)) {
    throw new Problem("invalid", "a provider's id is 1 to 32 small letters, digits or hyphens");
  }
  if (label.trim() === "" || label.length > 64 || clientId === "" || groupsClaim === "") {
    throw new Problem("invalid", "a provider has a label, a client id and a claim that lists groups");
  }
  const url = URL.parse(issuer);
  const isLoopback = url?.protocol === "http:" && ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
  const isPlain = url !== null && url.search === "" && url.hash === "" && url.username === "";
  if (!isPlain || !(url.protocol === "https:" || (isLoopback && isLoopbackAllowed))) {
    throw new Problem("invalid", "an issuer is an https:// address without query", {
      remedy: "use the issuer as the provider's own discovery document has it",
    });
  }
  if (rules.length > 200) throw new Problem("too-large", "a provider has at most 200 rules for groups");
  const byGroup = Map.groupBy(rules, ({ group }) => group);
  for (const [group, given] of byGroup) {
    if (group.trim() === "") throw new Problem("invalid", "a group's name is missing");
    requireAlike(given);
  }
}

function noSuchProvider(): Problem {
  return new Problem("absent", "no such identity provider", { remedy: "leadglass idp list shows those there are" });
}

function nothingGranted({ label }: IdentityProvider): Problem {
  return new Problem("denied", `${label} vouches for you, and none of your groups may do anything here`, {
    remedy: "ask an administrator which group you need",
  });
}
