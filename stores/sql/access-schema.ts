import { ints, type Schema, texts, type Words } from "./schema.ts";

/** Who may come in: accounts, sessions, programs, machines, and what two decide together. */
export const accessSchema: Schema = {
  name: "access",
  migrations: [(words) => [...callers(words), ...decisions(words)]],
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
