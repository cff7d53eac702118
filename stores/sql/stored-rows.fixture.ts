import { createHash } from "node:crypto";
import type { BlindStore, Block, StudyHeld } from "#radiology/archive";

const bytesOf = (text: string, length: number) =>
  new Uint8Array(createHash("shake256", { outputLength: length }).update(text).digest());

export function studyOf(id: number, change: Partial<StudyHeld> = {}): StudyHeld {
  return {
    id,
    studyToken: `token${id}`,
    uidDigest: bytesOf(`uid ${id}`, 16),
    identity: bytesOf(`identity ${id}`, 250),
    facts: bytesOf(`where ${id} lies`, 101),
    modalities: ["CT"],
    sopClassUids: ["1.2.840.10008.5.1.4.1.1.2"],
    seriesCount: 1,
    instanceCount: 1,
    conflictCount: 0,
    rejectedCount: 0,
    changedAt: id,
    ...change,
  };
}

export const blockOf = (name: number, serial: number): Block => ({
  name: bytesOf(`name ${name}`, 8),
  serial,
  sealed: bytesOf(`block ${name} ${serial}`, 900),
});

/** The `n`th of many changes that each put a study, a block and a mark. */
export const putNth = (store: BlindStore, n: number): Promise<void> =>
  store.change(async (rows) => {
    await rows.put({ studies: [studyOf(n)] });
    await rows.put({ blocks: [blockOf(n, 0)] });
    await rows.put({ marks: [{ pack: "identity-1", position: n }] });
  });

/** How many of these changes stand; undefined when a part of one does. */
export async function wholeChanges(store: BlindStore): Promise<number | undefined> {
  const count = await store.studyCount();
  const [mark] = await store.marks();
  const held = await store.studiesAfter(0, count + 1);
  const blocks = await store.blocks(held.map(({ id }) => blockOf(id, 0).name));
  const isWhole = (mark?.position ?? 0) === count && held.length === count && blocks.length === count;
  return isWhole && held.every(({ id }, at) => id === at + 1) ? count : undefined;
}
