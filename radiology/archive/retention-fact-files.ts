import { crc32 } from "node:zlib";
import type { Files, OpenFile } from "#base/io";
import type { Log } from "#base/log";
import { asProblem, isProblem, Problem } from "#base/problem";
import type { Fact, Facts } from "./retention-facts.ts";

/*
 * `facts` holds the fact of serial n in its n-th slot of 512 bytes: length (4), CRC-32 (4), sealed fact, zeros. A disk writes a sector
 * whole, so a slot that is neither empty nor right is damage, and never what a crash left. The same file stands in every
 * folder that is given; a fact counts when one of them has it.
 */
const slotBytes = 512;
const headBytes = 8;
const purpose = "fact of a study";

/** Seals under a key that stays when a study's keys go: `Vault.secrets`. */
export interface FactBox {
  seal(purpose: string, fact: Uint8Array): Uint8Array;
  open(purpose: string, sealed: Uint8Array): Uint8Array;
}

export interface FactFiles extends Facts {
  close(): Promise<void>;
}

interface FactFile {
  readonly file: OpenFile;
  /** Slots by serial, as they stand there. */
  readonly slots: ReadonlyMap<number, Buffer>;
  /** Those in which something stands that does not prove. */
  readonly damaged: readonly number[];
}

/**
 * Opens the facts in each folder (the home, then a replica), and gives each what it lacks of the others. A folder that fails is
 * told of and left out, but not the first. Problem "damaged" when a fact is missing in all of them: a hold may be unknown then.
 */
export async function openFactFiles(parts: {
  readonly files: Files;
  readonly folders: readonly string[];
  readonly box: FactBox;
  readonly log: Log;
}): Promise<FactFiles> {
  const { files, folders, box, log } = parts;
  let kept: FactFile[] = [];
  for (const folder of folders) {
    try {
      kept.push(await openFactFile(files, folder));
    } catch (error) {
      if (folder === folders[0]) throw asProblem(error, "opening the facts of studies");
      log.warn("a copy of the facts of studies cannot be opened", {}, error);
    }
  }
  const known = new Map(kept.flatMap(({ slots }) => [...slots]));
  const facts = factsIn(known, box);
  const last = Math.max(0, ...known.keys(), ...kept.flatMap(({ damaged }) => damaged));
  if (facts.length < last) throw missing();

  /** A file that fails is given up: what of it is on the disk is not known. */
  const write = async (each: FactFile, serial: number, slot: Buffer): Promise<void> => {
    try {
      await each.file.writeSynced([slot], (serial - 1) * slotBytes);
    } catch (error) {
      kept = kept.filter((other) => other !== each);
      await each.file.close().catch(() => {});
      log.error("a fact of a study could not be written", { copies: kept.length }, error);
      if (kept.length === 0) throw asProblem(error, "keeping a fact of a study");
    }
  };
  for (const each of [...kept]) {
    for (const [serial, slot] of known) {
      if (!each.slots.has(serial) && kept.includes(each)) await write(each, serial, slot);
    }
  }
  return {
    async record(fact) {
      if (kept.length === 0) throw new Problem("unavailable", "facts of studies cannot be kept", { remedy: "restart" });
      const slot = slotOf(box.seal(purpose, Buffer.from(JSON.stringify(fact), "utf8")));
      for (const each of [...kept]) await write(each, fact.serial, slot);
      facts.push(fact);
    },
    async *all() {
      yield* [...facts];
    },
    async close() {
      try {
        for (const { file } of kept) await file.close();
      } catch (error) {
        throw asProblem(error, "closing the facts of studies");
      }
    },
  };
}

function missing(): Problem {
  return new Problem("damaged", "a fact of a study is missing: a hold may be unknown", {
    remedy: "restore the file `facts` from a backup or from its replica",
  });
}

/** Those that open; one that does not is missing. */
function factsIn(slots: ReadonlyMap<number, Buffer>, box: FactBox): Fact[] {
  const facts: Fact[] = [];
  for (const [serial, slot] of slots) {
    const sealed = slot.subarray(headBytes, headBytes + slot.readUInt32BE(0));
    try {
      const fact = JSON.parse(Buffer.from(box.open(purpose, sealed)).toString("utf8")) as Fact;
      if (fact.serial === serial) facts.push(fact);
    } catch (error) {
      if (!isProblem(error, "damaged")) throw error;
    }
  }
  return facts;
}

function slotOf(sealed: Uint8Array): Buffer {
  if (sealed.length > slotBytes - headBytes) throw new Problem("too-large", "a fact of a study has at most 500 bytes");
  const slot = Buffer.alloc(slotBytes);
  slot.writeUInt32BE(sealed.length, 0);
  slot.set(sealed, headBytes);
  slot.writeUInt32BE(checkOf(slot), 4);
  return slot;
}

const checkOf = (slot: Buffer) => crc32(slot.subarray(headBytes), crc32(slot.subarray(0, 4)));

async function openFactFile(files: Files, folder: string): Promise<FactFile> {
  await files.makeFolder(folder);
  const path = `${folder}/facts`;
  const file = await files.open(path, (await files.exists(path)) ? "update" : "create");
  await files.syncFolder(folder);
  // What the last process wrote without hearing of its sync is relied on from here.
  await file.sync();
  const slots = new Map<number, Buffer>();
  const sizeBytes = await file.size();
  const damaged: number[] = [];
  for (let at = 0; at < sizeBytes; at += slotBytes) {
    const slot = await readSlot(file, at);
    if (slot.readUInt32BE(0) <= slotBytes - headBytes && checkOf(slot) === slot.readUInt32BE(4)) {
      slots.set(at / slotBytes + 1, slot);
    } else if (slot.some((byte) => byte !== 0)) {
      damaged.push(at / slotBytes + 1);
    }
  }
  return { file, slots, damaged };
}

async function readSlot(file: OpenFile, position: number): Promise<Buffer> {
  const into = Buffer.alloc(slotBytes);
  for (let have = 0; have < slotBytes; ) {
    const count = await file.read(into.subarray(have), position + have);
    if (count === 0) break;
    have += count;
  }
  return into;
}
