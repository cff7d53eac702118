import { newUid, type Random } from "#base/id";
import { Problem } from "#base/problem";
import type { Actor, Gate, Pass, Subject } from "#trust/access";
import type { Reveal } from "#trust/vault";
import type { Intake } from "./intake.ts";
import type { ReadTarget } from "./read-target.ts";
import {
  type NamedInstance,
  namedMax,
  type ReadNote,
  type RejectionTitle,
  rejectionTitleOf,
  takingBack,
  writeNote,
} from "./rejection-notes.ts";
import type { IndexedInstance, IndexedSeries, IndexedStudy, StudyIndex } from "./study-index.ts";

/** Why something is rejected: the code of a note's title. */
export interface RejectionReason {
  readonly code: string;
  readonly scheme: string;
}

/** An instance that is hidden, for who manages. */
export interface RejectedRow extends NamedInstance {
  readonly studyUid: string;
  readonly code: string;
  /** Epoch milliseconds. */
  readonly rejectedAt: number;
}

/**
 * Hiding what must not be looked at (IHE RAD, IOCM). Nothing is destroyed: a rejection is a note, a Key Object Selection kept beside
 * what it names like any instance, and another note takes it back (docs/decisions/0022).
 */
export interface RejectionActs {
  /**
   * Hides a study, a series or an instance, and says how many instances; with the code that takes rejections back it shows again what
   * is hidden there. Problem "absent" when there is nothing to do, "unsupported" for a code that is none of ours.
   */
  reject(actor: Actor, target: ReadTarget, reason: RejectionReason): Promise<number>;
  rejected(actor: Actor, studyUid: string): Promise<RejectedRow[]>;
}

interface Rejections extends RejectionActs {
  /** Lets in a note that somebody sent, who must be allowed to reject in every study that it speaks of. */
  admit<T>(actor: Actor, note: ReadNote, store: () => Promise<T>): Promise<T>;
}

interface Parts {
  readonly index: StudyIndex;
  readonly gate: Gate;
  readonly reveal: Reveal;
  readonly random: Random;
  readonly stamp: () => number;
  readonly implementation: { readonly classUid: string; readonly version: string };
  readonly settled: () => Promise<void>;
  readonly asSubject: (study: IndexedStudy | undefined) => Subject | undefined;
  readonly receiveNote: Intake["receiveNote"];
}

/** What is to be named, and who it is of. */
interface Found {
  readonly study: IndexedStudy;
  readonly series: readonly IndexedSeries[];
  readonly instances: readonly IndexedInstance[];
}

export function createRejections(parts: Parts): Rejections {
  const { index, gate, reveal, random, stamp, settled, asSubject } = parts;
  /** Of two notes the newer holds, so no two of ours are of one moment. */
  let lastAt = 0;

  const find = async (study: IndexedStudy, { studyUid, seriesUid, sopUid }: ReadTarget, isBack: boolean) => {
    if (isBack) {
      const rejected = await index.rejected(studyUid, seriesUid);
      lastAt = rejected.reduce((latest, { rejectedAt }) => Math.max(latest, rejectedAt), lastAt);
      const series = new Map(rejected.map((one) => [one.series.id, one.series]));
      return { study, series: [...series.values()], instances: rejected };
    }
    const series = await index.seriesOf(study.studyToken);
    if (seriesUid === undefined || sopUid === undefined) {
      return { study, series, instances: await index.instances(studyUid, seriesUid) };
    }
    const instance = await index.instance(studyUid, seriesUid, sopUid);
    return { study, series, instances: instance === undefined ? [] : [instance] };
  };

  const open = async (pass: Pass, { study, series, instances }: Found) => {
    const identities = [study, ...series, ...instances].map(({ identity }) => identity);
    const { rows } = await reveal(pass, { rows: identities }, "read");
    const seriesUids = new Map(series.map(({ id }, at) => [id, rows[at + 1]?.uid ?? ""]));
    const named = instances.flatMap(({ seriesId, sopClassUid }, at) => {
      const sopUid = rows[at + 1 + series.length]?.uid;
      return sopUid === undefined ? [] : [{ seriesUid: seriesUids.get(seriesId) ?? "", sopUid, sopClassUid }];
    });
    return { study: rows[0]?.values ?? {}, named };
  };

  const note = async (by: Actor, studyUid: string, what: Awaited<ReturnType<typeof open>>, title: RejectionTitle) => {
    const seriesUid = newUid(random);
    for (let from = 0; from < what.named.length; from += namedMax) {
      const at = Math.max(stamp(), lastAt + 1);
      lastAt = at;
      const named = what.named.slice(from, from + namedMax);
      const { implementation } = parts;
      const uids = { studyUid, seriesUid, sopUid: newUid(random) };
      const receiving = parts.receiveNote(by, at);
      await receiving.write(writeNote({ title, ...uids, study: what.study, named, at, implementation }));
      await receiving.finish();
    }
    await settled();
  };

  return {
    async reject(actor, target, { code, scheme }) {
      const title = rejectionTitleOf(code, scheme);
      if (title === undefined) throw noSuchReason();
      await settled();
      const study = await index.study(target.studyUid);
      return gate.pass(actor, "study.reject", asSubject(study), async (pass) => {
        if (study === undefined) throw nothing();
        const what = await open(pass, await find(study, target, title === takingBack));
        const { sopUid } = target;
        const named = sopUid === undefined ? what.named : what.named.filter((one) => one.sopUid === sopUid);
        if (named.length === 0) throw nothing();
        await note(actor, target.studyUid, { ...what, named }, title);
        return named.length;
      });
    },
    async rejected(actor, studyUid) {
      await settled();
      const study = await index.study(studyUid);
      return gate.pass(actor, "study.reject", asSubject(study), async (pass) => {
        const rejected = await index.rejected(studyUid);
        if (study === undefined || rejected.length === 0) return [];
        const series = [...new Map(rejected.map((one) => [one.series.id, one.series])).values()];
        const { named } = await open(pass, { study, series, instances: rejected });
        // A study that was shredded meanwhile names nothing.
        if (named.length !== rejected.length) return [];
        return rejected.map(({ code, rejectedAt }, at) => ({
          ...(named[at] as NamedInstance),
          ...{ studyUid, code, rejectedAt },
        }));
      });
    },
    async admit(actor, { studyUids }, store) {
      await settled();
      const studies = await Promise.all(studyUids.map((studyUid) => index.study(studyUid)));
      const subjects = studies.map(asSubject);
      // One entry in the log for each study, and none says "done" of a note that was not stored.
      const passing = subjects.reduceRight((work, on) => () => gate.pass(actor, "study.reject", on, work), store);
      return passing();
    },
  };
}

function nothing(): Problem {
  return new Problem("absent", "not found", { remedy: "check the identifiers; a search shows what there is" });
}

function noSuchReason(): Problem {
  return new Problem("unsupported", "that is no reason to reject for", {
    remedy: "113001, 113037, 113038 or 113039 of DCM; REVOKE_REJECTION of 99DCM4CHEE takes it back",
  });
}
