import { ints, type Schema, texts, type Words } from "./schema.ts";

/** Who may come in: accounts, sessions, programs, machines, and what two decide together. */
export const accessSchema: Schema = {
  name: "access",
  migrations: [
    (words) => [...callers(words), ...decisions(words)],
    (words) => [
      ...grants(words),
      ...facilities(words),
      ...waysIn(words),
      ...logDetails(words),
      ...oauthRecords(words),
      ...reviews(words),
    ],
    (words) => [...machines(words), ...records(words)],
    edges,
    edgeSigningKeys,
  ],
};

function callers(words: Words): string[] {
  const { text, int, bytes, end } = words;
  return [
    `create table accounts (id ${text} primary key, ${texts(words, "name", "password_hash")}, totp_sealed ${bytes},
      ${ints(words, "totp_step")}, ${texts(words, "role")}, ${ints(words, "created_at")}) ${end}`,
    "create unique index accounts_by_name on accounts (name)",
    `create table recovery_codes (account_id ${text} references accounts(id), digest ${text},
      primary key (account_id, digest)) ${end}`,
    `create table sessions (digest ${text} primary key, account_id ${text} references accounts(id),
      ${ints(words, "created_at", "last_seen_at", "ends_at")}) ${end}`,
    `create table clients (id ${text} primary key, ${texts(words, "name")}, created_at ${int} not null) ${end}`,
    "create unique index clients_by_name on clients (name)",
    `create table client_tokens (digest ${text} primary key, client_id ${text} references clients(id),
      ${ints(words, "created_at", "ends_at", "masked")}) ${end}`,
    `create table devices (id ${text} primary key, ${texts(words, "ae", "address")},
      ${ints(words, "created_at", "last_seen_at")}) ${end}`,
    "create unique index devices_by_ae on devices (ae, address)",
    `create table waiting_callers (${texts(words, "ae", "address")}, ${ints(words, "first_at", "last_at", "attempts")},
      primary key (ae, address)) ${end}`,
    `create table invitations (digest ${text} primary key, ${texts(words, "name", "role")},
      ${ints(words, "created_at", "ends_at")}) ${end}`,
    "create unique index invitations_by_name on invitations (name)",
  ];
}

function decisions(words: Words): string[] {
  const { text, bytes, end } = words;
  return [
    `create table requests (id ${text} primary key,
      ${texts(words, "act", "subject_kind", "subject_id", "requested_by", "state", "decided_by")},
      ${ints(words, "requested_at", "ends_at", "decided_at", "begun")},
      detail_sealed ${bytes}, result_sealed ${bytes}) ${end}`,
  ];
}

/** What an account's one role was becomes grants; who was invited before is invited again. */
function grants(words: Words): string[] {
  const { text, end } = words;
  const given = (id: string, role: string, where: string) =>
    `insert into grants select ${id}, 'user:' || id, '${role}', 'tenant', '', 'treatment', 'operator', created_at, 0, 0, ''
      from accounts where role = '${where}'`;
  return [
    `create table grants (id ${text} primary key,
      ${texts(words, "holder", "role", "place_kind", "place_id", "purpose", "given_by")},
      ${ints(words, "given_at", "ends_at", "ended_at")}, ${texts(words, "ended_by")}) ${end}`,
    given("id", "administrator", "administrator"),
    given("substr(id, 17) || substr(id, 1, 16)", "radiologist", "administrator"),
    given("substr(id, 9) || substr(id, 1, 8)", "technologist", "administrator"),
    given("id", "researcher", "observer"),
    "alter table accounts drop column role",
    "delete from invitations",
    "alter table invitations drop column role",
    `alter table invitations add column terms ${text} default '[]'`,
    `alter table invitations add column invited_by ${text} default ''`,
  ];
}

/** Who signed in before signs in again: what is known of a session has changed. */
function waysIn(words: Words): string[] {
  const { text, int, bytes, end, clustered } = words;
  return [
    "drop table sessions",
    `create table sessions (digest ${text} primary key, ${texts(words, "holder")},
      ${ints(words, "created_at", "authenticated_at", "last_seen_at", "ends_at")}, from_sealed ${bytes}) ${end}`,
    `create table passkeys (id ${text} primary key, account_id ${text} references accounts(id),
      ${texts(words, "name", "transports")}, public_key ${bytes},
      ${ints(words, "counter", "is_synced", "created_at", "last_used_at")}) ${end}`,
    "create index passkeys_by_account on passkeys (account_id)",
    `create table known_browsers (account_id ${text} references accounts(id), digest ${text},
      created_at ${int} not null, primary key (account_id, digest)) ${clustered}`,
    `create table account_links (digest ${text} primary key, account_id ${text} references accounts(id),
      ${texts(words, "kind", "issued_by")}, reason_sealed ${bytes}, ${ints(words, "created_at", "ends_at")}) ${end}`,
    `create table identity_providers (id ${text} primary key,
      ${texts(words, "label", "issuer", "client_id", "groups_claim", "lists")},
      client_secret_sealed ${bytes}, created_at ${int} not null) ${end}`,
    `create table provided_accounts (digest ${text} primary key, ${texts(words, "provider_id", "account_id")}) ${end}`,
    "create index provided_accounts_by_account on provided_accounts (account_id)",
  ];
}

