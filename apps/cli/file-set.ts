import { lstat, mkdir, readdir, realpath, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { newUid, systemRandom } from "#base/id";
import type { Files, OpenFile } from "#base/io";
import { asProblem, isProblem, Problem, type ProblemCode } from "#base/problem";
import { leadglass } from "#doors/dimse";
import { type ExportedInstance, type ExportFrame, exportFrames, type ProblemView } from "#formats/api";
import {
  createReader,
  type DirectoryEntry,
  directoryEntryOf,
  pixelDataTags,
  readFile,
  writeDicomdir,
} from "#formats/dicom";

/*
 * Studies as files that other systems read (PS3.10): a folder a study, files with neutral names, and a DICOMDIR. Nothing stands under its
 * final name before it is whole and on the disk: a study is written into a folder with `.partial` behind its name.
 */

export interface FileSet {
  /** The name of the folder of a study, by its number. */
  folderOf(number: number): string;
  /** Resolves with what a directory says of its files. What was begun is gone when it rejects. */
  writeStudy(study: StudyToWrite): Promise<DirectoryEntry[]>;
  /** The DICOMDIR of all that was written. */
  writeDirectory(entries: readonly DirectoryEntry[]): Promise<void>;
  /** Whether the study of that number is there, whole. */
  has(number: number): Promise<boolean>;
}

export interface StudyToWrite {
  /** From 1; names its folder. */
  readonly number: number;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** The folder gets a DICOMDIR of its own. */
  readonly isSet: boolean;
  tell(instance: ExportedInstance): void;
}

const directoryName = "DICOMDIR";
const unfinished = ".partial";
/** Up to its pixels; of what has more in front of them, or none, the directory says what stands in so much. */
const headerBytesMax = 8 * 1024 * 1024;
const instancesMax = 999_999;
const syncingMost = 8;

const numbered = (letters: string, number: number) => `${letters}${String(number).padStart(6, "0")}`;
const studyFolderName = (number: number) => numbered("ST", number);

/** `goesOn`: the folder may hold studies that were written before. */
export async function openFileSet(files: Files, path: string, { goesOn }: { goesOn: boolean }): Promise<FileSet> {
  const folder = await usableFolder(path, goesOn);

  const writeIn = async (study: StudyToWrite, within: string): Promise<DirectoryEntry[]> => {
    const entries: DirectoryEntry[] = [];
    const writer = createInstanceWriter(files, within, (name, at, header) => {
      const place = study.isSet ? [name] : [studyFolderName(study.number), name];
      entries.push(directoryEntryOf(place, header, at));
    });
    try {
      for await (const frame of exportFrames(study.bytes)) await take(frame, writer, study.tell);
      await writer.settled();
    } finally {
      await writer.close();
    }
    return entries;
  };
  const writeDirectoryIn = async (within: string, entries: readonly DirectoryEntry[]): Promise<void> => {
    const implementation = {
      implementationClassUid: leadglass.classUid,
      implementationVersionName: leadglass.version,
    };
    const bytes = writeDicomdir(entries, { uid: newUid(systemRandom), ...implementation });
    const begun = join(within, `${directoryName}${unfinished}`);
    await files.remove(begun);
    const file = await files.open(begun, "create");
    try {
      await file.write([bytes], 0);
      await file.sync();
    } catch (error) {
      await rm(begun, { force: true }).catch(() => {});
      throw error;
    } finally {
      await file.close();
    }
    await files.rename(begun, join(within, directoryName));
    await files.syncFolder(within);
  };
  return {
    folderOf: studyFolderName,
    async writeStudy(study) {
      const final = join(folder, studyFolderName(study.number));
      const begun = `${final}${unfinished}`;
      try {
        await rm(begun, { recursive: true, force: true });
        // Refuses what somebody put there, a link too.
        await mkdir(begun, { mode: 0o700 });
        const entries = await writeIn(study, begun);
        if (study.isSet) await writeDirectoryIn(begun, entries);
        await files.syncFolder(begun);
        await files.rename(begun, final);
        await files.syncFolder(folder);
        return entries;
      } catch (error) {
        await rm(begun, { recursive: true, force: true }).catch(() => {});
        throw asTold(error);
      }
    },
    writeDirectory: (entries) => writeDirectoryIn(folder, entries).catch((error) => Promise.reject(asTold(error))),
    async has(number) {
      const found = await lstat(join(folder, studyFolderName(number))).catch(() => undefined);
      if (found !== undefined && !found.isDirectory()) throw notOurs();
      return found !== undefined;
    },
  };
}

/** An empty folder, made if it is not there, that nobody else can write in. Its path without links. */
async function usableFolder(path: string, goesOn: boolean): Promise<string> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === "ENOENT") {
      throw new Problem("absent", "the folder around it is not there", {
        remedy: "make it first, or name another with --to",
      });
    }
    if (codeOf(error) !== "EEXIST") throw asTold(error);
  }
  const folder = await realpath(path);
  const about = await stat(folder);
  if (!about.isDirectory()) throw new Problem("conflict", "--to names a file", { remedy: "name a folder" });
  if ((about.mode & 0o002) !== 0) {
    const remedy = "name a folder of your own: what is exported shows who the patients are";
    throw new Problem("conflict", "everybody of this machine can write in that folder", { remedy });
  }
  const names = await readdir(folder).catch((error) => Promise.reject(asTold(error)));
  const strange = names.filter((name) => !goesOn || !/^ST\d{6}(\.partial)?$/.test(name));
  if (strange.length > 0) throw notOurs();
  return folder;
}

