import { Buffer } from "node:buffer";
import type { Random } from "#base/id";
import type { Files, OpenFile } from "#base/io";

const sectorBytes = 512;

interface Held {
  /** As the program sees it. */
  bytes: Buffer;
  /** As the disk has it. */
  durable: Buffer;
  /** Written and not synced. */
  pending: { readonly position: number; readonly bytes: Buffer }[];
  isNamed: boolean;
}

export interface CrashingFiles extends Files {
  /** From now on only what the disk has is there: everything synced, and any sectors of the rest. */
  crash(random: Random): void;
  /** The next sync (a synced write too), or the next write, of any file fails. */
  failNext(what: "sync" | "write", code: string): void;
  /** Changes a durable byte. */
  damage(path: string, position: number): void;
  bytesOf(path: string): Buffer;
  paths(): string[];
}

/** Files in memory that lose what was not synced. */
export function createCrashingFiles(): CrashingFiles {
  const held = new Map<string, Held>();
  const failures: { what: string; code: string }[] = [];
  let generation = 0;

  const failIf = (what: string) => {
    const at = failures.findIndex((failure) => failure.what === what);
    if (at >= 0) throw Object.assign(new Error(what), { code: failures.splice(at, 1)[0]?.code });
  };
  const get = (path: string): Held => {
    const file = held.get(path);
    if (file === undefined) throw Object.assign(new Error("absent"), { code: "ENOENT" });
    return file;
  };
  const opened = (file: Held): OpenFile => {
    const mine = generation;
    const alive = () => {
      if (mine !== generation) throw Object.assign(new Error("crashed"), { code: "EBADF" });
    };
    return {
      async read(into, position) {
        return file.bytes.copy(into, 0, position);
      },
      async write(parts, position) {
        await undefined;
        alive();
        failIf("write");
        const bytes = Buffer.concat(parts);
        file.bytes = overlay(file.bytes, position, bytes);
        file.pending.push({ position, bytes });
      },
      async sync() {
        const count = file.pending.length;
        await undefined;
        alive();
        failIf("sync");
        for (const { position, bytes } of file.pending.splice(0, count))
          file.durable = overlay(file.durable, position, bytes);
        if (file.durable.length > file.bytes.length) file.durable = file.durable.subarray(0, file.bytes.length);
      },
      async writeSynced(parts, position) {
        const bytes = Buffer.concat(parts);
        const pending = { position, bytes };
        file.bytes = overlay(file.bytes, position, bytes);
        file.pending.push(pending);
        await undefined;
        alive();
        failIf("sync");
        file.pending.splice(file.pending.indexOf(pending), 1);
        file.durable = overlay(file.durable, position, bytes);
      },
      async truncate(sizeBytes) {
        file.bytes = overlay(file.bytes, sizeBytes, Buffer.alloc(0)).subarray(0, sizeBytes);
      },
      size: async () => file.bytes.length,
      close: async () => {},
    };
  };

  return {
    async open(path, mode) {
      if (mode === "create") {
        if (held.has(path)) throw Object.assign(new Error("there"), { code: "EEXIST" });
        held.set(path, { bytes: Buffer.alloc(0), durable: Buffer.alloc(0), pending: [], isNamed: false });
      }
      return opened(get(path));
    },
    list: async (folder) =>
      [...held.keys()]
        .filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1))
        .sort(),
    makeFolder: async () => {},
    rename: async () => Promise.reject(new Error("not used")),
    remove: async (path) => void held.delete(path),
    async syncFolder() {
      for (const file of held.values()) file.isNamed = true;
    },
    exists: async (path) => held.has(path),
    freeBytes: async () => 1e12,
    crash(random) {
      generation++;
      const flip = () => ((random(new Uint8Array(1))[0] ?? 0) & 1) === 1;
      for (const [path, file] of held) {
        if (!file.isNamed && flip()) held.delete(path);
        for (const { position, bytes } of file.pending) {
          for (let at = 0; at < bytes.length; at += sectorBytes) {
            if (flip()) file.durable = overlay(file.durable, position + at, bytes.subarray(at, at + sectorBytes));
          }
        }
        file.pending = [];
        file.bytes = Buffer.from(file.durable);
      }
    },
    failNext: (what, code) => void failures.push({ what, code }),
    damage(path, position) {
      const file = get(path);
      file.durable = Buffer.from(file.bytes);
      file.durable[position] = (file.durable[position] ?? 0) ^ 0x55;
      file.bytes = Buffer.from(file.durable);
    },
    bytesOf: (path) => get(path).bytes,
    paths: () => [...held.keys()],
  };
}

/** In place where it fits. */
function overlay(under: Buffer, position: number, over: Buffer): Buffer {
  if (position + over.length <= under.length) {
    over.copy(under, position);
    return under;
  }
  const bytes = Buffer.alloc(Math.max(under.length, position + over.length));
  under.copy(bytes);
  over.copy(bytes, position);
  return bytes;
}
