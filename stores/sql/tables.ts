import type { RequestState } from "#trust/access";

/** The tables of the access database as the queries see them, the same on both engines. Integers hold numbers, times (epoch ms) and 0 or 1. */
export interface Tables {
  accounts: AccountTable;
  grants: GrantTable;
  recovery_codes: { account_id: string; digest: string };
  sessions: SessionTable;
  clients: { id: string; name: string; created_at: number };
  client_tokens: { digest: string; client_id: string; created_at: number; ends_at: number; masked: number };
  invitations: InvitationTable;
  requests: RequestTable;
  devices: DeviceTable;
  waiting_callers: WaitingTable;
  oauth_records: { kind: string; digest: string; sealed: Uint8Array; ends_at: number };
  oauth_clients: { client_id: string; registration: string };
  log_details: { commitment: string; sealed: Uint8Array };
}

export interface AccountTable {
  id: string;
  name: string;
  password_hash: string;
  totp_sealed: Uint8Array;
  totp_step: number;
  created_at: number;
}

export interface InvitationTable {
  digest: string;
  name: string;
  /** JSON. */
  terms: string;
  invited_by: string;
  created_at: number;
  ends_at: number;
}

export interface RequestTable {
  id: string;
  act: string;
  subject_kind: string;
  subject_id: string;
  requested_by: string;
  requested_at: number;
  ends_at: number;
  state: RequestState;
  decided_by: string;
  decided_at: number;
  begun: number;
  detail_sealed: Uint8Array;
  result_sealed: Uint8Array;
}

export interface SessionTable {
  digest: string;
  account_id: string;
  created_at: number;
  last_seen_at: number;
  ends_at: number;
}

export interface DeviceTable {
  id: string;
  ae: string;
  address: string;
  created_at: number;
  last_seen_at: number;
}

export interface WaitingTable {
  ae: string;
  address: string;
  first_at: number;
  last_at: number;
  attempts: number;
}

export interface GrantTable {
  id: string;
  holder: string;
  role: string;
  place_kind: string;
  place_id: string;
  purpose: string;
  given_by: string;
  given_at: number;
  ends_at: number;
  ended_at: number;
  ended_by: string;
}
