import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, has, type RunningHouse, startHouse } from "../tests/house/index.ts";
import { scratch } from "./data.ts";
import { end, noDelay, runQuietly, untilListening } from "./processes.ts";

/** A started server with an empty store. */
export interface Target {
  readonly name: string;
  readonly pid: number;
  readonly dicomPort: number;
  readonly aeTitle: string;
  /** How many instances it holds, when it can tell. */
  held(): Promise<number | undefined>;
  /** DICOMweb, when it has any. */
  readonly web?: {
    readonly url: string;
    /** What the server asks for with each request. */
    readonly headers: Readonly<Record<string, string>>;
    /** Path of the authority's certificate, when it speaks TLS. */
    readonly ca?: string;
  };
  readonly house?: RunningHouse;
  /** Has C-MOVE to that title go to that port of this machine. */
  sendsTo?(aeTitle: string, port: number): Promise<void>;
  stop(): Promise<void>;
}

export interface TargetKind {
  readonly name: string;
  readonly available: boolean;
  /** On the store in that folder, which is kept; else on an empty one of its own. */
  start(folder?: string): Promise<Target>;
}

const plugin = process.env.ORTHANC_DICOMWEB ?? "/usr/share/orthanc/plugins/libOrthancDicomWeb.so";

/** One client asks for more patients in a minute than a reader sees in a year: the breaker would stop it. */
const revealsPerMinute = "100000000";

/** Leadglass as `npm start` runs it: sealed, synced, logged. */
export const leadglass: TargetKind = leadglassBy("leadglass", startHouse);

/** Another state of the repository, checked out in `folder` with its modules. */
export function leadglassIn(name: string, folder: string): TargetKind {
  return leadglassBy(name, async (options) => {
    const house = (await import(join(folder, "tests", "house", "index.ts"))) as { startHouse: typeof startHouse };
    return house.startHouse(options);
  });
}

function leadglassBy(name: string, startIt: typeof startHouse): TargetKind {
  return {
    name,
    available: true,
    async start(folder) {
      const environment = { LEADGLASS_REVEALS_PER_MINUTE: revealsPerMinute };
      const house = await startIt({ home: folder ?? scratch("leadglass"), environment });
      house.command(["device", "add", "BENCH", "--address", "127.0.0.1"]);
      const headers = { authorization: `Bearer ${house.token()}` };
      return {
        name,
        pid: house.pid,
        dicomPort: house.dicom,
        aeTitle: "LEADGLASS",
        house,
        web: { url: `https://localhost:${house.https}/dicom-web`, headers, ca: house.ca },
        async held() {
          const answer = await house.fetch("/dicom-web/studies?includefield=00201208&limit=100");
          const studies = (await answer.json()) as Record<string, { Value?: number[] }>[];
          return studies.reduce((sum, study) => sum + (study["00201208"]?.Value?.[0] ?? 0), 0);
        },
        async sendsTo(title, port) {
          house.command(["device", "add", title, "--address", "127.0.0.1", "--port", String(port)]);
        },
        async stop() {
          if (folder === undefined) await house.remove();
          else await house.stop();
        },
      };
    },
  };
}

/** Debian's Orthanc with its DICOMweb plugin: no authentication, no sealing; SyncStorageArea true. */
export const orthanc: TargetKind = {
  name: "orthanc",
  available: has("Orthanc"),
  async start(folder) {
    const store = folder ?? scratch("orthanc");
    const [dicomPort, httpPort] = [await freePort(), await freePort()];
    const configuration = join(store, "orthanc.json");
    writeFileSync(configuration, JSON.stringify(orthancSettings(store, dicomPort, httpPort)));
    const child = runQuietly("Orthanc", [configuration], noDelay);
    await untilListening(httpPort);
    await untilListening(dicomPort);
    const root = `http://127.0.0.1:${httpPort}`;
    return {
      name: "orthanc",
      pid: child.pid ?? 0,
      dicomPort,
      aeTitle: "ORTHANC",
      web: { url: `${root}/dicom-web`, headers: {} },
      held: async () =>
        ((await (await fetch(`${root}/statistics`)).json()) as { CountInstances: number }).CountInstances,
      async sendsTo(AET, Port) {
        const body = JSON.stringify({ AET, Host: "127.0.0.1", Port });
        const { status } = await fetch(`${root}/modalities/${AET}`, { method: "PUT", body });
        if (status !== 200) throw new Error(`Orthanc took no destination: ${status}`);
      },
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
    DicomAlwaysAllowFind: true,
    DicomAlwaysAllowGet: true,
    DicomAlwaysAllowMove: true,
    SynchronousCMove: true,
    ConcurrentJobs: 2,
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
