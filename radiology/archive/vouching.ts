import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import { type Gate, system } from "#trust/access";
import { type ProvesProvenance, provenanceProver } from "#trust/parcels";
import type { IdentityValues, Revealed, Vault } from "#trust/vault";
import { openWhole, type ReceivedObject } from "./held-instance.ts";
import type { StoredRecord } from "./stored-record.ts";
import type { IndexedInstance, InstanceRecord, Vouched } from "./study-index.ts";

/** Whether what says that it came by an edge was received by one of this house. */
export interface Vouching {
  /**
   * Opens both halves of an instance, the one that identifies as it was let through; `values` are those of its row, undefined where its study was
   * shredded. Problem `damaged` for what no edge of this house vouched for, although it says so: logged, once for each.
   */
  wholeOf(
    row: IndexedInstance,
    values: IdentityValues | undefined,
    revealed: Pick<Revealed, "openHalf">,
    at: number,
  ): () => Promise<ReceivedObject>;
  /** What is wrong with an object of the identity store, by its record; undefined when nothing is. */
  faultIn(record: Buffer): Promise<string | undefined>;
}

type Received = Pick<InstanceRecord, "transferSyntaxUid" | "dataSetSha256">;

/** What edges sign for when they receive an instance (`Provenance.kind`). */
const kind = "instance";
const notVouchedFor = "it was not received by an edge of this house, as it says: injected or changed";
/** So many are remembered as told of. */
const flaggedMost = 10_000;
const proversMost = 10_000;

export function createVouching(parts: {
  /** Every key that this edge ever signed with, base64url: also of one that was revoked or removed since. */
  readonly signingKeysOf: (edge: string) => Promise<readonly string[]>;
  readonly vault: Vault;
  readonly gate: Pick<Gate, "pass">;
  readonly log: Log;
}): Vouching {
  const { signingKeysOf, vault, gate, log } = parts;
  const flagged = new Set<string>();
  /** By edge and key. Registered keys stay registered. */
  const provers = new Map<string, ProvesProvenance>();

  const proverOf = async ({ edge, key }: Vouched): Promise<ProvesProvenance | undefined> => {
    const name = `${edge} ${key}`;
    const known = provers.get(name);
    if (known !== undefined) return known;
    if (!(await signingKeysOf(edge)).includes(key)) return undefined;
    if (provers.size >= proversMost) provers.clear();
    const prover = provenanceProver(key);
    provers.set(name, prover);
    return prover;
  };
  /** What came by no edge has nothing to prove. */
  const isProven = async (
    { dataSetSha256: sha256, transferSyntaxUid }: Received,
    provenance: Vouched | undefined,
  ): Promise<boolean> => {
    if (provenance === undefined) return true;
    const { edge, receivedAt, signature } = provenance;
    const prover = await proverOf(provenance);
    return prover?.({ edge, kind, sha256, transferSyntaxUid, receivedAt }, signature) === true;
  };
  const flag = async (id: string): Promise<void> => {
    if (flagged.has(id)) return;
    if (flagged.size >= flaggedMost) flagged.clear();
    flagged.add(id);
    log.error("an instance was not received by an edge of this house, as it says", { id });
    await gate.pass(system, "instance.flag", { kind: "instance", id }, async () => {});
  };

  return {
    wholeOf: (row, values, revealed, at) => async () => {
      const { dataSetSha256 = "", provenance } = values ?? {};
      if (await isProven({ ...row, dataSetSha256 }, provenance)) return openWhole(vault, row, revealed.openHalf(at));
      await flag(row.id);
      throw new Problem("damaged", `an instance was not served: ${notVouchedFor}`, {
        remedy: "see the log for its flag; if the edge has its own copy still, send it again from there",
      });
    },
    async faultIn(record) {
      const stored = JSON.parse(record.toString("utf8")) as StoredRecord;
      if (stored.kind !== "instance") return undefined;
      if (await isProven(stored.record, stored.record.provenance)) return undefined;
      await flag(stored.image.id);
      return notVouchedFor;
    },
  };
}
