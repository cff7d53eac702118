import type { Files, OpenFile } from "./files.ts";

/** What a disk holds: bytes by path. */
export type DiskImage = ReadonlyMap<string, Uint8Array>;

/** One step that changes a disk or makes changes last. Files are numbered, since names move. */
export type TraceStep =
  | { readonly kind: "create"; readonly path: string; readonly file: number; readonly bytes?: Uint8Array }
  | { readonly kind: "rename"; readonly path: string; readonly to: string }
  | { readonly kind: "remove"; readonly path: string }
  | { readonly kind: "write"; readonly file: number; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly file: number; readonly sizeBytes: number }
  /** Steps before `upTo` on this file, or in this folder, are on stable storage. */
  | { readonly kind: "sync"; readonly file: number; readonly upTo: number }
  /** The write at that step alone is. */
  | { readonly kind: "syncWrite"; readonly step: number }
  | { readonly kind: "syncFolder"; readonly folder: string; readonly upTo: number }
  /** Something the test wants to find again, such as an acknowledgement. */
  | { readonly kind: "note"; readonly text: string };

export interface TracedFiles {
  readonly files: Files;
  readonly trace: readonly TraceStep[];
  note(text: string): void;
}

interface MemoryFile {
  readonly number: number;
  bytes: Buffer;
}

/** Files in memory that keep a trace of every change and sync, for `crashState`. Begins with what `start` holds, all of it durable. */
export function createTracedFiles(start: DiskImage = new Map()): TracedFiles {
  const trace: TraceStep[] = [];
  const byPath = new Map<string, MemoryFile>();
  let created = 0;
  for (const [path, bytes] of start) {
    byPath.set(path, { number: created, bytes: Buffer.from(bytes) });
    trace.push({ kind: "create", path, file: created++, bytes: Buffer.from(bytes) });
  }
  const folders = new Set([...start.keys()].map(folderOf));
  for (const folder of folders) trace.push({ kind: "syncFolder", folder, upTo: created });

  const failing = (code: string) => Object.assign(new Error(code), { code });
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const held = (path: string): MemoryFile => {
    const file = byPath.get(path);
    if (file === undefined) throw failing("ENOENT");
    return file;
  };
  const files: Files = {
    async open(path, mode) {
      if (mode !== "create") return openFile(trace, held(path), turn);
      if (byPath.has(path)) throw failing("EEXIST");
      const file = { number: created++, bytes: Buffer.alloc(0) };
      byPath.set(path, file);
      trace.push({ kind: "create", path, file: file.number });
      return openFile(trace, file, turn);
    },
    async list(folder) {
      const names = [...byPath.keys()].filter((path) => folderOf(path) === folder);
      return names.map((path) => path.slice(folder.length + 1)).sort();
    },
    async makeFolder() {},
    async rename(from, to) {
      byPath.set(to, held(from));
      byPath.delete(from);
      trace.push({ kind: "rename", path: from, to });
    },
    async remove(path) {
      if (byPath.delete(path)) trace.push({ kind: "remove", path });
    },
    async syncFolder(folder) {
      const upTo = trace.length;
      await turn();
      trace.push({ kind: "syncFolder", folder, upTo });
    },
    exists: async (path) => byPath.has(path),
    freeBytes: async () => 2 ** 40,
  };
  return { files, trace, note: (text) => void trace.push({ kind: "note", text }) };
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function openFile(trace: TraceStep[], file: MemoryFile, turn: () => Promise<void>): OpenFile {
  return {
    async read(into, position) {
      const piece = file.bytes.subarray(position, position + into.length);
      into.set(piece);
      return piece.length;
    },
    async write(parts, position) {
      const bytes = Buffer.concat(parts);
      trace.push({ kind: "write", file: file.number, position, bytes });
      file.bytes = written(file.bytes, position, bytes);
      await turn();
    },
    async writeSynced(parts, position) {
      const step = trace.length;
      await this.write(parts, position);
      await turn();
      trace.push({ kind: "syncWrite", step });
    },
    async sync() {
      const upTo = trace.length;
      await turn();
      trace.push({ kind: "sync", file: file.number, upTo });
    },
    async truncate(sizeBytes) {
      trace.push({ kind: "truncate", file: file.number, sizeBytes });
      file.bytes = resized(file.bytes, sizeBytes);
    },
    size: async () => file.bytes.length,
    close: async () => {},
  };
}

/** In place where it fits: the caller lets go of `into`. */
export function written(into: Buffer, position: number, bytes: Uint8Array): Buffer {
  const end = position + bytes.length;
  const out = end <= into.length ? into : resized(into, end);
  out.set(bytes, position);
  return out;
}

export function resized(bytes: Buffer, sizeBytes: number): Buffer {
  if (sizeBytes <= bytes.length) return Buffer.from(bytes.subarray(0, sizeBytes));
  return Buffer.concat([bytes, Buffer.alloc(sizeBytes - bytes.length)]);
}
