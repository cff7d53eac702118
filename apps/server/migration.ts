import { fetchParts, fetchStudy, listContents, listStudies } from "#doors/dimse";
import type { Archive } from "#radiology/archive";
import { createMigrations, keysOf, type MigrationParts, type Migrations, type Source } from "#radiology/migration";
import type { Devices } from "#trust/access";
import type { DeviceCalls } from "./device-calls.ts";
import { machineNamed, openTo, receivingFrom } from "./machines.ts";

interface HouseParts extends Omit<MigrationParts, "source" | "timeZone"> {
  readonly intake: Pick<Archive, "receiveDataSet">;
  readonly devices: Devices;
  readonly deviceCalls: DeviceCalls;
  /** AE title of this home. */
  readonly ownTitle: string;
}

/** Old archives that are taken over, over DIMSE; hours are those of this machine's clock. */
export function openMigrations(parts: HouseParts): Migrations {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return createMigrations({ ...parts, timeZone, source: dimseSource(parts) });
}

function dimseSource(parts: HouseParts): Source {
  const { devices, deviceCalls, ownTitle } = parts;
  const openAt = async (id: string, signal: AbortSignal) =>
    openTo(deviceCalls, await machineNamed(devices, id), signal);
  return {
    titleOf: async (at) => (await machineNamed(devices, at)).ae,
    async answers(at) {
      const asked = await machineNamed(devices, at)
        .then(deviceCalls.echo)
        .catch(() => undefined);
      return asked !== undefined;
    },
    list: async (at, window, take, signal) => listStudies(await openAt(at, signal), keysOf(window), take, signal),
    contents: async (at, studyUid, signal) => listContents(await openAt(at, signal), studyUid, signal),
    async fetch(from, wanted, signal) {
      const receive = receivingFrom(parts, await machineNamed(devices, from));
      const fetching = { open: await openAt(from, signal), receive, ownAe: ownTitle, signal, note: () => {} };
      await (wanted.only === undefined ? fetchStudy(wanted.studyUid, fetching) : fetchParts(wanted, fetching));
    },
  };
}
