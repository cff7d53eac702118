import { type Clock, systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { silentLog } from "#base/log";
import { createMemoryBlindStore } from "#stores/memory";
import { createGate, type Gate, type Policy } from "#trust/access";
import type { AuditEntry, AuditLog } from "#trust/audit";
import { createReveal, type Vault } from "#trust/vault";
import { policyWhere } from "../../trust/access/grants.fixture.ts";
import { memoryStores, openVault } from "../../trust/vault/vault.fixture.ts";
import type { ArchiveParts } from "./archive.ts";
import type { BlindStore } from "./blind-store.ts";
import { type Arriving, createArchive, createBlindIndex, type StudyIndex } from "./index.ts";

export interface ArchiveOptions {
  /** The stores of both halves, to open a second archive on what the first left. */
  readonly stores?: ReturnType<typeof memoryStores>;
  readonly blindStore?: BlindStore;
  readonly clock?: Clock;
  readonly studiesPerMinuteMax?: number;
  /** Absent: nobody holds a grant, so that only the operator and machines may do anything. */
  readonly policy?: Policy;
  /** Absent: no edge was ever enrolled. */
  readonly signingKeysOf?: ArchiveParts["signingKeysOf"];
  readonly arriving?: Arriving;
}

type Appended = Omit<AuditEntry, "at">;

/** A whole archive over stores in memory: real vault, gate, reveal and blind index; the log is a list. */
export async function openArchive(options: ArchiveOptions = {}) {
  const {
    stores = memoryStores(),
    blindStore = createMemoryBlindStore(),
    clock = systemClock,
    policy = policyWhere(),
    signingKeysOf = async () => [],
  } = options;
  const entries: Appended[] = [];
  const audit = {
    append: async (entry: Appended) => entries.push(entry),
    size: () => entries.length,
    entries: async (from, to) => entries.slice(from, to).map((entry) => ({ ...entry, at: clock.now() })),
  } as Partial<AuditLog> as AuditLog;
  const { vault } = await openVault({ stores });
  const gate = createGate({ policy, audit, clock });
  const log = silentLog;
  const { studiesPerMinuteMax = 1_000_000 } = options;
  const { reveal, breaker } = createReveal({ vault, gate, audit, clock, log, studiesPerMinuteMax });
  const index = createBlindIndex({ store: blindStore, box: vault.indexBox, clock });
  const { arriving } = options;
  const archive = archiveOf({ signingKeysOf, vault, gate, audit, reveal, index, clock, ...(arriving && { arriving }) });
  return { archive, vault, gate, reveal, breaker, index, entries, stores, blindStore, clock };
}

function archiveOf(parts: {
  signingKeysOf: ArchiveParts["signingKeysOf"];
  vault: Vault;
  gate: Gate;
  audit: AuditLog;
  reveal: ReturnType<typeof createReveal>["reveal"];
  index: StudyIndex;
  clock: Clock;
  arriving?: Arriving;
}) {
  return createArchive({
    ...parts,
    random: systemRandom,
    log: silentLog,
    implementation: { classUid: "2.25.1", version: "TEST" },
    bulkDataRoot: "/dicom-web",
  });
}
