import { promisify } from "node:util";
import { deflateRaw, inflateRaw } from "node:zlib";
import { newUid, type Random } from "#base/id";
import { Problem } from "#base/problem";
import { type DataSet, type DicomJson, hexOfTag, toDicomJson } from "#formats/dicom";
import { type Actor, covers, type Gate, type Pass, type Reach } from "#trust/access";
import type { Records, Shelf } from "#trust/vault";
import { itemsOf, key, stepOf, textAt, textsAt } from "./attributes.ts";
import type { HeldStep, HeldSteps } from "./held-steps.ts";
import { changedBy, performedKey, requireBeginning, statusIn } from "./performed-attributes.ts";
import { factsOf, type PerformedStatus, type StepContent, withPerformed } from "./scheduled-step.ts";

/** Modality Performed Procedure Steps (PS3.4 §F.7): what scanners say that they do. The scheduled steps follow. */
export interface PerformedSteps {
  /**
   * A step begins in a facility (its token; empty: in none). Resolves with its SOP Instance UID, made where none is given. Problem `conflict` when there is one of that UID, `invalid`
   * (`WithAttributeFault`) when it cannot begin so.
   */
  begin(actor: Actor, facility: string, uid: string | undefined, attributes: DataSet): Promise<string>;
  /** Problem `absent` for a step that is not there for this actor, `conflict` for one that has ended, `invalid` as for `begin`. */
  change(actor: Actor, uid: string, attributes: DataSet): Promise<void>;
  /** The attributes that are named and there; all of them when none is named. */
  read(actor: Actor, uid: string, tags: readonly number[]): Promise<DicomJson>;
}

interface PerformedRecord {
  readonly facility: string;
  readonly status: PerformedStatus;
  /** The scheduled steps that it is of, by their tokens; none of an unscheduled one. */
  readonly scheduled: readonly string[];
  readonly startedAt: number;
  readonly changedAt: number;
  /** Its attributes in the DICOM JSON model, deflated: a CT of some thousand slices names each of them. */
  readonly packed: string;
}

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);
const unpackedBytesMax = 64 * 1024 * 1024;
/** A performance is kept for so long after its last change: some scanners never end theirs. */
const keptMs = 90 * 24 * 60 * 60 * 1000;
const forgottenAtOnce = 50;

export function createPerformedSteps(parts: {
  readonly records: Records;
  readonly held: () => Promise<HeldSteps>;
  readonly gate: Gate;
  readonly now: () => number;
  readonly random: Random;
}): PerformedSteps {
  const { records, gate, now, random } = parts;
  const shelf: Shelf<PerformedRecord> = records.shelf("performed-step");
  const idOf = (uid: string) => records.idOf("performed-step", uid);
  const subject = (id: string) => ({ kind: "step", id }) as const;

  const known = async (id: string, reach: Reach) => {
    const kept = await shelf.get(id);
    if (kept === undefined || !covers(reach, factsOf(kept.value)))
      throw new Problem("absent", "no such performed step");
    return kept;
  };

  return {
    begin(actor, facility, given, dataSet) {
      const uid = given ?? newUid(random);
      const id = idOf(uid);
      const work = async ({ reach }: Pass) => {
        const attributes = toDicomJson(dataSet);
        requireBeginning(attributes);
        const held = await parts.held();
        return held.inTurn(async () => {
          if ((await shelf.get(id)) !== undefined)
            throw new Problem("conflict", "there is a performed step of this UID");
          const steps = scheduledFor(held, attributes, reach);
          const scheduled = steps.map(({ token }) => token);
          const at = now();
          const record = { facility, status: "IN PROGRESS", scheduled, startedAt: at, changedAt: at } as const;
          await held.put(
            following(held, scheduled, id, "IN PROGRESS"),
            actor,
            shelf.put(id, { ...record, packed: await packed(attributes) }, { dueAt: at + keptMs }),
            ...(await shelf.due(at, forgottenAtOnce)).map(shelf.remove),
          );
          return uid;
        });
      };
      return gate.pass(actor, "step.perform", subject(id), work);
    },
    change(actor, uid, dataSet) {
      const id = idOf(uid);
      const work = async ({ reach }: Pass) => {
        const held = await parts.held();
        await held.inTurn(async () => {
          const kept = await known(id, reach);
          const { value } = kept;
          // PS3.4 §F.7.2.2.2: what was completed or discontinued stays as it is.
          if (value.status !== "IN PROGRESS")
            throw new Problem("conflict", "the performed step may no longer be updated");
          const attributes = changedBy(await unpacked(value.packed), toDicomJson(dataSet));
          const status = statusIn(attributes);
          const at = now();
          const record = { ...value, status, changedAt: at, packed: await packed(attributes) };
          const steps = status === value.status ? new Map() : following(held, value.scheduled, id, status);
          await held.put(steps, actor, shelf.put(id, record, { known: kept, dueAt: at + keptMs }));
        });
      };
      return gate.pass(actor, "step.perform", subject(id), work);
    },
    read(actor, uid, tags) {
      const id = idOf(uid);
      return gate.pass(actor, "step.read", subject(id), async ({ reach }) => {
        const attributes = await unpacked((await known(id, reach)).value.packed);
        if (tags.length === 0) return attributes;
        const asked = new Set(tags.map(hexOfTag));
        return Object.fromEntries(Object.entries(attributes).filter(([at]) => asked.has(at)));
      });
    },
  };
}

/** The scheduled steps that are still there, with the new status of this performed one. */
function following(held: HeldSteps, tokens: readonly string[], id: string, status: PerformedStatus) {
  const contents = new Map<string, StepContent>();
  for (const token of tokens) {
    const step = held.get(token);
    if (step !== undefined) contents.set(token, withPerformed(step.content, id, status));
  }
  return contents;
}

/**
 * The scheduled steps that a performed one says that it is of: several when they are done together, none when nothing was scheduled. Each is
 * found by its Study Instance UID, else by its accession number: scanners that had no worklist make a UID of their own.
 */
function scheduledFor(held: HeldSteps, attributes: DicomJson, reach: Reach): HeldStep[] {
  const modality = textAt(attributes, key.modality);
  const found = new Set<HeldStep>();
  for (const item of itemsOf(attributes[performedKey.scheduled])) {
    const stepId = textAt(item, key.stepId);
    const isMeant = (step: HeldStep) => {
      if (!covers(reach, factsOf(step.content))) return false;
      const planned = stepOf(step.content.attributes);
      return stepId === "" ? textsAt(planned, key.modality).includes(modality) : textAt(planned, key.stepId) === stepId;
    };
    const having = (at: string) =>
      textsAt(item, at).flatMap((text) => held.having([[`${at} ${text}`]]).filter(isMeant));
    const ofStudy = having(key.studyUid);
    for (const step of ofStudy.length > 0 ? ofStudy : having(key.accessionNumber)) found.add(step);
  }
  return [...found];
}

async function packed(attributes: DicomJson): Promise<string> {
  const bytes = await deflate(Buffer.from(JSON.stringify(attributes), "utf8"));
  return bytes.toString("base64");
}

async function unpacked(text: string): Promise<DicomJson> {
  const bytes = await inflate(Buffer.from(text, "base64"), { maxOutputLength: unpackedBytesMax });
  return JSON.parse(bytes.toString("utf8")) as DicomJson;
}
