import { crc32 } from "node:zlib";
import type { Files, OpenFile } from "#base/io";
import { Problem } from "#base/problem";

/** Opens a file for reading and writing, made durably when it is not there. */
export async function openOrCreate(files: Files, folder: string, name: string): Promise<OpenFile> {
  const path = `${folder}/${name}`;
  if (await files.exists(path)) return files.open(path, "update");
  const file = await files.open(path, "create");
  await files.syncFolder(folder);
  return file;
}

const slotBytes = 1024;
const placeBytes = 2048;
const headBytes = 8;
export const noteBytesMost = slotBytes - 64;
const placeTextMost = placeBytes - 48;

/** Small texts, each in 1,024 bytes of its own: length, CRC-32 of the text, the text. */
export interface Slots {
  count(): number;
  /** Durable when it resolves. */
  append(text: Uint8Array): Promise<void>;
  read(from: number, to: number): Promise<Buffer[]>;
  close(): Promise<void>;
}

export async function openSlots(files: Files, folder: string, name: string): Promise<Slots> {
  const file = await openOrCreate(files, folder, name);
  let count = Math.floor((await file.size()) / slotBytes);
  // The last may be torn: it was never acknowledged then, and the next takes its place.
  if (count > 0 && textOf(await readSlots(file, count - 1, count)) === undefined) count--;
  // One that is whole may never have been synced.
  await file.sync();
  let broken: unknown;
  return {
    count: () => count,
    async append(text) {
      if (broken !== undefined)
        throw new Problem("fault", "checkpoints are not taken since a sync failed", { cause: broken });
      if (text.length > noteBytesMost) throw new Problem("too-large", "a checkpoint is too long to be kept");
      await file.write([slotOf(text, slotBytes)], count * slotBytes);
      try {
        await file.sync();
      } catch (error) {
        broken = error;
        throw error;
      }
      count++;
    },
    async read(from, to) {
      const bytes = await readSlots(file, from, Math.min(to, count));
      const texts: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += slotBytes) {
        const text = textOf(bytes.subarray(at, at + slotBytes));
        if (text === undefined) throw new Problem("damaged", "a checkpoint of the audit log cannot be read");
        texts.push(text);
      }
      return texts;
    },
    close: () => file.close(),
  };
}

/** Texts by number, each in 2,048 bytes of its own that may be written again. What tore, or was never written, is empty. */
export interface Places {
  /** Durable when it resolves. */
  write(place: number, text: Uint8Array): Promise<void>;
  read(from: number, to: number): Promise<Buffer[]>;
  close(): Promise<void>;
}

export async function openPlaces(files: Files, folder: string, name: string): Promise<Places> {
  const file = await openOrCreate(files, folder, name);
  return {
    async write(place, text) {
      if (text.length > placeTextMost) throw new Problem("too-large", "the cosignatures of a checkpoint are too long");
      await file.writeSynced([slotOf(text, placeBytes)], place * placeBytes);
    },
    async read(from, to) {
      const bytes = Buffer.alloc(Math.max(0, to - from) * placeBytes);
      if (bytes.length > 0) await file.read(bytes, from * placeBytes);
      return Array.from({ length: bytes.length / placeBytes }, (_, at) => {
        const text = textOf(bytes.subarray(at * placeBytes, (at + 1) * placeBytes));
        return text ?? Buffer.alloc(0);
      });
    },
    close: () => file.close(),
  };
}

function slotOf(text: Uint8Array, bytes: number): Buffer {
  const slot = Buffer.alloc(bytes);
  slot.writeUInt32BE(text.length, 0);
  slot.writeUInt32BE(crc32(text), 4);
  slot.set(text, headBytes);
  return slot;
}

async function readSlots(file: OpenFile, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.alloc(Math.max(0, to - from) * slotBytes);
  const count = bytes.length === 0 ? 0 : await file.read(bytes, from * slotBytes);
  return bytes.subarray(0, count);
}

function textOf(slot: Buffer): Buffer | undefined {
  if (slot.length < slotBytes) return undefined;
  const length = slot.readUInt32BE(0);
  const text = slot.subarray(headBytes, headBytes + length);
  return length <= slot.length - headBytes && crc32(text) === slot.readUInt32BE(4) ? text : undefined;
}
