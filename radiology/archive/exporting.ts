import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import type { Files } from "#base/io";
import { isProblem, Problem } from "#base/problem";
import type { Actor, Gate, Pass } from "#trust/access";
import type { AuditSubject } from "#trust/audit";
import type { Vault } from "#trust/vault";
import type { Archive } from "./archive.ts";
import type { HeldInstance } from "./held-instance.ts";
import { receivedBytes, wholeBytes } from "./proven-bytes.ts";
import type { IndexedStudy, StudyIndex } from "./study-index.ts";

/** Which studies: named, or all that fit the rest. */
export interface BulkChoice {
  /** Tokens. */
  readonly studies?: readonly string[];
  readonly modality?: string;
  /** YYYYMMDD, both included. */
  readonly from?: string;
  readonly to?: string;
  readonly by: "study" | "arrival";
  readonly received: boolean;
}

export interface ExportPlan {
  readonly on: AuditSubject;
  /** What the second person is told. */
  readonly detail: Readonly<Record<string, string>>;
}

/** Studies that two people decided to give out. */
export interface BulkExport {
  /** Of the request that was confirmed. */
  readonly id: string;
  readonly studies: readonly string[];
  /** Epoch milliseconds. */
  readonly until: number;
}

/** The instances of a study, one after the other, each with bytes that are proven before the last of them is given. */
export interface GivenStudy {
  readonly instances: readonly (() => AsyncIterable<Buffer>)[];
}

/**
 * Studies on their way out as files. A study by itself is read like any other. Many are fixed when the export is asked for (`plan`), can be
 * had one by one once it was confirmed (`begin`), by who asked, until they have them all (`end`) or the time is over.
 */
export interface Exporting {
  /** As act `study.read`. */
  study(actor: Actor, studyToken: string, received: boolean): Promise<GivenStudy>;
  /** Problem `absent` when there are no such studies. */
  plan(choice: BulkChoice): Promise<ExportPlan>;
  /** What is done when a bulk export is confirmed. It may be done again. */
  begin(pass: Pass): Promise<{ readonly id: string; readonly studies: number; readonly until: number }>;
  /** The confirmed one that `planId` is of. Problem `absent` once it was ended or its time is over. */
  open(planId: string): Promise<BulkExport>;
  /** One study of it. */
  given(pass: Pass, planId: string, studyToken: string): Promise<GivenStudy>;
  end(planId: string): Promise<void>;
}

