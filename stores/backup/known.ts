import type { Files } from "#base/io";
import { isProblem, Problem } from "#base/problem";
import { readWhole, writeInPlaceOf } from "./medium.ts";

/** A backup that a home has made, wherever its disk is now. */
export interface KnownBackup {
  /** Of the backup folder. The same mount may hold one disk today and another tomorrow: each is a backup of its own. */
  readonly id: string;
  readonly folder: string;
  /** Its newest point, and the time of that. */
  readonly point: number;
  readonly takenAt: number;
}

/** The backups of a home, in a small file there: what is destroyed in the home is destroyed in them. */
export interface KnownBackups {
  all(): Promise<KnownBackup[]>;
  note(backup: KnownBackup): Promise<void>;
}

export function createKnownBackups(options: { files: Files; folder: string; name: string }): KnownBackups {
  const { files, folder, name } = options;
  const all = async (): Promise<KnownBackup[]> => {
    if (!(await files.exists(`${folder}/${name}`))) return [];
    try {
      const content: unknown = JSON.parse((await readWhole(files, `${folder}/${name}`)).toString("utf8"));
      if (Array.isArray(content)) return content as KnownBackup[];
    } catch (error) {
      if (isProblem(error)) throw error;
    }
    throw new Problem("damaged", `${name} of the home cannot be read`, {
      remedy:
        "remove it: each backup is known again with its next run; until then keys that are destroyed stay in them",
    });
  };
  return {
    all,
    async note(backup) {
      const others = (await all()).filter(({ id }) => id !== backup.id);
      const content = Buffer.from(`${JSON.stringify([...others, backup], null, 2)}\n`, "utf8");
      await writeInPlaceOf(files, folder, name, content);
    },
  };
}
