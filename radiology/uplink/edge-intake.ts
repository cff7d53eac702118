import type { Log } from "#base/log";
import type { Archive, Receiving } from "#radiology/archive";
import type { Uplink } from "./uplink.ts";

/** Where what machines send to an edge goes. */
export interface EdgeIntakeParts {
  readonly uplink: Pick<Uplink, "receiveDataSet">;
  /** Of this box: what it was told to keep for reading here, under its own key. */
  readonly archive: Pick<Archive, "receiveDataSet">;
  /** Whether it was told to keep anything. */
  readonly keeps: boolean;
  readonly log: Log;
}

/** To the cloud, and where the box keeps it, here too. */
export function createEdgeIntake({ uplink, archive, keeps, log }: EdgeIntakeParts): Pick<Archive, "receiveDataSet"> {
  return {
    receiveDataSet(actor, header) {
      const sent = uplink.receiveDataSet(actor, header);
      return keeps ? withCopy(sent, archive.receiveDataSet(actor, header), log) : sent;
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
