import { Problem } from "#base/problem";
import type {
  AccessStore,
  Account,
  Client,
  ClientToken,
  Device,
  Grant,
  GrantStore,
  Invitation,
  OauthRecordsStore,
  Session,
  StoredOauthRecord,
  StoredRequest,
  WaitingCaller,
} from "#trust/access";
import { type Failing, withFailures } from "./failing.ts";

export function createMemoryAccessStore(): AccessStore & Failing {
  const sessions = new Map<string, Session>();
  const invitations = new Map<string, Invitation>();
  const granted = grants();
  return withFailures<AccessStore>({
    ...granted,
    ...accounts(sessions, invitations, granted),
    ...invited(invitations),
    ...sessionsAndClients(sessions, invitations),
    ...devices(),
    ...oauthRecords(),
    ...requests(),
    close: async () => {},
  });
}

type Sessions = Map<string, Session>;
type Invitations = Map<string, Invitation>;
type Accounts = Pick<
  AccessStore,
  | "addAccount"
  | "accounts"
  | "account"
  | "accountNamed"
  | "removeAccount"
  | "useTotpStep"
  | "setRecoveryCodes"
  | "useRecoveryCode"
>;

const byAge = (a: { createdAt: number; id: string }, b: { createdAt: number; id: string }) =>
  a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);

function accounts(sessions: Sessions, invitations: Invitations, granted: GrantStore): Accounts {
  const held = new Map<string, Account>();
  const codes = new Map<string, Set<string>>();
  const named = (name: string) => [...held.values()].find((account) => account.name === name);
  return {
    async addAccount(account, first) {
      if (held.has(account.id) || named(account.name) !== undefined) {
        throw new Problem("conflict", "an account of this name is there already");
      }
      held.set(account.id, { ...account, totpSealed: Uint8Array.from(account.totpSealed) });
      await granted.addGrants(first);
    },
    accounts: async () => [...held.values()].sort(byAge),
    account: async (id) => held.get(id),
    accountNamed: async (name) => named(name),
    async removeAccount(id) {
      const name = held.get(id)?.name;
      for (const session of [...sessions.values()]) if (session.accountId === id) sessions.delete(session.digest);
      for (const invitation of [...invitations.values()])
        if (invitation.name === name) invitations.delete(invitation.digest);
      codes.delete(id);
      return held.delete(id);
    },
    async useTotpStep(accountId, step) {
      const account = held.get(accountId);
      if (account === undefined || account.totpStep >= step) return false;
      held.set(accountId, { ...account, totpStep: step });
      return true;
    },
    setRecoveryCodes: async (accountId, digests) => void codes.set(accountId, new Set(digests)),
    useRecoveryCode: async (accountId, digest) => codes.get(accountId)?.delete(digest) ?? false,
  };
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

function invited(held: Invitations): Invited {
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

type SessionsAndClients = Pick<
  AccessStore,
  | "addSession"
  | "session"
  | "touchSession"
  | "endSession"
  | "removeEnded"
  | "clientNamed"
  | "clients"
  | "putOauthClient"
  | "oauthClients"
  | "removeClient"
  | "addToken"
  | "token"
>;

function sessionsAndClients(sessions: Sessions, invitations: Invitations): SessionsAndClients {
  const clients = new Map<string, Client>();
  const tokens = new Map<string, ClientToken>();
  const registrations = new Map<string, string>();
  return {
    addSession: async (session) => void sessions.set(session.digest, { ...session }),
    session: async (digest) => sessions.get(digest),
    async touchSession(digest, lastSeenAt) {
      const session = sessions.get(digest);
      if (session !== undefined) sessions.set(digest, { ...session, lastSeenAt });
    },
    endSession: async (digest) => void sessions.delete(digest),
    async removeEnded(before) {
      for (const ended of [sessions, tokens, invitations]) {
        for (const { digest, endsAt } of [...ended.values()]) if (endsAt < before) ended.delete(digest);
      }
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
