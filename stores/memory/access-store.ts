import { Problem } from "#base/problem";
import type {
  AccessStore,
  Account,
  AccountLink,
  Client,
  ClientToken,
  Device,
  Grant,
  GrantStore,
  Invitation,
  KnownBrowserStore,
  OauthRecordsStore,
  Passkey,
  Session,
  StoredOauthRecord,
  StoredRequest,
  WaitingCaller,
} from "#trust/access";
import { edges } from "./edges.ts";
import { facilities } from "./facilities.ts";
import { type Failing, withFailures } from "./failing.ts";
import { reviews, shares, watched } from "./reviews.ts";
import { savedViews } from "./saved-views.ts";
import { accountLinks, identityProviders, knownBrowsers, passkeys, sessions } from "./ways-in.ts";

export function createMemoryAccessStore(): AccessStore & Failing {
  const held: Held = { sessions: new Map(), invitations: new Map(), passkeys: new Map(), links: new Map() };
  const granted = grants();
  const browsers = knownBrowsers();
  return withFailures<AccessStore>({
    ...granted,
    ...browsers,
    ...accounts(held, granted, browsers),
    ...sessions(held.sessions),
    ...passkeys(held.passkeys),
    ...accountLinks(held.links),
    ...identityProviders(),
    ...invited(held.invitations),
    ...clientsAndEnds(held),
    ...facilities(),
    ...edges(),
    ...devices(),
    ...oauthRecords(),
    ...requests(),
    ...shares(granted),
    ...reviews(),
    ...watched(),
    ...savedViews(),
    close: async () => {},
  });
}

/** What falls with its account, or by itself when its time is over. */
interface Held {
  readonly sessions: Map<string, Session>;
  readonly invitations: Map<string, Invitation>;
  readonly passkeys: Map<string, Passkey>;
  readonly links: Map<string, AccountLink>;
}

type Accounts = Pick<
  AccessStore,
  | "addAccount"
  | "accounts"
  | "account"
  | "accountNamed"
  | "removeAccount"
  | "useTotpStep"
  | "setFactors"
  | "replaceWaysIn"
  | "setRecoveryCodes"
  | "useRecoveryCode"
  | "recoveryCodesLeft"
>;

const byAge = (a: { createdAt: number; id: string }, b: { createdAt: number; id: string }) =>
  a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);

function accounts(own: Held, granted: GrantStore, browsers: KnownBrowserStore): Accounts {
  const held = new Map<string, Account>();
  const codes = new Map<string, Set<string>>();
  const named = (name: string) => [...held.values()].find((account) => account.name === name);
  const dropWaysIn = async (id: string) => {
    removeWhere(own.passkeys, ({ accountId }) => accountId === id);
    codes.delete(id);
    await browsers.forgetKnownBrowsers(id);
  };
  return {
    async addAccount(account, first, given = []) {
      if (held.has(account.id) || named(account.name) !== undefined) {
        throw new Problem("conflict", "an account of this name is there already");
      }
      if (given.some(({ id }) => own.passkeys.has(id))) throw new Problem("conflict", "this passkey is there already");
      held.set(account.id, { ...account, totpSealed: Uint8Array.from(account.totpSealed) });
      await granted.addGrants(first);
      for (const passkey of given) own.passkeys.set(passkey.id, { ...passkey });
    },
    accounts: async () => [...held.values()].sort(byAge),
    account: async (id) => held.get(id),
    accountNamed: async (name) => named(name),
    async removeAccount(id) {
      const name = held.get(id)?.name;
      removeWhere(own.sessions, ({ holder }) => holder === `user:${id}`);
      removeWhere(own.invitations, (invitation) => invitation.name === name);
      removeWhere(own.links, ({ accountId }) => accountId === id);
      await dropWaysIn(id);
      return held.delete(id);
    },
    async useTotpStep(accountId, step) {
      const account = held.get(accountId);
      if (account === undefined || account.totpStep >= step) return false;
      held.set(accountId, { ...account, totpStep: step });
      return true;
    },
    async setFactors(accountId, factors) {
      const account = held.get(accountId);
      if (account !== undefined) held.set(accountId, { ...account, ...factors });
      return account !== undefined;
    },
    async replaceWaysIn(accountId, factors, given) {
      const account = held.get(accountId);
      if (account === undefined) return false;
      await dropWaysIn(accountId);
      held.set(accountId, { ...account, ...factors });
      for (const passkey of given) own.passkeys.set(passkey.id, { ...passkey });
      return true;
    },
    setRecoveryCodes: async (accountId, digests) => void codes.set(accountId, new Set(digests)),
    useRecoveryCode: async (accountId, digest) => codes.get(accountId)?.delete(digest) ?? false,
    recoveryCodesLeft: async (accountId) => codes.get(accountId)?.size ?? 0,
  };
}

function removeWhere<T>(held: Map<string, T>, isGone: (one: T) => boolean): void {
  for (const [key, one] of [...held]) if (isGone(one)) held.delete(key);
}

function grants(): GrantStore {
  const held = new Map<string, Grant>();
  return {
    async addGrants(added) {
      for (const grant of added) held.set(grant.id, { ...grant });
    },
    grants: async () => [...held.values()].sort((a, b) => a.givenAt - b.givenAt || (a.id < b.id ? -1 : 1)),
    async endGrant(id, endedAt, endedBy) {
      const grant = held.get(id);
      if (grant === undefined || grant.endedAt !== 0) return false;
      held.set(id, { ...grant, endedAt, endedBy });
      return true;
    },
  };
}

