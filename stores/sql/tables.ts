import type { RequestState, Role } from "#trust/access";

/** The tables as the queries see them, the same on both databases. Integers hold numbers, times (epoch ms) and 0 or 1. */
export interface Tables {
  schema_version: { version: number };
  studies: StudyTable;
  series: SeriesTable;
  instances: InstanceTable;
  conflicts: ConflictTable;
  pack_marks: { pack: string; position: number };
  totals: { name: string; total: number };
  accounts: AccountTable;
  recovery_codes: { account_id: string; digest: string };
  sessions: SessionTable;
  clients: { id: string; name: string; created_at: number };
  client_tokens: { digest: string; client_id: string; created_at: number; ends_at: number; masked: number };
  invitations: InvitationTable;
  requests: RequestTable;
  devices: DeviceTable;
  waiting_callers: WaitingTable;
}

export interface StudyTable {
  id: number;
  study_token: string;
  study_uid: string;
  study_date: string;
  study_time: string;
  accession_number: string;
  study_code: string;
  description: string;
  description_folded: string;
  referrer: string;
  referrer_ideographic: string;
  referrer_phonetic: string;
  patient_name: string;
  patient_name_ideographic: string;
  patient_name_phonetic: string;
  patient_id: string;
  patient_id_issuer: string;
  birth_date: string;
  sex: string;
  /** `\CT\SR\`: sorted, each between backslashes; empty when there is none. */
  modalities: string;
  series_count: number;
  instance_count: number;
  conflict_count: number;
  changed_at: number;
  /** As `modalities`. */
  sop_classes: string;
  /** IndexedValues as JSON. */
  attributes: string;
}

export interface SeriesTable {
  id: number;
  study_id: number;
  series_uid: string;
  modality: string;
  series_number: number;
  description: string;
  description_folded: string;
  series_date: string;
  series_time: string;
  body_part: string;
  station: string;
  step_date: string;
  step_time: string;
  instance_count: number;
  changed_at: number;
  blob_pack: string | null;
  blob_offset: number | null;
  /** -1 when there is no blob. */
  blob_instance_count: number;
  attributes: string;
}

/** What is kept of one copy of an instance, served or in conflict. */
export interface CopyColumns {
  token: string;
  sop_uid: string;
  sop_class_uid: string;
  transfer_syntax_uid: string;
  pack: string;
  pack_offset: number;
  size_bytes: number;
  data_set_offset: number;
  pixel_offset: number | null;
  pixel_length: number | null;
  data_set_sha256: string;
  received_at: number;
  received_from: string;
  attributes: string;
}

export interface InstanceTable extends CopyColumns {
  id: number;
  series_id: number;
  instance_number: number;
  content_date: string;
  content_time: string;
}

/** Copies that came under a SOP Instance UID that was taken, with the study and series that they name themselves. */
export interface ConflictTable extends CopyColumns {
  id: number;
  instance_id: number;
  study_token: string;
  study_uid: string;
  series_uid: string;
}

export interface AccountTable {
  id: string;
  name: string;
  password_hash: string;
  totp_sealed: Uint8Array;
  totp_step: number;
  role: Role;
  created_at: number;
}

export interface InvitationTable {
  digest: string;
  name: string;
  role: Role;
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