function notOurs(): Problem {
  return new Problem("conflict", "there is something else in that folder", {
    remedy: "name one that is empty, or not there",
  });
}

type Finished = (name: string, number: number, header: ReturnType<typeof readFile>) => void;

function createInstanceWriter(files: Files, folder: string, finished: Finished) {
  /** Files on their way to the disk, while the next ones come. */
  const syncing: Promise<unknown>[] = [];
  let open: { file: OpenFile; sizeBytes: number; name: string; number: number; header: HeaderKeeper } | undefined;
  return {
    async begin(number: number): Promise<void> {
      if (open !== undefined || number > instancesMax) throw new Problem("invalid", "this is no export of a study");
      const name = numbered("IM", number);
      open = { file: await files.open(join(folder, name), "create"), sizeBytes: 0, name, number, header: keepHeader() };
    },
    async write(bytes: Uint8Array): Promise<void> {
      if (open === undefined) throw new Problem("invalid", "this is no export of a study");
      await open.file.write([bytes], open.sizeBytes);
      open.sizeBytes += bytes.length;
      open.header.take(bytes);
    },
    async end(): Promise<void> {
      if (open === undefined) throw new Problem("invalid", "this is no export of a study");
      const { file, name, number, header } = open;
      open = undefined;
      const synced = file.sync().finally(() => file.close());
      // Told when it is waited for.
      synced.catch(() => {});
      syncing.push(synced);
      if (syncing.length >= syncingMost) await syncing.shift();
      finished(name, number, header.read());
    },
    /** Resolves when all of them are on the disk. */
    async settled(): Promise<void> {
      await Promise.all(syncing);
    },
    async close(): Promise<void> {
      await open?.file.close().catch(() => {});
      await Promise.allSettled(syncing);
    },
  };
}

type InstanceWriter = ReturnType<typeof createInstanceWriter>;
type HeaderKeeper = ReturnType<typeof keepHeader>;

function keepHeader() {
  const reader = createReader({ stopBefore: pixelDataTags });
  const pieces: Uint8Array[] = [];
  let [sizeBytes, goesOn] = [0, true];
  return {
    take(bytes: Uint8Array): void {
      if (!goesOn) return;
      pieces.push(bytes);
      sizeBytes += bytes.length;
      goesOn = reader.write(bytes) && sizeBytes < headerBytesMax;
    },
    read: () => readFile(Buffer.concat(pieces), { stopBefore: pixelDataTags, partial: true }),
  };
}

async function take({ kind, payload }: ExportFrame, writer: InstanceWriter, tell: StudyToWrite["tell"]): Promise<void> {
  const json = () => JSON.parse(Buffer.from(payload).toString("utf8"));
  if (kind === "bytes") return writer.write(payload);
  if (kind === "end") return writer.end();
  if (kind === "problem") {
    const { code, message, remedy } = json() as ProblemView;
    throw new Problem(code as ProblemCode, message, remedy === undefined ? {} : { remedy });
  }
  if (kind === "instance") {
    const about = json() as ExportedInstance;
    tell(about);
    await writer.begin(about.number);
  }
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException | undefined)?.code;

/** What went wrong on the disk, in words. */
function asTold(error: unknown): Problem {
  if (isProblem(error)) return error;
  const code = codeOf(error) ?? "";
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new Problem("no-room", "no room is left on the disk of that folder", {
      remedy: "name one on a larger disk",
      cause: error,
    });
  }
  if (["EACCES", "EPERM", "EROFS"].includes(code)) {
    return new Problem("unavailable", "that folder cannot be written in", {
      remedy: "name one of your own",
      cause: error,
    });
  }
  if (code === "") return asProblem(error, "writing the files");
  return new Problem("unavailable", `the files could not be written (${code})`, {
    remedy: "name a folder on another disk",
    cause: error,
  });
}
