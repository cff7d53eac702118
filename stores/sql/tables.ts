import type { EdgeState, Purpose, RequestState, ReviewKind, ReviewOutcome, ShareMode } from "#trust/access";

/** The tables of the access database as the queries see them, the same on both engines. Integers hold numbers, times (epoch ms) and 0 or 1. */
export interface Tables {
  accounts: AccountTable;
  grants: GrantTable;
  facilities: { id: string; name: string; created_at: number };
  recovery_codes: { account_id: string; digest: string };
  sessions: SessionTable;
  passkeys: PasskeyTable;
  known_browsers: { digest: string; account_id: string; created_at: number };
  account_links: AccountLinkTable;
  identity_providers: IdentityProviderTable;
  provided_accounts: { digest: string; provider_id: string; account_id: string };
  clients: { id: string; name: string; created_at: number };
  client_tokens: { digest: string; client_id: string; created_at: number; ends_at: number; masked: number };
  invitations: InvitationTable;
  requests: RequestTable;
  devices: DeviceTable;
  edges: EdgeTable;
  edge_signing_keys: { edge: string; public_key: string; since: number };
  waiting_callers: WaitingTable;
  oauth_records: { kind: string; digest: string; sealed: Uint8Array; ends_at: number };
  oauth_clients: { client_id: string; registration: string };
  shares: ShareTable;
  reviews: ReviewTable;
  marked_patients: { patient: string; reason_sealed: Uint8Array; marked_by: string; marked_at: number };
  saved_views: { id: string; account_id: string; sealed: Uint8Array; created_at: number };
  person_facts: { account_id: string; sealed: Uint8Array };
  log_details: { commitment: string; sealed: Uint8Array };
  records: RecordTable;
}

export interface RecordTable {
  kind: string;
  id: string;
  version: number;
  due_at: number | null;
  sealed: Uint8Array;
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
  holder: string;
  created_at: number;
  authenticated_at: number;
  last_seen_at: number;
  ends_at: number;
  from_sealed: Uint8Array;
}

export interface PasskeyTable {
  id: string;
  account_id: string;
  name: string;
  public_key: Uint8Array;
  counter: number;
  /** With blanks between. */
  transports: string;
  is_synced: number;
  created_at: number;
  last_used_at: number;
}

export interface AccountLinkTable {
  digest: string;
  account_id: string;
  kind: "recover" | "enrol";
  issued_by: string;
  reason_sealed: Uint8Array;
  created_at: number;
  ends_at: number;
}

export interface IdentityProviderTable {
  id: string;
  label: string;
  issuer: string;
  client_id: string;
  client_secret_sealed: Uint8Array;
  groups_claim: string;
  /** JSON. */
  lists: string;
  created_at: number;
}

export interface DeviceTable {
  id: string;
  ae: string;
  address: string;
  facility: string;
  /** 0: it takes no associations. */
  port: number;
  tls: number;
  /** Words of `DeviceRight`, with spaces between. */
  may: string;
  certificate: string;
  created_at: number;
  last_seen_at: number;
}

export interface EdgeTable {
  id: string;
  name: string;
  facility: string;
  state: EdgeState;
  version: number;
  code_digest: string;
  code_ends_at: number;
  serial: string;
  next_serial: string;
  not_after: number;
  software: string;
  created_at: number;
  enrolled_at: number;
  last_seen_at: number;
  revoked_at: number;
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

export interface ShareTable {
  id: string;
  digest: string;
  code_digest: string;
  study: string;
  mode: ShareMode;
  purpose: Purpose;
  made_by: string;
  made_at: number;
  ends_at: number;
  uses: number;
  last_used_at: number;
  about_sealed: Uint8Array;
}

export interface ReviewTable {
  id: string;
  kind: ReviewKind;
  actor: string;
  patient: string;
  study: string;
  day: number;
  first_at: number;
  last_at: number;
  count: number;
  reviewer: string;
  outcome: ReviewOutcome | "";
  note_sealed: Uint8Array;
  decided_at: number;
}
