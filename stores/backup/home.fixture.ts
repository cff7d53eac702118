import assert from "node:assert/strict";
import { createVirtualClock } from "#base/clock";
import { type Random, seededRandom, systemRandom } from "#base/id";
import type { Files } from "#base/io";
import { Problem } from "#base/problem";
import { createMemoryEntryStore } from "#stores/memory";
import type { EntryStore } from "#trust/audit";
import { type BackupBox, createBackupBox } from "#trust/vault";
import type { BackupRequest } from "./backup.ts";
import { type BackupParts, type BackupReport, type BackupSources, restoreBackup, takeBackup } from "./index.ts";
import type { RestoreRequest } from "./restore.ts";

const recordBytes = 128;
const tokenBytes = 16;

/** Bytes that differ for each name, and repeat. */
export function bytesOf(name: string, length: number): Buffer {
  const seed = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);
  return Buffer.from(seededRandom(seed)(Buffer.alloc(length)));
}

/** A home of files that are made up: what a backup knows of packs, keys, log and accounts, without what is in them. */
export interface MadeUpHome {
  readonly sources: BackupSources;
  readonly log: EntryStore;
  grow(folder: string, id: string, bytes: number): Promise<void>;
  compact(folder: string, id: string): Promise<void>;
  addKey(name: string): Promise<void>;
  destroyKey(name: string): Promise<void>;
  say(line: string): Promise<void>;
  /** Waits while the keys are taken. */
  setKeyring(text: string): Promise<void>;
}

export const keyOf = (name: string) => bytesOf(`key ${name}`, recordBytes - tokenBytes - 1);
const tokenOf = (name: string) => bytesOf(`token ${name}`, tokenBytes);

/** `folder` is the home. Key records are: a kind (1 a key, 2 destroyed), a token, the key. */
export async function createMadeUpHome(files: Files, folder = "home"): Promise<MadeUpHome> {
  const ends = new Map<string, Map<string, number>>([
    ["identity/packs", new Map()],
    ["packs", new Map()],
  ]);
  const log = createMemoryEntryStore();
  const keyNames: string[] = [];
  let steady: Promise<unknown> = Promise.resolve();
  const keyFile = `${folder}/keys/000001.keys`;
  const pathOf = (name: string, id: string) => `${folder}/${name}/${id}`;
  const endsOf = (name: string) => ends.get(name) as Map<string, number>;
  const put = async (path: string, bytes: Buffer, at: number) => {
    const file = await files.open(path, (await files.exists(path)) ? "update" : "create");
    await file.write([bytes], at);
    await file.sync();
    await file.close();
    await files.syncFolder(path.slice(0, path.lastIndexOf("/")));
  };
  for (const name of ["", "/keys", "/packs", "/identity/packs"]) await files.makeFolder(`${folder}${name}`);
  await put(`${folder}/keys/keyring.json`, Buffer.from("keyring one"), 0);
  await put(keyFile, Buffer.alloc(0), 0);

  const growing = [...ends.keys()].map((name) => ({
    name,
    async take() {
      return [...endsOf(name)].map(([id, endPosition]) => ({
        id,
        endPosition,
        restoredName: `${id}.${endPosition}.pack`,
        besides: [`${id}.0-0.void`],
      }));
    },
    async read(id: string, position: number, into: Uint8Array) {
      if (!endsOf(name).has(id)) throw new Problem("absent", "there is no such pack");
      const file = await files.open(pathOf(name, id), "read");
      try {
        return await file.read(into, position);
      } finally {
        await file.close();
      }
    },
    countObjects: async (_id: string, from: number, to: number) => Math.ceil((to - from) / 100),
  }));
  return {
    log,
    sources: {
      growing,
      keys: {
        settings: [{ name: "keys/keyring.json", path: `${folder}/keys/keyring.json` }],
        folders: [{ name: "keys", folder: `${folder}/keys` }],
        steadily(work) {
          const done = work();
          steady = done;
          return done;
        },
        isKeyFile: (name) => name.endsWith(".keys"),
        *records(piece) {
          for (let at = 0; at + recordBytes <= piece.length; at += recordBytes) {
            const token = piece.toString("hex", at + 1, at + 1 + tokenBytes);
            yield { token, isDestroyed: piece[at] === 2 };
          }
        },
      },
      states: [
        { name: "accounts", read: async () => Buffer.from(`accounts beside ${log.size()} lines`) },
        { name: "leadglass.json", read: async () => Buffer.from('{"aeTitle":"CLINIC"}') },
        { name: "not there", read: async () => undefined },
      ],
      log: {
        size: () => log.size(),
        read: (from, to) => log.read(from, to),
        checkpointCount: () => log.checkpointCount(),
        readCheckpoints: (from, to) => log.readCheckpoints(from, to),
        checkpoint: () => log.appendCheckpoint(noteOf(log.size())),
      },
    },
    async grow(name, id, bytes) {
      const end = endsOf(name).get(id) ?? 0;
      await put(pathOf(name, id), bytesOf(`${name}/${id} ${end}`, bytes), end);
      endsOf(name).set(id, end + bytes);
    },
    async compact(name, id) {
      endsOf(name).delete(id);
      await files.remove(pathOf(name, id));
    },
    async addKey(name) {
      const record = Buffer.concat([Buffer.from([1]), tokenOf(name), keyOf(name)]);
      await put(keyFile, record, keyNames.length * recordBytes);
      keyNames.push(name);
    },
    async destroyKey(name) {
      const record = Buffer.concat([Buffer.from([2]), tokenOf(name), Buffer.alloc(recordBytes - tokenBytes - 1)]);
      await put(keyFile, record, keyNames.indexOf(name) * recordBytes);
    },
    say: (line) => log.append([Buffer.from(line)]),
    async setKeyring(text) {
      await steady;
      await files.remove(`${folder}/keys/keyring.json`);
      await put(`${folder}/keys/keyring.json`, Buffer.from(text), 0);
    },
  };
}

