import { Problem } from "#base/problem";
import type {
  AccountLink,
  AccountLinkStore,
  IdentityProvider,
  IdentityProviderStore,
  KnownBrowserStore,
  Passkey,
  PasskeyStore,
  Session,
  SessionStore,
} from "#trust/access";

const byAge = (a: { createdAt: number }, b: { createdAt: number }, idA: string, idB: string) =>
  a.createdAt - b.createdAt || (idA < idB ? -1 : 1);

export function sessions(held: Map<string, Session>): SessionStore {
  return {
    addSession: async (session) => void held.set(session.digest, { ...session }),
    sessions: async () => [...held.values()].sort((a, b) => byAge(a, b, a.digest, b.digest)),
    async touchSession(digest, { lastSeenAt, authenticatedAt }) {
      const session = held.get(digest);
      if (session !== undefined) held.set(digest, { ...session, lastSeenAt, authenticatedAt });
    },
    endSession: async (digest) => void held.delete(digest),
  };
}

export function passkeys(held: Map<string, Passkey>): PasskeyStore {
  const ofAccount = (accountId: string, id: string) => {
    const passkey = held.get(id);
    return passkey?.accountId === accountId ? passkey : undefined;
  };
  return {
    async addPasskey(passkey) {
      if (held.has(passkey.id)) throw new Problem("conflict", "this passkey is there already");
      held.set(passkey.id, { ...passkey });
    },
    passkey: async (id) => held.get(id),
    async passkeyCounts() {
      const byAccount = Map.groupBy(held.values(), ({ accountId }) => accountId);
      return new Map([...byAccount].map(([accountId, { length }]) => [accountId, length]));
    },
    passkeysOf: async (accountId) =>
      [...held.values()].filter((one) => one.accountId === accountId).sort((a, b) => byAge(a, b, a.id, b.id)),
    async usePasskey({ id, counter }, use) {
      const passkey = held.get(id);
      if (passkey === undefined || passkey.counter !== counter) return false;
      held.set(id, { ...passkey, ...use });
      // Where the authenticator does not count, every use finds 0.
      return true;
    },
    async renamePasskey(accountId, id, name) {
      const passkey = ofAccount(accountId, id);
      if (passkey !== undefined) held.set(id, { ...passkey, name });
      return passkey !== undefined;
    },
    removePasskey: async (accountId, id) => ofAccount(accountId, id) !== undefined && held.delete(id),
  };
}

export function knownBrowsers(): KnownBrowserStore {
  let held: { readonly digest: string; readonly accountId: string; readonly createdAt: number }[] = [];
  return {
    async addKnownBrowser(browser, keepMost) {
      const ours = [...held.filter(({ accountId }) => accountId === browser.accountId), browser];
      const kept = ours.sort((a, b) => -byAge(a, b, b.digest, a.digest)).slice(0, keepMost);
      held = [...held.filter(({ accountId }) => accountId !== browser.accountId), ...kept];
    },
    isKnownBrowser: async (digest, accountId) =>
      held.some((one) => one.digest === digest && one.accountId === accountId),
    async forgetKnownBrowsers(accountId) {
      held = held.filter((one) => one.accountId !== accountId);
    },
  };
}

export function accountLinks(held: Map<string, AccountLink>): AccountLinkStore {
  return {
    async putAccountLink(link) {
      for (const { digest, accountId } of [...held.values()]) if (accountId === link.accountId) held.delete(digest);
      held.set(link.digest, { ...link });
    },
    accountLink: async (digest) => held.get(digest),
    removeAccountLink: async (digest) => void held.delete(digest),
  };
}

export function identityProviders(): IdentityProviderStore {
  const held = new Map<string, IdentityProvider>();
  const subjects = new Map<string, { readonly providerId: string; readonly accountId: string }>();
  return {
    putIdentityProvider: async (provider) => void held.set(provider.id, { ...provider }),
    identityProviders: async () => [...held.values()].sort((a, b) => byAge(a, b, a.id, b.id)),
    async removeIdentityProvider(id) {
      for (const [digest, { providerId }] of [...subjects]) if (providerId === id) subjects.delete(digest);
      return held.delete(id);
    },
    providerOfAccount: async (accountId) =>
      [...subjects.values()].find((one) => one.accountId === accountId)?.providerId,
    accountOfSubject: async (digest) => subjects.get(digest)?.accountId,
    putSubject: async ({ digest, providerId, accountId }) => void subjects.set(digest, { providerId, accountId }),
  };
}