export interface ExportingParts {
  readonly archive: Pick<Archive, "heldOf" | "settled" | "subjectOf">;
  readonly index: StudyIndex;
  readonly vault: Pick<Vault, "secrets">;
  readonly gate: Gate;
  readonly files: Files;
  /** Where it is kept which studies a bulk export gives out. */
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** What is fixed when a bulk export is asked for; with `id` and `until` from its confirmation on. */
interface KeptPlan {
  readonly studies: readonly string[];
  readonly received: boolean;
  readonly madeAt: number;
  readonly id?: string;
  readonly until?: number;
}

/** A large archive over a slow line. */
const givenMs = 24 * 3_600_000;
/** As long as a request that nobody confirmed is kept. */
const unconfirmedMs = 72 * 3_600_000;
/** A study's folder has six digits in its name. */
const studiesMost = 999_999;
const pageStudies = 1_000;

export function createExporting(parts: ExportingParts): Exporting {
  const { archive, index, gate, clock, random } = parts;
  const plans = createPlans(parts);

  const openPlan = async (planId: string): Promise<KeptPlan & BulkExport> => {
    const plan = await plans.read(planId);
    const { id, until } = plan ?? {};
    if (plan === undefined || id === undefined || until === undefined || until <= clock.now()) throw ended();
    return { ...plan, id, until };
  };
  const bytesOf = (held: readonly HeldInstance[], received: boolean): GivenStudy => ({
    instances: held.map((instance) => () => (received ? receivedBytes(instance) : wholeBytes(instance))),
  });

  return {
    async study(actor, studyToken, received) {
      const on = await archive.subjectOf(studyToken);
      const held = await gate.pass(actor, "study.read", on, (pass) => archive.heldOf(pass, studyToken));
      return bytesOf(held, received);
    },
    async plan(choice) {
      await archive.settled();
      const found = choice.studies === undefined ? await fitting(index, choice) : await named(index, choice.studies);
      if (found.length === 0) throw new Problem("absent", "there are no such studies");
      if (found.length > studiesMost) {
        throw new Problem("too-large", `an export has at most ${studiesMost} studies`, {
          remedy: "take fewer by their dates",
        });
      }
      const id = newToken(random);
      await plans.sweep();
      const studies = found.map(({ studyToken }) => studyToken);
      await plans.write(id, { studies, received: choice.received, madeAt: clock.now() });
      const images = found.reduce((sum, { instanceCount }) => sum + instanceCount, 0);
      const detail = {
        Studies: String(found.length),
        Images: String(images),
        Chosen: wordsOf(choice),
        Values: choice.received ? "as received, before corrections" : "as corrected",
      };
      return { on: { kind: "system", id }, detail };
    },
    async begin({ actor, on }) {
      const plan = on && (await plans.read(on.id));
      if (on === undefined || plan === undefined) throw ended();
      const id = actor.id.slice("pair:".length);
      const { until = clock.now() + givenMs } = plan;
      await plans.write(on.id, { ...plan, id, until });
      return { id, studies: plan.studies.length, until };
    },
    async open(planId) {
      const { id, studies, until } = await openPlan(planId);
      return { id, studies, until };
    },
    async given(pass, planId, studyToken) {
      const { studies, received } = await openPlan(planId);
      if (!studies.includes(studyToken))
        throw new Problem("absent", "that study is not among those that were confirmed");
      return bytesOf(await archive.heldOf(pass, studyToken), received);
    },
    end: (planId) => plans.remove(planId),
  };
}

/** Sealed, a file each: whole or not there. */
function createPlans({ files, folder, vault, clock }: ExportingParts) {
  /** What was read is kept: it is asked for again with each study. */
  const known = new Map<string, KeptPlan>();
  const pathOf = (id: string) => `${folder}/${id}`;
  const purposeOf = (id: string) => `studies to export ${id}`;

  const read = async (id: string): Promise<KeptPlan | undefined> => {
    const held = known.get(id);
    if (held !== undefined) return held;
    if (!/^[0-9a-f]{32}$/.test(id) || !(await files.exists(pathOf(id)))) return undefined;
    const file = await files.open(pathOf(id), "read");
    try {
      const sealed = Buffer.alloc(await file.size());
      for (let at = 0; at < sealed.length; ) {
        const count = await file.read(sealed.subarray(at), at);
        if (count === 0) break;
        at += count;
      }
      const plan = JSON.parse(vault.secrets.open(purposeOf(id), sealed).toString("utf8")) as KeptPlan;
      known.set(id, plan);
      return plan;
    } finally {
      await file.close();
    }
  };
  const remove = async (id: string): Promise<void> => {
    known.delete(id);
    await files.remove(pathOf(id));
    await files.syncFolder(folder);
  };
  return {
    read,
    remove,
    async write(id: string, plan: KeptPlan): Promise<void> {
      await files.makeFolder(folder);
      const unfinished = `${pathOf(id)}.new`;
      await files.remove(unfinished);
      const file = await files.open(unfinished, "create");
      try {
        await file.write([vault.secrets.seal(purposeOf(id), Buffer.from(JSON.stringify(plan)))], 0);
        await file.sync();
      } finally {
        await file.close();
      }
      await files.rename(unfinished, pathOf(id));
      await files.syncFolder(folder);
      known.set(id, plan);
    },
    /** Those that nobody confirmed, or whose time is over. */
    async sweep(): Promise<void> {
      for (const name of await files.list(folder)) {
        const plan = await read(name).catch(undefinedWhenDamaged);
        const until = plan?.until ?? (plan === undefined ? 0 : plan.madeAt + unconfirmedMs);
        if (until <= clock.now()) await files.remove(pathOf(name));
        if (until <= clock.now()) known.delete(name);
      }
    },
  };
}

function undefinedWhenDamaged(error: unknown): undefined {
  if (isProblem(error, "damaged")) return undefined;
  throw error;
}

async function named(index: StudyIndex, tokens: readonly string[]): Promise<IndexedStudy[]> {
  const studies: IndexedStudy[] = [];
  for (const token of new Set(tokens)) {
    const study = await index.studyOfToken(token);
    if (study === undefined) throw new Problem("absent", "one of these studies is not there", { remedy: token });
    studies.push(study);
  }
  return studies;
}

async function fitting(index: StudyIndex, choice: BulkChoice): Promise<IndexedStudy[]> {
  const { modality, from, to, by } = choice;
  const hasDates = from !== undefined || to !== undefined;
  if (by === "study" && hasDates) return dated(index, choice);
  const [first, last] = [from === undefined ? 0 : dayOf(from), to === undefined ? Infinity : dayOf(to) + dayMs];
  const studies: IndexedStudy[] = [];
  for (let after = 0; studies.length <= studiesMost; ) {
    const page = await index.studiesAfter(after, pageStudies);
    const fit = page.filter(
      ({ modalities, changedAt }) =>
        (modality === undefined || modalities.includes(modality)) && changedAt >= first && changedAt < last,
    );
    studies.push(...fit);
    const end = page.at(-1);
    if (end === undefined) break;
    after = end.id;
  }
  return studies;
}

async function dated(index: StudyIndex, { modality, from, to }: BulkChoice): Promise<IndexedStudy[]> {
  const date = { keyword: "StudyDate", kind: "range", ...(from && { from }), ...(to && { to }) } as const;
  const matches = [
    date,
    ...(modality === undefined ? [] : [{ keyword: "ModalitiesInStudy", kind: "equal", values: [modality] } as const]),
  ];
  const studies = new Map<string, IndexedStudy>();
  for (let offset = 0; studies.size <= studiesMost; offset += pageStudies) {
    const page = await index.findStudies({ matches, limit: pageStudies, offset });
    for (const study of page) studies.set(study.studyToken, study);
    if (page.length < pageStudies) break;
  }
  return [...studies.values()];
}

const dayMs = 24 * 3_600_000;

/** When a day began where the server is. */
function dayOf(date: string): number {
  const [year, month, day] = [date.slice(0, 4), date.slice(4, 6), date.slice(6, 8)].map(Number);
  return new Date(year ?? 0, (month ?? 1) - 1, day).getTime();
}

function wordsOf({ studies, modality, from, to, by }: BulkChoice): string {
  if (studies !== undefined) return "named one by one";
  if (modality === undefined && from === undefined && to === undefined) return "everything";
  const dates =
    from === undefined && to === undefined
      ? []
      : [`${by === "study" ? "study date" : "arrived"} ${from ?? ""} to ${to ?? ""}`];
  return [...(modality === undefined ? [] : [modality]), ...dates].join(", ");
}

function ended(): Problem {
  return new Problem("absent", "this export is over", { remedy: "ask for it again" });
}