/** Where machines stand, and what somebody may be granted. */
function facilities(words: Words): string[] {
  const { text, end } = words;
  return [
    `create table facilities (id ${text} primary key, ${texts(words, "name")}, ${ints(words, "created_at")}) ${end}`,
    "create unique index facilities_by_name on facilities (name)",
    `alter table devices add column facility ${text} default ''`,
  ];
}

/** What is personal about log entries, by the commitment in each; may be emptied without harm to the log. */
function logDetails({ text, bytes, clustered }: Words): string[] {
  return [`create table log_details (commitment ${text} primary key, sealed ${bytes}) ${clustered}`];
}

/** What the OAuth provider remembers, sealed, and how programs prove who they are. */
function oauthRecords(words: Words): string[] {
  const { text, int, bytes, end, clustered } = words;
  return [
    `create table oauth_records (${texts(words, "kind", "digest")}, sealed ${bytes}, ends_at ${int} not null,
      primary key (kind, digest)) ${clustered}`,
    `create table oauth_clients (client_id ${text} primary key references clients(id), ${texts(words, "registration")}) ${end}`,
  ];
}

/** Links for somebody outside, and what somebody else judges afterwards. */
function reviews(words: Words): string[] {
  const { text, bytes, end, clustered } = words;
  return [
    `create table shares (id ${text} primary key,
      ${texts(words, "digest", "code_digest", "study", "mode", "purpose", "made_by")},
      ${ints(words, "made_at", "ends_at", "uses", "last_used_at")}, about_sealed ${bytes}) ${end}`,
    "create unique index shares_by_digest on shares (digest)",
    `create table reviews (id ${text} primary key, ${texts(words, "kind", "actor", "patient", "study")},
      ${ints(words, "day", "first_at", "last_at", "count")}, ${texts(words, "reviewer", "outcome")},
      note_sealed ${bytes}, ${ints(words, "decided_at")}) ${end}`,
    "create index reviews_by_time on reviews (last_at)",
    "create unique index reviews_open on reviews (actor, kind, patient, day) where outcome = ''",
    `create table marked_patients (patient ${text} primary key, reason_sealed ${bytes},
      ${texts(words, "marked_by")}, ${ints(words, "marked_at")}) ${end}`,
    `create table person_facts (account_id ${text} primary key references accounts(id) on delete cascade,
      sealed ${bytes}) ${clustered}`,
    `create table saved_views (id ${text} primary key, account_id ${text} not null references accounts(id) on delete cascade,
      sealed ${bytes}, ${ints(words, "created_at")}) ${end}`,
    "create index saved_views_by_account on saved_views (account_id)",
  ];
}

/** Where machines take associations, what they may do, and the certificate that each must show. */
function machines({ text, int }: Words): string[] {
  return [
    `alter table devices add column port ${int} not null default 0`,
    `alter table devices add column tls ${int} not null default 0`,
    `alter table devices add column may ${text} default 'store find retrieve worklist'`,
    `alter table devices add column certificate ${text} default ''`,
  ];
}

/** What a facility's work needs beside images, each sealed for itself. */
function records(words: Words): string[] {
  const { int, bytes, clustered } = words;
  return [
    `create table records (${texts(words, "kind", "id")}, version ${int} not null, due_at ${int}, sealed ${bytes},
      primary key (kind, id)) ${clustered}`,
    "create index records_due on records (kind, due_at, id)",
  ];
}

/** Our own devices in facilities, and the certificates that they come in with. */
function edges(words: Words): string[] {
  const { text, end } = words;
  return [
    `create table edges (id ${text} primary key,
      ${texts(words, "name", "facility", "state", "code_digest", "serial", "next_serial", "software")},
      ${ints(words, "version", "code_ends_at", "not_after", "created_at", "enrolled_at", "last_seen_at", "revoked_at")}) ${end}`,
    "create unique index edges_by_name on edges (name)",
  ];
}

/** What they vouch with for what they receive. No reference: keys outlive their edge, as what was signed does. */
function edgeSigningKeys(words: Words): string[] {
  const { int, clustered } = words;
  return [
    `create table edge_signing_keys (${texts(words, "edge", "public_key")}, since ${int} not null,
      primary key (edge, public_key)) ${clustered}`,
  ];
}
