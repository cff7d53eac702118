import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import { createHeaderReader, encodingOf, isUid, readDataSet, Tag, tagOf } from "#formats/dicom";
import { type Archive, type DataSetHeader, endingOnce, inspect, type Receiving } from "#radiology/archive";
import type { Actor } from "#trust/access";
import type { Uplink } from "./uplink.ts";

/** Where an instance goes. */
export interface EdgeRoute {
  readonly cloud: boolean;
  /** For reading here, or for machines that it is sent on to: under the box's own key. */
  readonly keep: boolean;
  /** Machines are sent it from here: it is not taken without the copy. */
  readonly needsCopy?: boolean;
  /** What is changed in what goes to the cloud. Throws a Problem for what is held back. */
  readonly change?: ((dataSet: Uint8Array, transferSyntaxUid: string) => Uint8Array) | undefined;
}

export interface EdgeIntakeParts {
  readonly uplink: Pick<Uplink, "receiveDataSet">;
  /** Of this box. */
  readonly archive: Pick<Archive, "receiveDataSet">;
  /** Asked when what it may ask for has come; `text` gives values of `routedTags`. */
  readonly route: (actor: Actor, header: DataSetHeader, text: (tag: number) => string | undefined) => EdgeRoute;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a route may depend on. */
export const routedTags: ReadonlySet<number> = new Set(
  ["Modality", "StationName", "StudyDescription", "BodyPartExamined"].map(tagOf),
);
const lastRoutedTag = Math.max(...routedTags);
/** What has come before that is known is held. */
const beforeRouteBytesMax = 8 * 1024 * 1024;
/** What is changed is changed as a whole: one instance, and all that come at the same time. */
const changedBytesMax = 512 * 1024 * 1024;
const changingBytesMax = 768 * 1024 * 1024;

/** So much of what is deflated is taken at once: it may swell a thousandfold. */
const deflatedBytesAtOnce = 4 * 1024;

/** Where what is sent to an edge goes, by machines and by people: to the cloud, here, or both. */
export function createEdgeIntake(parts: EdgeIntakeParts): Pick<Archive, "receiveDataSet" | "receiveFile"> {
  const changing = { bytes: 0 };
  const receiveDataSet = (actor: Actor, header: DataSetHeader): Receiving => {
    const inspection = inspect(header, routedTags);
    const receiving = receivingLater({
      isKnown(bytes) {
        inspection.take(bytes);
        return inspection.isBeyond(lastRoutedTag);
      },
      begin: () => ({
        receiving: receivingBy({ ...parts, changing }, parts.route(actor, header, inspection.text), actor, header),
        from: 0,
      }),
    });
    return encodingOf(header.transferSyntaxUid).deflated ? littleByLittle(receiving, parts.clock) : receiving;
  };
  return {
    receiveDataSet,
    receiveFile(actor, facility) {
      const reader = createHeaderReader({ wanted: [Tag.SOPClassUID, Tag.SOPInstanceUID] });
      return receivingLater({
        isKnown: (bytes) => !reader.write(bytes),
        begin(isWhole) {
          const { dataSet, problem, transferSyntaxUid, dataSetOffset } = reader.header(isWhole);
          if (problem !== undefined) throw problem;
          const sopClassUid = dataSet.text(Tag.SOPClassUID) ?? "";
          const sopInstanceUid = dataSet.text(Tag.SOPInstanceUID) ?? "";
          if (!isUid(sopClassUid) || !isUid(sopInstanceUid)) throw new Problem("invalid", "this is no DICOM instance");
          const known = { sopClassUid, sopInstanceUid, transferSyntaxUid };
          const header = { ...known, ...(facility !== undefined && { facility }) };
          return { receiving: receiveDataSet(actor, header), from: dataSetOffset };
        },
      });
    },
  };
}

/** Held until so much has come that `begin` can say who takes it, and from which byte on. */
function receivingLater({
  isKnown,
  begin,
}: {
  readonly isKnown: (bytes: Uint8Array) => boolean;
  readonly begin: (isWhole: boolean) => { readonly receiving: Receiving; readonly from: number };
}): Receiving {
  let waiting: Buffer[] = [];
  let bytesHeld = 0;
  let begun: Receiving | undefined;
  const hand = async (isWhole: boolean): Promise<Receiving> => {
    const { receiving, from } = begin(isWhole);
    begun = receiving;
    const before = waiting;
    waiting = [];
    let passed = 0;
    for (const bytes of before) {
      const skipped = Math.min(bytes.length, Math.max(0, from - passed));
      passed += bytes.length;
      if (skipped < bytes.length) await receiving.write(bytes.subarray(skipped));
    }
    return receiving;
  };
  return endingOnce({
    write(bytes) {
      if (begun !== undefined) return begun.write(bytes);
      const isEnough = isKnown(bytes);
      waiting.push(Buffer.from(bytes));
      bytesHeld += bytes.length;
      return isEnough || bytesHeld > beforeRouteBytesMax ? hand(false).then(() => {}) : undefined;
    },
    finish: async () => (begun ?? (await hand(true))).finish(),
    abort: async () => begun?.abort(),
  });
}

/** Others have their turn while it swells. */
function littleByLittle(receiving: Receiving, clock: Clock): Receiving {
  return {
    ...receiving,
    async write(bytes) {
      for (let at = 0; at < bytes.length; at += deflatedBytesAtOnce) {
        await receiving.write(bytes.subarray(at, at + deflatedBytesAtOnce));
        await clock.sleep(0);
      }
    },
  };
}

function receivingBy(
  { uplink, archive, changing, log }: EdgeIntakeParts & { readonly changing: { bytes: number } },
  { cloud, keep, needsCopy = false, change }: EdgeRoute,
  actor: Actor,
  header: DataSetHeader,
): Receiving {
  const here = () => archive.receiveDataSet(actor, header);
  if (!cloud && !keep) throw new Problem("denied", "a rule of this box takes this instance nowhere");
  if (!cloud) return here();
  const sent =
    change === undefined
      ? uplink.receiveDataSet(actor, header)
      : changed(header, change, changing, (other) => uplink.receiveDataSet(actor, other));
  if (!keep) return sent;
  return needsCopy ? both(sent, here()) : withCopy(sent, here(), log);
}

/** Taken when both have it. */
function both(sent: Receiving, copy: Receiving): Receiving {
  return {
    async write(bytes) {
      await sent.write(bytes);
      await copy.write(bytes);
    },
    async finish() {
      await copy.finish();
      return sent.finish();
    },
    abort: async () => void (await Promise.all([sent.abort(), copy.abort()])),
  };
}

/** Held until it has come, and sent as it was changed. */
function changed(
  header: DataSetHeader,
  change: NonNullable<EdgeRoute["change"]>,
  changing: { bytes: number },
  receive: (header: DataSetHeader) => Receiving,
): Receiving {
  const inspection = inspect(header);
  const { transferSyntaxUid } = header;
  let pieces: Buffer[] = [];
  let sizeBytes = 0;
  let sent: Receiving | undefined;
  const release = (): void => {
    changing.bytes -= sizeBytes;
    sizeBytes = 0;
    pieces = [];
  };
  return {
    write(bytes) {
      inspection.take(bytes);
      if (changing.bytes + bytes.length > changingBytesMax) {
        throw new Problem("busy", "too much is being changed on its way at the same time", { remedy: "send it again" });
      }
      changing.bytes += bytes.length;
      sizeBytes += bytes.length;
      if (sizeBytes > changedBytesMax) {
        throw new Problem(
          "too-large",
          `an instance of more than ${changedBytesMax >> 20} MiB cannot be changed on its way`,
        );
      }
      pieces.push(Buffer.from(bytes));
      return undefined;
    },
    async finish() {
      const stored = inspection.end();
      const other = change(Buffer.concat(pieces), transferSyntaxUid);
      const sopInstanceUid = readDataSet(other, { transferSyntaxUid }).text(Tag.SOPInstanceUID) ?? "";
      sent = receive({ ...header, sopInstanceUid });
      await sent.write(other);
      await sent.finish();
      release();
      return stored;
    },
    async abort() {
      release();
      await sent?.abort();
    },
  };
}

/** Acknowledged is what waits for the cloud. A copy that cannot be kept is none: the box's own archive may be full, or hold it already. */
function withCopy(sent: Receiving, copy: Receiving, log: Log): Receiving {
  let isKept = true;
  const lose = async (error: unknown): Promise<void> => {
    if (!isKept) return;
    isKept = false;
    log.warn("a copy for reading here was not kept; the instance goes to the cloud", {}, error);
    await copy.abort();
  };
  const writeCopy = (bytes: Uint8Array): undefined | Promise<void> => {
    if (!isKept) return undefined;
    try {
      return copy.write(bytes)?.catch(lose);
    } catch (error) {
      return lose(error);
    }
  };
  return {
    write(bytes) {
      const waits = sent.write(bytes);
      const copyWaits = writeCopy(bytes);
      if (waits === undefined || copyWaits === undefined) return waits ?? copyWaits;
      return Promise.all([waits, copyWaits]).then(() => {});
    },
    async finish() {
      const stored = await sent.finish();
      if (isKept) await copy.finish().catch(lose);
      return stored;
    },
    async abort() {
      await Promise.all([sent.abort(), isKept ? copy.abort() : undefined]);
    },
  };
}
