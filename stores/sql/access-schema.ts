import { ints, type Schema, texts, type Words } from "./schema.ts";

/** Who may come in: accounts, sessions, programs, machines, and what two decide together. */
export const accessSchema: Schema = {
  name: "access",
  migrations: [
    (words) => [...callers(words), ...decisions(words)],
    (words) => [...grants(words), ...logDetails(words), ...oauthRecords(words)],
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
