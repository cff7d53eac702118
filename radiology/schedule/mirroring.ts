import { createHash } from "node:crypto";
import { newToken, type Random } from "#base/id";
import { isPassing, isProblem } from "#base/problem";
import {
  type DataSet,
  type DicomJson,
  fromDicomJson,
  readDataSet,
  TransferSyntaxUid,
  writeDataSet,
} from "#formats/dicom";
import { type Actor, covers, type Gate } from "#trust/access";
import type { Records } from "#trust/vault";
import { byStart, type HeldSteps } from "./held-steps.ts";
import { factsOf, identityOf, isOver, type StepContent } from "./scheduled-step.ts";

/** A schedule that another one is a copy of: an edge has that of its cloud, so that scanners are answered while the cloud is away. */
export interface Mirroring {
  /** Stands for the schedule as it is: another text after each change, and after each start. */
  version(): Promise<string>;
  /**
   * Steps that are not over, which the actor may see, the next ones first, with all that is known of each; of one facility and of none, where
   * one is named. At most 2,000.
   */
  planned(actor: Actor, facility?: string): Promise<DicomJson[]>;
  /**
   * Makes what was taken over before the same as this. What is planned here alone stays, and what was begun with here. A step that is none, or
   * cannot be planned here, is counted and keeps no other from coming.
   */
  mirror(actor: Actor, steps: readonly DicomJson[]): Promise<MirroredCounts>;
}

export interface MirroredCounts {
  readonly changed: number;
  readonly removed: number;
  readonly refused: number;
}

const plannedMost = 2_000;
/** One record has all of them. */
const recordId = "0".repeat(32);
const encoding = { transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian };

const isAt = (content: StepContent, facility: string) =>
  facility === "" || content.facility === "" || content.facility === facility;

export function createMirroring(parts: {
  readonly records: Records;
  readonly gate: Pick<Gate, "pass">;
  readonly random: Random;
  readonly held: () => Promise<HeldSteps>;
  readonly put: (actor: Actor, item: () => DataSet, facility: string) => Promise<unknown>;
}): Mirroring {
  const { records, gate, held, put } = parts;
  const instance = newToken(parts.random).slice(0, 8);
  /** What was taken over: the digest of each step, by its token. */
  const shelf = records.shelf<Readonly<Record<string, string>>>("mirrored-steps");
  return {
    version: async () => `${instance}.${(await held()).changes()}`,
    planned: (actor, facility = "") =>
      gate.pass(actor, "worklist.read", undefined, async ({ reach }) =>
        (await held())
          .all()
          .filter(({ content }) => !isOver(content) && covers(reach, factsOf(content)) && isAt(content, facility))
          .sort(byStart)
          .slice(0, plannedMost)
          .map(({ content }) => content.attributes),
      ),
    async mirror(actor, steps) {
      const known = await shelf.get(recordId);
      const before = known?.value ?? {};
      const after: Record<string, string> = {};
      let changed = 0;
      let refused = 0;
      for (const step of steps.slice(0, plannedMost)) {
        const token = records.idOf("scheduled-step", identityOf(step));
        const digest = createHash("sha256").update(JSON.stringify(step)).digest("base64url");
        after[token] = digest;
        if (before[token] === digest) continue;
        const facility = (await held()).get(token)?.content.facility ?? "";
        try {
          await put(actor, () => readDataSet(writeDataSet(fromDicomJson(step), encoding), encoding), facility);
          changed++;
        } catch (error) {
          if (!isProblem(error) || isPassing(error)) throw error;
          refused++;
        }
      }
      const gone = Object.keys(before).filter((token) => !(token in after));
      const removed =
        gone.length === 0 ? 0 : await gate.pass(actor, "worklist.write", undefined, () => removeUnbegun(gone));
      if (changed + refused + gone.length > 0) await records.change(shelf.put(recordId, after, { known }));
      return { changed, removed, refused };
    },
  };

  async function removeUnbegun(tokens: readonly string[]): Promise<number> {
    const all = await held();
    let removed = 0;
    await all.inTurn(async () => {
      for (const token of tokens) {
        const step = all.get(token);
        if (step === undefined || Object.keys(step.content.performed).length > 0) continue;
        if (await all.remove(token)) removed++;
      }
    });
    return removed;
  }
}
