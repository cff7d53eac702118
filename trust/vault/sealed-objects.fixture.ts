import { randomBytes } from "node:crypto";
import { newToken, systemRandom } from "#base/id";
import { isProblem } from "#base/problem";
import { objectContext } from "./format.ts";
import { createSealedBuffers, openedObject, openRecord, proveObject, verifyWhole } from "./opener.ts";
import { keyOf } from "./primitives.ts";
import type { ReadAt } from "./scan.ts";
import type { FoundObject, ObjectWriter, SealedObjects } from "./sealed-objects.ts";
import { createSealer, objectKey } from "./sealer.ts";
import { createSealing } from "./sealing.ts";
import type { Sealing } from "./vault.ts";

const tenantId = randomBytes(16);
const studyKey = keyOf(randomBytes(32));
const part = 1;

/** A committed object with its bytes as they were written. */
export interface PutObject {
  readonly id: string;
  readonly pack: string;
  readonly start: number;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly bytes: Buffer;
}

function newSealer(emit: (part: Buffer) => void) {
  const identity = {
    part,
    version: 1,
    studyToken: newToken(systemRandom),
    id: newToken(systemRandom),
    nonce: randomBytes(32),
  };
  const key = objectKey(studyKey, identity.nonce, objectContext(tenantId, identity));
  return createSealer({ ...identity, commitment: key.commitment }, key, emit);
}

/** An object in its format, under the one key of this fixture. */
export function sealedObject(sizeBytes: number): {
  id: string;
  bodyBytes: number;
  parts(writer: ObjectWriter): Buffer[];
} {
  const parts: Buffer[] = [];
  const sealer = newSealer((each) => parts.push(each));
  sealer.update(randomBytes(sizeBytes));
  const { bodyBytes } = sealer.end(randomBytes(100));
  return { id: sealer.identity.id, bodyBytes, parts: (writer) => [sealer.header(writer.provenTo), ...parts] };
}

/** One on its way, written behind as it arrives. */
export function sealInto(objects: SealedObjects): Sealing {
  return createSealing({ id: "", objects, sealer: newSealer, ended() {} });
}

export async function putObject(objects: SealedObjects, sizeBytes: number): Promise<PutObject> {
  const sealed = sealedObject(sizeBytes);
  const writer = await objects.begin();
  const parts = sealed.parts(writer);
  await writer.write(parts.slice(0, 2));
  await writer.commit(parts.slice(2));
  const { pack, start } = writer;
  return { id: sealed.id, pack, start, offset: start + sealed.bodyBytes, sizeBytes, bytes: Buffer.concat(parts) };
}

/** Proves every byte of an object of this fixture. Rejects with Problem "damaged" when it does not. */
export function verifyObject(
  objects: Pick<SealedObjects, "read">,
  place: { pack: string; offset: number },
): Promise<void> {
  return verifyAt((position, into) => objects.read(place.pack, position, into), place);
}

/** Whether it is whole, as `SealedObjects.start` asks. */
export async function isWhole(objects: Pick<SealedObjects, "read">, found: FoundObject): Promise<boolean> {
  try {
    await verifyObject(objects, found);
    return true;
  } catch (error) {
    if (isProblem(error, "damaged")) return false;
    throw error;
  }
}

/** One set for all tests: what one has left in a buffer must mean nothing to another. */
const buffers = createSealedBuffers();

const provenAt = (objects: Pick<SealedObjects, "read">, place: { pack: string; offset: number }) => {
  const readAt: ReadAt = (position, into) => objects.read(place.pack, position, into);
  return proveObject(place, { readAt, tenantId, part, studyKeyOf: () => studyKey, buffers });
};

export async function contentOf(objects: SealedObjects, place: { pack: string; offset: number }): Promise<Buffer> {
  const object = openedObject(await provenAt(objects, place));
  return object.read(0, object.sizeBytes);
}

export async function recordOf(objects: SealedObjects, place: { pack: string; offset: number }): Promise<string> {
  return (await openRecord(await provenAt(objects, place))).toString();
}

/** All that is found, and what of it does not prove. */
export async function survey(objects: SealedObjects): Promise<{ found: FoundObject[]; damaged: string[] }> {
  const all: FoundObject[] = [];
  const damaged: string[] = [];
  for (const { pack } of await objects.packs()) {
    for await (const found of objects.scan(pack, 0)) {
      if (!("gapFrom" in found)) all.push(found);
      if ("gapFrom" in found) damaged.push(`${pack} from ${found.gapFrom} to ${found.gapTo}`);
      else if (!(await isWhole(objects, found))) damaged.push(`${pack} at ${found.offset}`);
    }
  }
  return { found: all, damaged };
}

export async function verifyAt(readAt: ReadAt, place: { pack: string; offset: number }): Promise<void> {
  await verifyWhole(await proveObject(place, { readAt, tenantId, part, studyKeyOf: () => studyKey, buffers }));
}

export async function readWhole(objects: SealedObjects, pack: string, position: number, into: Buffer): Promise<number> {
  let have = 0;
  while (have < into.length) {
    const count = await objects.read(pack, position + have, into.subarray(have));
    if (count === 0) break;
    have += count;
  }
  return have;
}