type Invited = Pick<AccessStore, "putInvitation" | "invitations" | "invitation" | "removeInvitation">;

function invited(held: Map<string, Invitation>): Invited {
  return {
    async putInvitation(invitation) {
      for (const { digest, name } of [...held.values()]) if (name === invitation.name) held.delete(digest);
      held.set(invitation.digest, { ...invitation });
    },
    invitations: async () =>
      [...held.values()].sort((a, b) => a.createdAt - b.createdAt || (a.digest < b.digest ? -1 : 1)),
    invitation: async (digest) => held.get(digest),
    removeInvitation: async (digest) => void held.delete(digest),
  };
}

type ClientsAndEnds = Pick<
  AccessStore,
  "removeEnded" | "clientNamed" | "clients" | "putOauthClient" | "oauthClients" | "removeClient" | "addToken" | "token"
>;

function clientsAndEnds({ sessions, invitations, links }: Held): ClientsAndEnds {
  const clients = new Map<string, Client>();
  const tokens = new Map<string, ClientToken>();
  const registrations = new Map<string, string>();
  return {
    async removeEnded(before) {
      for (const ended of [sessions, tokens, invitations, links])
        removeWhere(ended as Map<string, { endsAt: number }>, ({ endsAt }) => endsAt < before);
    },
    async clientNamed(client) {
      const there = clients.get(client.name) ?? { ...client };
      clients.set(client.name, there);
      return there;
    },
    clients: async () => [...clients.values()].sort(byAge),
    putOauthClient: async ({ clientId, registration }) => void registrations.set(clientId, registration),
    oauthClients: async () =>
      [...registrations]
        .map(([clientId, registration]) => ({ clientId, registration }))
        .sort((a, b) => (a.clientId < b.clientId ? -1 : 1)),
    async removeClient(clientId) {
      registrations.delete(clientId);
      for (const token of [...tokens.values()]) if (token.clientId === clientId) tokens.delete(token.digest);
      const client = [...clients.values()].find(({ id }) => id === clientId);
      return client !== undefined && clients.delete(client.name);
    },
    addToken: async (token) => void tokens.set(token.digest, { ...token }),
    async token(digest) {
      const token = tokens.get(digest);
      const client = [...clients.values()].find(({ id }) => id === token?.clientId);
      return token === undefined || client === undefined ? undefined : { ...token, client };
    },
  };
}

type OauthRecords = Pick<OauthRecordsStore, "putOauthRecord" | "oauthRecords" | "removeOauthRecords">;

function oauthRecords(): OauthRecords {
  const held = new Map<string, StoredOauthRecord>();
  const keyOf = ({ kind, digest }: Pick<StoredOauthRecord, "kind" | "digest">) => `${kind} ${digest}`;
  return {
    putOauthRecord: async (record) =>
      void held.set(keyOf(record), { ...record, sealed: Uint8Array.from(record.sealed) }),
    oauthRecords: async () => [...held.values()],
    async removeOauthRecords(records) {
      for (const record of records) held.delete(keyOf(record));
    },
  };
}

type Devices = Pick<
  AccessStore,
  "putDevice" | "devices" | "removeDevice" | "touchDevice" | "noteWaiting" | "waiting" | "forgetWaiting"
>;

function devices(): Devices {
  const held = new Map<string, Device>();
  let waiting: WaitingCaller[] = [];
  const isOther = (ae: string, address: string) => (one: { ae: string; address: string }) =>
    one.ae !== ae || one.address !== address;
  return {
    async putDevice(device) {
      const others = isOther(device.ae, device.address);
      for (const one of [...held.values()]) if (!others(one)) held.delete(one.id);
      held.set(device.id, { ...device });
      waiting = waiting.filter(others);
    },
    devices: async () => [...held.values()].sort(byAge),
    removeDevice: async (id) => void held.delete(id),
    async touchDevice(id, lastSeenAt) {
      const device = held.get(id);
      if (device !== undefined) held.set(id, { ...device, lastSeenAt });
    },
    async noteWaiting(ae, address, at, keepMost) {
      const others = isOther(ae, address);
      const before = waiting.find((one) => !others(one));
      const noted = { ae, address, firstAt: before?.firstAt ?? at, lastAt: at, attempts: (before?.attempts ?? 0) + 1 };
      waiting = [...waiting.filter(others), noted]
        .sort((a, b) => b.lastAt - a.lastAt || (`${a.ae}\0${a.address}` < `${b.ae}\0${b.address}` ? -1 : 1))
        .slice(0, keepMost);
    },
    waiting: async () => [...waiting],
    async forgetWaiting(ae, address) {
      waiting = waiting.filter(isOther(ae, address));
    },
  };
}

type Requests = Pick<AccessStore, "addRequest" | "requests" | "request" | "moveRequest" | "removeRequests">;

function requests(): Requests {
  const held = new Map<string, StoredRequest>();
  return {
    async addRequest(request) {
      if (held.has(request.id)) throw new Problem("conflict", "a request of this id is there already");
      held.set(request.id, { ...request });
    },
    requests: async () => [...held.values()].sort((a, b) => b.requestedAt - a.requestedAt || (a.id < b.id ? -1 : 1)),
    request: async (id) => held.get(id),
    async moveRequest({ id, state, begun }, to) {
      const request = held.get(id);
      if (request === undefined || request.state !== state || request.begun !== begun) return false;
      held.set(id, { ...request, ...to });
      return true;
    },
    async removeRequests(before) {
      for (const { id, requestedAt, state } of [...held.values()])
        if (requestedAt < before && state !== "confirmed") held.delete(id);
    },
  };
}
