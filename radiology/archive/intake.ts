import { createHash } from "node:crypto";
import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import { createCutter, createReader, encodingOf, isUid, Tag, writeMeta } from "#formats/dicom";
import { type Actor, type Gate, system } from "#trust/access";
import type { Vault } from "#trust/vault";
import type { Arrival } from "./arrivals.ts";
import { createHalves, type Halves } from "./halves.ts";
import type { Indexer } from "./indexer.ts";
import {
  asRefusal,
  checkedUids,
  type DataSetHeader,
  newSeen,
  optionsInto,
  type Seen,
  type StoredInstance,
  uidOf,
} from "./passing-values.ts";
import { indexedValues, patientOf } from "./received-values.ts";
import { endingOnce, type Receiving } from "./receiving.ts";
import { noteSopClass, type ReadNote, readNote } from "./rejection-notes.ts";
import { encodeStored } from "./stored-record.ts";
import type { InstancePlaces, InstanceRecord } from "./study-index.ts";
import { clearPreamble, refusal } from "./unwanted.ts";

export interface Intake {
  receiveDataSet(actor: Actor, header: DataSetHeader): Receiving;
  receiveFile(actor: Actor, facility?: string): Receiving;
  /** A rejection note of our own, by an actor whom the gate has let reject; `at` is when it came, epoch milliseconds. */
  receiveNote(by: Actor, at: number): Receiving;
}

interface IntakeParts {
  readonly vault: Vault;
  readonly gate: Gate;
  readonly indexer: Indexer;
  /** When something arrives, epoch milliseconds. */
  readonly stamp: () => number;
  readonly clock: Clock;
  /** Lets a rejection note in, or not; `store` is what is done then. */
  readonly admitNote: <T>(actor: Actor, note: ReadNote, store: () => Promise<T>) => Promise<T>;
  readonly arriving?: Arriving;
  readonly implementation: { readonly classUid: string; readonly version: string };
}

/** An instance that the gate has let in, and that is about to rest. */
export interface ArrivingInstance {
  readonly studyToken: string;
  readonly record: Omit<InstanceRecord, "id" | "studyToken" | "places">;
  /** Of who sent it by C-STORE. */
  readonly callingAe?: string;
}

/**
 * Port: told of each instance before it is acknowledged, so that what is to become of it is known by then. When it rejects the instance is
 * not stored. What it resolves with is called when the instance can be found, or was not stored after all.
 */
export type Arriving = (instance: ArrivingInstance) => Promise<() => void>;

/** The Study Instance UID comes early (PS3.5 §7.1: ascending tags). What stands before it waits in memory, up to this. */
const bytesBeforeStudyMax = 8 * 1024 * 1024;
/** As small as 1 KiB of deflated bytes can be inflated at once: at most 1032 times as much (a run of 258 in two bits). */
const deflatedBytesAtOnce = 1024;
const inflatedBytesWithoutPause = 1024 * 1024;

/** A Key Object Selection is read whole: it may be a rejection note. */
const noteBytesMax = 8 * 1024 * 1024;

export function createIntake(parts: IntakeParts): Intake {
  return {
    receiveFile: (actor, facility) => receive(parts, { actor, by: actor, facility }),
    receiveDataSet: (actor, header) => receive(parts, { actor, by: actor, header, facility: header.facility }),
    receiveNote: (by, at) => receive({ ...parts, stamp: () => at, admitNote: admitted }, { actor: system, by }),
  };
}

const admitted: IntakeParts["admitNote"] = (_actor, _note, store) => store();

/** Of whom an instance comes. */
interface Sender {
  /** Who the gate is asked about. */
  readonly actor: Actor;
  /** Who it is said to come from. */
  readonly by: Actor;
  readonly header?: DataSetHeader | undefined;
  readonly facility?: string | undefined;
}

