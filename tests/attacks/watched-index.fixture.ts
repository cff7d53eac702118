import { systemClock } from "#base/clock";
import { type BlindRows, type BlindStore, createBlindIndex, type InstanceRecord } from "#radiology/archive";
import { createMemoryBlindStore } from "#stores/memory";
import { createNameTruth, type NameTruth } from "../../radiology/archive/blind-truth.fixture.ts";
import { createTestIndexBox } from "../../radiology/archive/index-box.fixture.ts";

/** What changed in the database from one look of the attacker to the next: row numbers of new studies, names of lists. */
export interface Epoch {
  readonly studies: readonly number[];
  readonly lists: ReadonlySet<string>;
}

/** All that a database says of names of patients, to who copies it once or watches each change of it. */
export interface Watched {
  readonly epochs: readonly Epoch[];
  /** Bytes of all blocks of each list, as they are at last. */
  readonly listBytes: ReadonlyMap<string, number>;
  /** How long the sealed block of the log is that came with a study. */
  readonly logBytes: ReadonlySet<number>;
  /** What the attacker wants: who stands in which row. */
  readonly nameOf: ReadonlyMap<number, string>;
  readonly truth: NameTruth;
}

export interface Arrivals {
  readonly names: readonly string[];
  /** Studies in one change of the index. */
  readonly batch: number;
  /** As `createBlindIndex` takes it; 1 writes the lists with every change. As usual when absent. */
  readonly mergedAtTerms?: number;
  readonly sharedTerms?: number;
}

const sharedTermsDefault = 2 ** 18;
/**
 * A name has 42 of the 90 terms of a usual study: so many make a merge as often as the default does, which is after some 1,450 studies. What
 * other terms would say beside names is left out; where they lie among all lists, the attacker knows.
 */
export const mergedAsUsual = Math.round((128 * 1024 * 42) / 90);

/** Fills a real index with studies that have nothing but a name, and notes what the database shows. */
export async function watch({
  names,
  batch,
  mergedAtTerms = mergedAsUsual,
  sharedTerms = sharedTermsDefault,
}: Arrivals): Promise<Watched> {
  const box = createTestIndexBox();
  const watching = createWatching(createMemoryBlindStore());
  const index = createBlindIndex({
    store: watching.store,
    box,
    clock: systemClock,
    sharedTerms,
    mergedAtTerms,
  });
  for (let from = 0; from < names.length; from += batch) {
    const some = names.slice(from, from + batch);
    await index.add(
      some.map((name, at) => recordOf(from + at, name)),
      [],
    );
    await watching.merged(mergedAtTerms === 1);
  }
  await index.close();
  const nameOf = new Map(names.map((name, at) => [at + 1, name]));
  return { ...watching.seen, nameOf, truth: createNameTruth(box, sharedTerms) };
}

function createWatching(store: BlindStore) {
  const epochs: Epoch[] = [];
  const blockBytes = new Map<string, Map<number, number>>();
  const logBytes = new Set<number>();
  let studies: number[] = [];
  let lists = new Set<string>();
  let logName: string | undefined;
  const noted = ({ studies: rows = [], blocks = [] }: BlindRows) => {
    for (const { id } of rows) studies.push(id);
    for (const { name, serial, sealed } of blocks) {
      const list = Buffer.from(name).toString("hex");
      const isWithStudies = rows.length === 0 && blocks.length === 1;
      if (isWithStudies) logName ??= list;
      if (list === logName) logBytes.add(sealed.length);
      // Columns are as long as no list is.
      if (list === logName || sealed.length > 4_096) continue;
      lists.add(list);
      const of = blockBytes.get(list) ?? new Map<number, number>();
      blockBytes.set(list, of.set(serial, sealed.length));
    }
  };
  const watched: BlindStore = {
    ...store,
    change: (work) =>
      store.change((rows) =>
        work({
          ...rows,
          async put(given) {
            noted(given);
            await rows.put(given);
          },
          async removeBlocks(name, below) {
            await rows.removeBlocks(name, below);
            epochs.push({ studies, lists });
            studies = [];
            lists = new Set();
          },
        }),
      ),
  };
  return {
    store: watched,
    /** A merge goes on by itself: over memory it needs no more than some turns. */
    async merged(isDue: boolean) {
      const before = epochs.length;
      for (let turns = 0; turns < 3 || (isDue && studies.length > 0 && turns < 10_000); turns++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (isDue && studies.length > 0 && epochs.length === before) throw new Error("no merge came to its end");
    },
    get seen() {
      const sum = (of: Map<number, number>) => [...of.values()].reduce((total, bytes) => total + bytes, 0);
      const listBytes = new Map([...blockBytes].map(([list, of]) => [list, sum(of)] as const));
      return { epochs, listBytes, logBytes };
    },
  };
}

/**
 * What the length of a sealed row says of the name in it, when rows are filled up to a multiple of so many bytes: the attacker is taken to
 * know how long all else in the row is, which is another length for each.
 */
export function paddedTo({ nameOf }: Pick<Watched, "nameOf">, bytes: number) {
  return (study: number): { readonly least: number; readonly most: number } => {
    const rest = 250 + ((study * 37) % 256);
    const filled = Math.ceil((rest + (nameOf.get(study)?.length ?? 0)) / bytes);
    return { least: Math.max(0, (filled - 1) * bytes + 1 - rest), most: Math.max(0, filled * bytes - rest) };
  };
}

function recordOf(study: number, name: string): InstanceRecord {
  const studyUid = `1.2.826.0.1.3680043.10.1425.9.${1_000_000_000 + study}`;
  const token = String(study).padStart(32, "0");
  return {
    id: token,
    studyToken: token,
    studyUid,
    seriesUid: `${studyUid}.1`,
    sopUid: `${studyUid}.1.1`,
    sopClassUid: "",
    transferSyntaxUid: "1.2.840.10008.1.2.1",
    places: { image: { pack: "i", offset: study }, identity: { pack: "j", offset: study } },
    sizeBytes: 1,
    dataSetOffset: 0,
    dataSetSha256: token,
    receivedAt: study,
    receivedFrom: "device:a",
    study: { PatientName: name },
    series: {},
    instance: {},
  };
}