const noteOf = (size: number) => Buffer.from(`log\n${size}\nroot\n`);

export function createParts(files: Files, random: Random = systemRandom, secret = 1): BackupParts {
  return { files, box: boxOf(random, secret), random, clock: createVirtualClock(1_000_000) };
}

function boxOf(random: Random, secret: number): BackupBox {
  return createBackupBox(Buffer.alloc(32, secret), random);
}

export const backUp = (
  parts: BackupParts,
  home: MadeUpHome,
  options: Partial<BackupRequest> = {},
): Promise<BackupReport> =>
  takeBackup(parts, {
    folder: "backup",
    sources: home.sources,
    keepPoints: 14,
    verify: false,
    tell: () => {},
    ...options,
  });

export interface RestoredHome {
  readonly report: Awaited<ReturnType<typeof restoreBackup>>;
  readonly log: EntryStore;
  readonly states: ReadonlyMap<string, string>;
}

export async function restore(
  parts: BackupParts,
  options: Partial<RestoreRequest> & { readonly secret?: number } = {},
): Promise<RestoredHome> {
  const log = createMemoryEntryStore();
  const states = new Map<string, string>();
  const report = await restoreBackup({
    ...parts,
    folder: "backup",
    home: "restored",
    settings: ["keys/keyring.json"],
    openBox: async (folder) => {
      assert.match(String(await wholeFile(parts.files, `${folder}/keys/keyring.json`)), /^keyring/);
      return boxOf(parts.random, options.secret ?? 1);
    },
    openLog: async () => log,
    takeState(name, content) {
      if (name !== "accounts") return undefined;
      states.set(name, String(content));
      return Promise.resolve();
    },
    acceptLoss: false,
    tell: () => {},
    ...options,
  });
  return { report, log, states };
}

export async function wholeFile(files: Files, path: string): Promise<Buffer> {
  const file = await files.open(path, "read");
  const bytes = Buffer.alloc(await file.size());
  await file.read(bytes, 0);
  await file.close();
  return bytes;
}