function receive(parts: IntakeParts, { actor, by, header, facility = "" }: Sender): Receiving {
  const { vault, gate, indexer, clock, stamp } = parts;
  const seen = newSeen();
  const meta = header && metaFor(header, parts.implementation);
  let halves: Halves | undefined;
  const cutter = createCutter({ meta, onCut: (piece) => halves?.cut(piece) });
  /** Inflated bytes since others had their turn. */
  let inflated = 0;
  const onInflated = (bytes: Uint8Array) => {
    inflated += bytes.length;
  };
  const reader = createReader(cutter.beside({ ...optionsInto(seen, header), onInflated }));
  const hash = createHash("sha256");
  let studyToken = "";
  /** Copies of what came before the study was known. */
  let held: Buffer[] = [];
  let heldBytes = 0;
  /** Bytes of the data set or file that were taken over into hash and seal. */
  let absorbed = 0;
  const keyObject = keepingKeyObject(seen);

  const absorb = (bytes: Uint8Array): void | Promise<void> => {
    const skip = header === undefined ? Math.max(0, (seen.dataSetOffset ?? 0) - absorbed) : 0;
    absorbed += bytes.length;
    keyObject.take(bytes);
    if (skip < bytes.length) hash.update(skip === 0 ? bytes : bytes.subarray(skip));
    return halves?.write(cutter.cut(bytes));
  };

  const hold = (bytes: Uint8Array): undefined | Promise<void> => {
    held.push(Buffer.from(bytes));
    heldBytes += bytes.length;
    const studyUid = seen.captured.get(Tag.StudyInstanceUID);
    if (studyUid !== undefined) return begin(uidOf(studyUid));
    if (heldBytes > bytesBeforeStudyMax) {
      throw refusal(`no Study Instance UID in the first ${bytesBeforeStudyMax >> 20} MiB`);
    }
    return undefined;
  };

  const begin = async (studyUid: string | undefined): Promise<void> => {
    if (studyUid === undefined) throw refusal("Study Instance UID is not a UID");
    studyToken = await vault.studyToken(studyUid, patientOf(indexedValues(seen.captured, false).study));
    halves = createHalves(vault, studyToken);
    if (meta !== undefined) await halves.write(cutter.cut(meta));
    const waiting = held;
    held = [];
    if (seen.hasPreamble) clearPreamble(waiting);
    for (const bytes of waiting) await absorb(bytes);
  };

  const finish = async (): Promise<StoredInstance> => {
    const read = reader.end();
    if (read.problem !== undefined) throw asRefusal(read.problem);
    if (!isUid(read.transferSyntaxUid)) throw refusal("the transfer syntax is not a UID");
    const uids = checkedUids(seen, header);
    const into = halves;
    if (into === undefined) throw refusal("no Study Instance UID");
    const note = readNoteIn(keyObject.bytes(), header);
    const provenance = header?.provenance?.();
    const { bigEndian, deflated } = encodingOf(read.transferSyntaxUid);
    const record = {
      ...uids,
      transferSyntaxUid: read.transferSyntaxUid,
      sizeBytes: absorbed + (meta?.length ?? 0),
      dataSetOffset: read.dataSetOffset,
      ...(seen.pixelOffset !== undefined && !deflated && { pixelOffset: seen.pixelOffset }),
      ...(seen.pixelLength !== undefined && !deflated && { pixelLength: seen.pixelLength }),
      dataSetSha256: hash.digest("hex"),
      receivedAt: stamp(),
      receivedFrom: by.id,
      ...(facility !== "" && { facility }),
      ...(provenance !== undefined && { provenance }),
      ...(note !== undefined && { rejection: { code: note.code, sopUids: note.sopUids } }),
      ...indexedValues(seen.captured, bigEndian),
    };
    await into.end(cutter.table(), (image) => encodeStored({ kind: "instance", record, image }));
    let sealed: { readonly places: InstancePlaces; readonly arrival: Arrival } | undefined;
    let left: (() => void) | undefined;
    const callingAe = header?.sourceAe;
    const seal = async () => {
      left = await parts.arriving?.({ studyToken, record, ...(callingAe !== undefined && { callingAe }) });
      const { places, endPosition } = await into.commit();
      sealed = { places, arrival: indexer.arrived({ pack: places.identity.pack, position: endPosition }) };
      return sealed;
    };
    const store = () => gate.pass(actor, "instance.store", { kind: "instance", id: into.id }, seal);
    const stored = await (note === undefined ? store() : parts.admitNote(actor, note, store)).catch(
      async (error: unknown) => {
        // The log did not take it. Where it cannot be taken back either, the next start finds it, and enters it in the log.
        if (sealed !== undefined) {
          const { places, arrival } = sealed;
          await into.withdraw(places).then(
            () => indexer.drop(arrival),
            () => {},
          );
        }
        left?.();
        throw error;
      },
    );
    const indexed: InstanceRecord = { ...record, id: into.id, studyToken, places: stored.places };
    const taken = indexer.push(indexed, stored.arrival);
    left?.();
    await taken;
    return uids;
  };

  const take = (bytes: Uint8Array): undefined | Promise<void> => {
    if (!reader.write(bytes)) throw asRefusal(reader.end().problem);
    if (seen.refused !== undefined) throw seen.refused;
    return halves === undefined ? hold(bytes) : (absorb(bytes) as undefined | Promise<void>);
  };

  /** What is deflated, or may turn out to be: little by little, so that others have their turn while it swells. */
  const takeSlowly = async (bytes: Uint8Array): Promise<void> => {
    for (let at = 0; at < bytes.length; ) {
      const to = mayBeDeflated() ? at + deflatedBytesAtOnce : bytes.length;
      await take(bytes.subarray(at, to));
      at = to;
      if (inflated < inflatedBytesWithoutPause) continue;
      inflated = 0;
      await clock.sleep(0);
    }
  };
  const mayBeDeflated = () => seen.isDeflated || seen.dataSetOffset === undefined;

  return endingOnce({
    write: (bytes) => (mayBeDeflated() ? takeSlowly(bytes) : take(bytes)),
    finish,
    abort: async () => halves?.abort(),
  });
}

/** Keeps a copy of what passes where the header says that it is a Key Object Selection. */
function keepingKeyObject({ captured }: Seen) {
  const pieces: Buffer[] = [];
  let size = 0;
  let isOne: boolean | undefined;
  return {
    /** From the first byte on: the SOP class is known before any is taken. */
    take(bytes: Uint8Array): void {
      const sopClass = captured.get(Tag.SOPClassUID);
      isOne ??= sopClass !== undefined && uidOf(sopClass) === noteSopClass;
      if (!isOne) return;
      size += bytes.length;
      if (size > noteBytesMax) {
        throw new Problem("too-large", `a Key Object Selection of more than ${noteBytesMax >> 20} MiB`);
      }
      pieces.push(Buffer.from(bytes));
    },
    bytes: () => (isOne === true ? Buffer.concat(pieces) : undefined),
  };
}

function readNoteIn(bytes: Uint8Array | undefined, header: DataSetHeader | undefined): ReadNote | undefined {
  return bytes && readNote(bytes, header?.transferSyntaxUid);
}

function metaFor(header: DataSetHeader, implementation: IntakeParts["implementation"]): Uint8Array {
  return writeMeta({
    mediaStorageSopClassUid: header.sopClassUid,
    mediaStorageSopInstanceUid: header.sopInstanceUid,
    transferSyntaxUid: header.transferSyntaxUid,
    implementationClassUid: implementation.classUid,
    implementationVersionName: implementation.version,
    ...(header.sourceAe !== undefined && { sourceAe: header.sourceAe }),
  });
}
