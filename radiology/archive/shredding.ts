import { Problem } from "#base/problem";
import type { Pass } from "#trust/access";
import type { AuditLog, AuditSubject, ProvenEntry } from "#trust/audit";
import { proveEntry, studiesMost } from "#trust/audit";
import type { Vault } from "#trust/vault";
import type { StudyIndex } from "./study-index.ts";

/** A backup that was told to let go of destroyed keys. */
export interface PurgedCopy {
  readonly folder: string;
  /** Why it still has them; undefined when they are gone there too. */
  readonly kept?: string;
}

/**
 * That studies were shredded: their keys are destroyed, so nothing opens them again, wherever a copy of their bytes lies. The log
 * proves it: `entries` name the studies and how many keys were destroyed.
 */
export interface ShredCertificate {
  readonly format: "leadglass shred certificate 1";
  readonly on: AuditSubject;
  readonly studies: readonly string[];
  readonly backups: readonly PurgedCopy[];
  readonly entries: readonly ProvenEntry[];
  /** Public key of the log; have it by another way too. */
  readonly verifierKey: string;
}

export interface ShredPlan {
  readonly act: "study.shred" | "patient.shred";
  readonly on: AuditSubject;
  /** What the second person is told. */
  readonly detail: Readonly<Record<string, string>>;
}

/** Shredding of a study, or of all that is held of a patient. Both may be done again after a stop in the middle. */
export interface Shredding {
  /** What would be shredded. Problem "absent" when there is no such study. */
  plan(studyToken: string, wholePatient: boolean): Promise<ShredPlan>;
  /** Problem "conflict" when a study is under legal hold: none is shredded then. */
  study(pass: Pass): Promise<ShredCertificate>;
  patient(pass: Pass): Promise<ShredCertificate>;
}

const studiesAtOnce = 1000;

function subjectOf({ on }: Pass): AuditSubject {
  if (on === undefined) throw new Problem("invalid", "shredding needs to be told what");
  return on;
}

export function createShredding(parts: {
  readonly vault: Vault;
  readonly index: StudyIndex;
  readonly audit: AuditLog;
  readonly isHeld: (studyToken: string) => boolean;
  /** Out of the index, keys destroyed, objects discarded. */
  readonly remove: (studyToken: string) => Promise<void>;
  readonly purgeBackups: () => Promise<readonly PurgedCopy[]>;
}): Shredding {
  const { vault, index, audit, isHeld, remove, purgeBackups } = parts;

  /** By the key their identity lies under, without opening any of it. */
  const studiesOf = async (patientToken: string): Promise<string[]> => {
    const found: string[] = [];
    for (let after = 0; ; ) {
      const page = await index.studiesAfter(after, studiesAtOnce);
      for (const { studyToken } of page)
        if ((await vault.patientOf(studyToken)) === patientToken) found.push(studyToken);
      const last = page.at(-1);
      if (last === undefined) return found;
      after = last.id;
    }
  };
  /** Names all studies, some in each entry; the places of the entries. */
  const note = async (
    pass: Pass,
    act: "keys.destroying" | "keys.destroyed",
    studies: readonly string[],
    counts: Readonly<Record<string, number>>,
  ): Promise<number[]> => {
    const indexes: number[] = [];
    for (let at = 0; at === 0 || at < studies.length; at += studiesMost) {
      const named = studies.slice(at, at + studiesMost);
      const entry = { actor: pass.actor.id, act, on: subjectOf(pass), studies: named };
      indexes.push(await audit.append({ ...entry, outcome: "done", counts }));
    }
    return indexes;
  };
  /** After a stop in the middle the second time finds what the first left; what the first began with stands in the log. */
  const destroy = async (pass: Pass, studies: readonly string[]): Promise<number[]> => {
    const held = studies.filter(isHeld);
    if (held.length > 0) {
      throw new Problem("conflict", `${held.length} of the studies are under legal hold; none was shredded`, {
        remedy: "release them first: leadglass vault hold STUDY --release",
      });
    }
    const begun = await note(pass, "keys.destroying", studies, { studies: studies.length });
    for (const studyToken of studies) await remove(studyToken);
    return begun;
  };
  const certify = async (
    pass: Pass,
    studies: readonly string[],
    begun: readonly number[],
  ): Promise<ShredCertificate> => {
    const on = subjectOf(pass);
    const backups = await purgeBackups();
    const kept = backups.filter((each) => each.kept !== undefined).length;
    const counts = { studies: studies.length, backupsPurged: backups.length - kept, backupsKept: kept };
    const ended = await note(pass, "keys.destroyed", studies, counts);
    const entries: ProvenEntry[] = [];
    for (const at of [...begun, ...ended]) entries.push(await proveEntry(audit, at));
    return {
      format: "leadglass shred certificate 1",
      on,
      studies,
      backups: backups.map(({ folder, kept: why }) => ({ folder, ...(why !== undefined && { kept: why }) })),
      entries,
      verifierKey: audit.verifierKey(),
    };
  };
  return {
    async plan(studyToken, wholePatient) {
      const study = await index.studyOfToken(studyToken);
      const patientToken = study && (await vault.patientOf(studyToken));
      if (study === undefined || patientToken === undefined) throw new Problem("absent", "there is no such study");
      if (!wholePatient) {
        const detail = { Series: String(study.seriesCount), Images: String(study.instanceCount) };
        return { act: "study.shred", on: { kind: "study", id: studyToken }, detail };
      }
      const studies = await studiesOf(patientToken);
      const detail = { Studies: String(studies.length), "One of them": studyToken };
      return { act: "patient.shred", on: { kind: "patient", id: patientToken }, detail };
    },
    async study(pass) {
      const studies = [subjectOf(pass).id];
      return certify(pass, studies, await destroy(pass, studies));
    },
    async patient(pass) {
      const patientToken = subjectOf(pass).id;
      const studies = await studiesOf(patientToken);
      const begun = await destroy(pass, studies);
      await vault.shred({ studyTokens: [], patientToken });
      return certify(pass, studies, begun);
    },
  };
}
