import { type Kysely, sql } from "kysely";
import { Problem } from "#base/problem";
import { deviceRights } from "#formats/api";
import type { AccessStore, Account, Client, Device, Factors, Invitation, StoredRequest } from "#trust/access";
import { accountLinks } from "./access-account-links.ts";
import { edges } from "./access-edges.ts";
import { facilities } from "./access-facilities.ts";
import { grants, insertGrants } from "./access-grants.ts";
import { identityProviders } from "./access-identity-providers.ts";
import { knownBrowsers } from "./access-known-browsers.ts";
import { oauthRecords } from "./access-oauth.ts";
import { insertPasskey, passkeys } from "./access-passkeys.ts";
import { reviews, shares, watched } from "./access-reviews.ts";
import { savedViews } from "./access-saved-views.ts";
import { sessions } from "./access-sessions.ts";
import { storedText as text } from "./stored-text.ts";
import type { AccountTable, DeviceTable, InvitationTable, RequestTable, Tables } from "./tables.ts";

export function createSqlAccessStore(database: Kysely<Tables>, close: () => Promise<void>): AccessStore {
  return {
    ...accounts(database),
    ...grants(database),
    ...facilities(database),
    ...edges(database),
    ...invitations(database),
    ...sessions(database),
    ...passkeys(database),
    ...knownBrowsers(database),
    ...accountLinks(database),
    ...identityProviders(database),
    ...clients(database),
    removeEnded: (before) => removeEnded(database, before),
    ...oauthRecords(database),
    ...devices(database),
    ...requests(database),
    ...shares(database),
    ...reviews(database),
    ...watched(database),
    ...savedViews(database),
    close,
  };
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

function accounts(database: Kysely<Tables>): Accounts {
  const accountWhere = async (column: "id" | "name", value: string): Promise<Account | undefined> => {
    const row = await database.selectFrom("accounts").selectAll().where(column, "=", text(value)).executeTakeFirst();
    return row === undefined ? undefined : toAccount(row);
  };
  return {
    addAccount: (account, first, given = []) =>
      database.transaction().execute(async (tx) => {
        const { numInsertedOrUpdatedRows } = await tx
          .insertInto("accounts")
          .values(fromAccount(account))
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        if (numInsertedOrUpdatedRows !== 1n) throw new Problem("conflict", "an account of this name is there already");
        await insertGrants(tx, first);
        for (const passkey of given) await insertPasskey(tx, passkey);
      }),
    accounts: async () =>
      (await database.selectFrom("accounts").selectAll().orderBy("created_at").orderBy("id").execute()).map(toAccount),
    account: (id) => accountWhere("id", id),
    accountNamed: (name) => accountWhere("name", name),
    removeAccount: (id) =>
      database.transaction().execute(async (tx) => {
        await tx
          .deleteFrom("sessions")
          .where("holder", "=", `user:${text(id)}`)
          .execute();
        await tx.deleteFrom("account_links").where("account_id", "=", text(id)).execute();
        await deleteWaysIn(tx, id);
        await tx
          .deleteFrom("invitations")
          .where("name", "in", (from) => from.selectFrom("accounts").select("name").where("id", "=", text(id)))
          .execute();
        const { numDeletedRows } = await tx.deleteFrom("accounts").where("id", "=", text(id)).executeTakeFirst();
        return numDeletedRows === 1n;
      }),
    async useTotpStep(accountId, step) {
      const { numUpdatedRows } = await database
        .updateTable("accounts")
        .set({ totp_step: step })
        .where("id", "=", accountId)
        .where("totp_step", "<", step)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
    setFactors: (accountId, factors) => updateFactors(database, accountId, factors),
    replaceWaysIn: (accountId, factors, given) =>
      database.transaction().execute(async (tx) => {
        if (!(await updateFactors(tx, accountId, factors))) return false;
        await deleteWaysIn(tx, accountId);
        for (const passkey of given) await insertPasskey(tx, passkey);
        return true;
      }),
    setRecoveryCodes: (accountId, digests) =>
      database.transaction().execute(async (tx) => {
        await tx.deleteFrom("recovery_codes").where("account_id", "=", accountId).execute();
        for (const digest of new Set(digests)) {
          await tx.insertInto("recovery_codes").values({ account_id: accountId, digest }).execute();
        }
      }),
    async useRecoveryCode(accountId, digest) {
      const { numDeletedRows } = await database
        .deleteFrom("recovery_codes")
        .where("account_id", "=", accountId)
        .where("digest", "=", text(digest))
        .executeTakeFirst();
      return numDeletedRows === 1n;
    },
    async recoveryCodesLeft(accountId) {
      const found = database.selectFrom("recovery_codes").select("digest").where("account_id", "=", text(accountId));
      return (await found.execute()).length;
    },
  };
}

type Invitations = Pick<AccessStore, "putInvitation" | "invitations" | "invitation" | "removeInvitation">;

function invitations(database: Kysely<Tables>): Invitations {
  return {
    putInvitation: (invitation) =>
      database.transaction().execute(async (tx) => {
        const row = fromInvitation(invitation);
        await tx.deleteFrom("invitations").where("name", "=", row.name).execute();
        await tx.insertInto("invitations").values(row).execute();
      }),
    invitations: async () =>
      (await database.selectFrom("invitations").selectAll().orderBy("created_at").orderBy("digest").execute()).map(
        toInvitation,
      ),
    async invitation(digest) {
      const found = database.selectFrom("invitations").selectAll().where("digest", "=", text(digest));
      const row = await found.executeTakeFirst();
      return row === undefined ? undefined : toInvitation(row);
    },
    async removeInvitation(digest) {
      await database.deleteFrom("invitations").where("digest", "=", text(digest)).execute();
    },
  };
}

async function updateFactors(within: Kysely<Tables>, accountId: string, factors: Factors): Promise<boolean> {
  const { passwordHash, totpSealed, totpStep } = factors;
  const { numUpdatedRows } = await within
    .updateTable("accounts")
    .set({ password_hash: passwordHash, totp_sealed: Buffer.from(totpSealed), totp_step: totpStep })
    .where("id", "=", text(accountId))
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

async function deleteWaysIn(within: Kysely<Tables>, accountId: string): Promise<void> {
  for (const table of ["passkeys", "recovery_codes", "known_browsers"] as const) {
    await within.deleteFrom(table).where("account_id", "=", text(accountId)).execute();
  }
}

function removeEnded(database: Kysely<Tables>, before: number): Promise<void> {
  return database.transaction().execute(async (tx) => {
    for (const table of ["sessions", "client_tokens", "invitations", "account_links"] as const) {
      await tx.deleteFrom(table).where("ends_at", "<", before).execute();
    }
  });
}

type Clients = Pick<AccessStore, "clientNamed" | "clients" | "addToken" | "token">;

function clients(database: Kysely<Tables>): Clients {
  return {
    clientNamed: ({ id, name, createdAt }) =>
      database.transaction().execute(async (tx) => {
        await tx
          .insertInto("clients")
          .values({ id, name, created_at: createdAt })
          .onConflict((conflict) => conflict.column("name").doNothing())
          .execute();
        return toClient(await tx.selectFrom("clients").selectAll().where("name", "=", name).executeTakeFirstOrThrow());
      }),
    clients: async () =>
      (await database.selectFrom("clients").selectAll().orderBy("created_at").orderBy("id").execute()).map(toClient),
    async addToken({ digest, clientId, masked, createdAt, endsAt }) {
      await database
        .insertInto("client_tokens")
        .values({ digest, client_id: clientId, created_at: createdAt, ends_at: endsAt, masked: masked ? 1 : 0 })
        .execute();
    },
    async token(digest) {
      const row = await database
        .selectFrom("client_tokens")
        .innerJoin("clients", "clients.id", "client_tokens.client_id")
        .select(["digest", "client_id", "client_tokens.created_at as token_created_at", "ends_at", "masked"])
        .select(["clients.id", "clients.name", "clients.created_at"])
        .where("digest", "=", text(digest))
        .executeTakeFirst();
      if (row === undefined) return undefined;
      const { client_id: clientId, token_created_at: createdAt, ends_at: endsAt } = row;
      return { digest: row.digest, clientId, masked: row.masked === 1, createdAt, endsAt, client: toClient(row) };
    },
  };
}

type Devices = Pick<
  AccessStore,
  "putDevice" | "devices" | "removeDevice" | "touchDevice" | "noteWaiting" | "waiting" | "forgetWaiting"
>;

function devices(database: Kysely<Tables>): Devices {
  const forget = (within: Kysely<Tables>, ae: string, address: string) =>
    within.deleteFrom("waiting_callers").where("ae", "=", text(ae)).where("address", "=", text(address)).execute();
  return {
    putDevice: (device) =>
      database.transaction().execute(async (tx) => {
        const { id, ...changed } = fromDevice(device);
        await tx
          .deleteFrom("devices")
          .where("ae", "=", device.ae)
          .where("address", "=", device.address)
          .where("id", "<>", id)
          .execute();
        await tx
          .insertInto("devices")
          .values({ id, ...changed })
          .onConflict((conflict) => conflict.column("id").doUpdateSet(changed))
          .execute();
        await forget(tx, device.ae, device.address);
      }),
    devices: async () =>
      (await database.selectFrom("devices").selectAll().orderBy("created_at").orderBy("id").execute()).map(toDevice),
    async removeDevice(id) {
      await database.deleteFrom("devices").where("id", "=", text(id)).execute();
    },
    async touchDevice(id, lastSeenAt) {
      await database.updateTable("devices").set({ last_seen_at: lastSeenAt }).where("id", "=", id).execute();
    },
    noteWaiting: (ae, address, at, keepMost) =>
      database.transaction().execute(async (tx) => {
        await tx
          .insertInto("waiting_callers")
          .values({ ae: text(ae), address: text(address), first_at: at, last_at: at, attempts: 1 })
          .onConflict((conflict) =>
            conflict.columns(["ae", "address"]).doUpdateSet({
              last_at: at,
              attempts: sql`waiting_callers.attempts + 1`,
            }),
          )
          .execute();
        const beyond = await tx
          .selectFrom("waiting_callers")
          .select(["ae", "address"])
          .orderBy("last_at", "desc")
          .orderBy("ae")
          .orderBy("address")
          .limit(1000)
          .offset(keepMost)
          .execute();
        for (const caller of beyond) await forget(tx, caller.ae, caller.address);
      }),
    async waiting() {
      const rows = await database
        .selectFrom("waiting_callers")
        .selectAll()
        .orderBy("last_at", "desc")
        .orderBy("ae")
        .orderBy("address")
        .execute();
      return rows.map(({ ae, address, first_at, last_at, attempts }) => ({
        ae,
        address,
        firstAt: first_at,
        lastAt: last_at,
        attempts,
      }));
    },
    forgetWaiting: async (ae, address) => void (await forget(database, ae, address)),
  };
}

type Requests = Pick<AccessStore, "addRequest" | "requests" | "request" | "moveRequest" | "removeRequests">;

function requests(database: Kysely<Tables>): Requests {
  return {
    async addRequest(request) {
      const { numInsertedOrUpdatedRows } = await database
        .insertInto("requests")
        .values(fromRequest(request))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (numInsertedOrUpdatedRows !== 1n) throw new Problem("conflict", "a request of this id is there already");
    },
    requests: async () =>
      (await database.selectFrom("requests").selectAll().orderBy("requested_at", "desc").orderBy("id").execute()).map(
        toRequest,
      ),
    async request(id) {
      const row = await database.selectFrom("requests").selectAll().where("id", "=", text(id)).executeTakeFirst();
      return row === undefined ? undefined : toRequest(row);
    },
    async moveRequest({ id, state, begun }, to) {
      const { numUpdatedRows } = await database
        .updateTable("requests")
        .set({
          ...(to.state !== undefined && { state: to.state }),
          ...(to.begun !== undefined && { begun: to.begun }),
          ...(to.decidedBy !== undefined && { decided_by: to.decidedBy }),
          ...(to.decidedAt !== undefined && { decided_at: to.decidedAt }),
          ...(to.resultSealed !== undefined && { result_sealed: Buffer.from(to.resultSealed) }),
        })
        .where("id", "=", text(id))
        .where("state", "=", state)
        .where("begun", "=", begun)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
    async removeRequests(before) {
      await database
        .deleteFrom("requests")
        .where("requested_at", "<", before)
        .where("state", "<>", "confirmed")
        .execute();
    },
  };
}

const toAccount = (row: AccountTable): Account => ({
  id: row.id,
  name: row.name,
  passwordHash: row.password_hash,
  totpSealed: Uint8Array.from(row.totp_sealed),
  totpStep: row.totp_step,
  createdAt: row.created_at,
});

const fromAccount = (account: Account): AccountTable => ({
  id: account.id,
  name: text(account.name),
  password_hash: account.passwordHash,
  totp_sealed: Buffer.from(account.totpSealed),
  totp_step: account.totpStep,
  created_at: account.createdAt,
});

const toInvitation = (row: InvitationTable): Invitation => ({
  digest: row.digest,
  name: row.name,
  grants: JSON.parse(row.terms) as Invitation["grants"],
  invitedBy: row.invited_by,
  createdAt: row.created_at,
  endsAt: row.ends_at,
});

const fromInvitation = (invitation: Invitation): InvitationTable => ({
  digest: invitation.digest,
  name: text(invitation.name),
  terms: JSON.stringify(invitation.grants),
  invited_by: invitation.invitedBy,
  created_at: invitation.createdAt,
  ends_at: invitation.endsAt,
});

const toRequest = (row: RequestTable): StoredRequest => ({
  id: row.id,
  act: row.act,
  subjectKind: row.subject_kind,
  subjectId: row.subject_id,
  requestedBy: row.requested_by,
  requestedAt: row.requested_at,
  endsAt: row.ends_at,
  state: row.state,
  decidedBy: row.decided_by,
  decidedAt: row.decided_at,
  begun: row.begun,
  detailSealed: Uint8Array.from(row.detail_sealed),
  resultSealed: Uint8Array.from(row.result_sealed),
});

const fromRequest = (request: StoredRequest): RequestTable => ({
  id: request.id,
  act: request.act,
  subject_kind: request.subjectKind,
  subject_id: request.subjectId,
  requested_by: request.requestedBy,
  requested_at: request.requestedAt,
  ends_at: request.endsAt,
  state: request.state,
  decided_by: request.decidedBy,
  decided_at: request.decidedAt,
  begun: request.begun,
  detail_sealed: Buffer.from(request.detailSealed),
  result_sealed: Buffer.from(request.resultSealed),
});

const toClient = (row: { id: string; name: string; created_at: number }): Client => ({
  id: row.id,
  name: row.name,
  createdAt: row.created_at,
});

const toDevice = (row: DeviceTable): Device => ({
  id: row.id,
  ae: row.ae,
  address: row.address,
  facility: row.facility,
  port: row.port,
  tls: row.tls === 1,
  may: deviceRights.filter((right) => row.may.split(" ").includes(right)),
  certificate: row.certificate,
  createdAt: row.created_at,
  lastSeenAt: row.last_seen_at,
});

const fromDevice = (device: Device): DeviceTable => ({
  id: device.id,
  ae: text(device.ae),
  address: text(device.address),
  facility: text(device.facility),
  port: device.port,
  tls: device.tls ? 1 : 0,
  may: device.may.join(" "),
  certificate: text(device.certificate),
  created_at: device.createdAt,
  last_seen_at: device.lastSeenAt,
});
