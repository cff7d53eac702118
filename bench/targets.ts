import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, has, type RunningHouse, startHouse } from "../tests/house/index.ts";
import { scratch } from "./data.ts";
import { end, runQuietly, untilListening } from "./processes.ts";

/** A started server with an empty store. */
export interface Target {
  readonly name: string;
  readonly pid: number;
  readonly dicomPort: number;
  readonly aeTitle: string;
  /** How many instances it holds, when it can tell. */
  held(): Promise<number | undefined>;
  /** DICOMweb under this URL, `get` with whatever the server asks for; undefined when it has none. */
  readonly web?: { readonly get: (path: string, headers?: Record<string, string>) => Promise<Response> };
  readonly house?: RunningHouse;
  stop(): Promise<void>;
}

export interface TargetKind {
  readonly name: string;
  readonly available: boolean;
  start(): Promise<Target>;
}

/** DCMTK and Debian's Orthanc leave Nagle on otherwise and wait 44 ms an instance. */
const noDelay = { TCP_NODELAY: "1" };
const plugin = process.env.ORTHANC_DICOMWEB ?? "/usr/share/orthanc/plugins/libOrthancDicomWeb.so";

/** Leadglass as `npm start` runs it: sealed, synced, logged. */
export const leadglass: TargetKind = {
  name: "leadglass",
  available: true,
  async start() {
    const house = await startHouse({ home: scratch("leadglass") });
    house.command(["device", "add", "BENCH", "--address", "127.0.0.1"]);
    house.token();
    return {
      name: "leadglass",
      pid: house.pid,
      dicomPort: house.dicom,
      aeTitle: "LEADGLASS",
      house,
      web: { get: (path, headers) => house.fetch(`/dicom-web${path}`, headers === undefined ? {} : { headers }) },
      async held() {
        const answer = await house.fetch("/dicom-web/studies?includefield=00201208&limit=100");
        const studies = (await answer.json()) as Record<string, { Value?: number[] }>[];
        return studies.reduce((sum, study) => sum + (study["00201208"]?.Value?.[0] ?? 0), 0);
      },
      stop: () => house.remove(),
    };
  },
};

/** Debian's Orthanc with its DICOMweb plugin: no authentication, no sealing; SyncStorageArea true. */
export const orthanc: TargetKind = {
  name: "orthanc",
  available: has("Orthanc"),
  async start() {
    const store = scratch("orthanc");
    const [dicomPort, httpPort] = [await freePort(), await freePort()];
    const configuration = join(store, "orthanc.json");
    writeFileSync(configuration, JSON.stringify(orthancSettings(store, dicomPort, httpPort)));
    const child = runQuietly("Orthanc", [configuration], noDelay);
    await untilListening(httpPort);
    await untilListening(dicomPort);
    const get = (path: string, headers: Record<string, string> = {}) =>
      fetch(`http://127.0.0.1:${httpPort}${path}`, { headers });
    return {
      name: "orthanc",
      pid: child.pid ?? 0,
      dicomPort,
      aeTitle: "ORTHANC",
      web: { get: (path, headers) => get(`/dicom-web${path}`, headers) },
      held: async () => ((await (await get("/statistics")).json()) as { CountInstances: number }).CountInstances,
      stop: () => end(child),
    };
  },
};

function orthancSettings(store: string, dicomPort: number, httpPort: number): object {
  return {
    Name: "bench",
    StorageDirectory: store,
    IndexDirectory: store,
    DicomServerEnabled: true,
    DicomPort: dicomPort,
    DicomAet: "ORTHANC",
    DicomCheckCalledAet: false,
    DicomAlwaysAllowEcho: true,
    DicomAlwaysAllowStore: true,
    HttpPort: httpPort,
    RemoteAccessAllowed: false,
    AuthenticationEnabled: false,
    StorageCompression: false,
    OverwriteInstances: false,
    SyncStorageArea: true,
    Plugins: [plugin],
    DicomWeb: { Enable: true, Root: "/dicom-web/" },
  };
}

/** DCMTK's storescp: acknowledges before data is on disk, neither seals nor indexes. `fork` takes several associations. */
export function storescp(fork: boolean): TargetKind {
  const name = fork ? "storescp -bp --fork" : "storescp -bp";
  return {
    name,
    available: has("storescp"),
    async start() {
      const store = scratch("storescp");
      const dicomPort = await freePort();
      const words = ["--bit-preserving", ...(fork ? ["--fork"] : []), "-od", store, String(dicomPort)];
      const child = runQuietly("storescp", words, noDelay);
      await untilListening(dicomPort);
      return {
        name,
        pid: child.pid ?? 0,
        dicomPort,
        aeTitle: "ANY-SCP",
        held: async () => undefined,
        stop: () => end(child),
      };
    },
  };
}
