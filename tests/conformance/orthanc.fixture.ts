import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, has, type RunningHouse } from "../house/index.ts";

export const noOrthanc = has("Orthanc") ? false : "needs Orthanc: apt install orthanc";

/** Debian's Orthanc with an empty store, which knows the house as `LG` and is known to it as `ORTHANC`. */
export interface Orthanc {
  readonly dicom: number;
  readonly http: number;
  /** A request to its REST API; the JSON that is answered. */
  rest<T>(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<T>;
  /** Waits for one of its jobs; its state at the end. */
  job(path: string, body: unknown): Promise<{ readonly State: string; readonly Content: Record<string, unknown> }>;
  stop(): Promise<void>;
}

/** Debian's package `orthanc-dicomweb`. */
const dicomwebPlugin = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so";
export const noDicomwebPlugin =
  noOrthanc || (existsSync(dicomwebPlugin) ? false : "needs the plugin: apt install orthanc-dicomweb");

/** `dicomweb`: its plugin is loaded, with these settings of `DicomWeb`; `settings`: of Orthanc itself. */
export async function startOrthanc(
  house: RunningHouse,
  { dicomweb, settings: more }: { readonly dicomweb?: object; readonly settings?: object } = {},
): Promise<Orthanc> {
  const folder = mkdtempSync(join(tmpdir(), "lg-orthanc-"));
  const [dicom, http] = [await freePort(), await freePort()];
  const file = join(folder, "orthanc.json");
  const plugin = dicomweb && { Plugins: [dicomwebPlugin], DicomWeb: { Enable: true, ...dicomweb } };
  writeFileSync(file, JSON.stringify({ ...settings(folder, dicom, http, house.dicom), ...plugin, ...more }));
  // DCMTK's sockets wait for delayed acknowledgements unless told not to.
  const child = spawn("Orthanc", [file], { env: { ...process.env, TCP_NODELAY: "1" }, stdio: "ignore" });
  await Promise.all([listening(http), listening(dicom)]);
  house.command(["device", "add", "ORTHANC", "--address", "127.0.0.1", "--port", String(dicom)]);

  const rest = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const sent = Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body);
    const answer = await fetch(`http://127.0.0.1:${http}${path}`, {
      method,
      ...(body !== undefined && { body: sent }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`Orthanc answered ${path} with ${answer.status}: ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  };
  return {
    dicom,
    http,
    rest,
    async job(path, body) {
      const { ID } = await rest<{ ID: string }>("POST", path, { Synchronous: false, ...(body as object) });
      for (;;) {
        const job = await rest<{ State: string; Content: Record<string, unknown> }>("GET", `/jobs/${ID}`);
        if (job.State !== "Pending" && job.State !== "Running") return job;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    async stop() {
      const over = once(child, "exit");
      child.kill("SIGTERM");
      await over;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function settings(folder: string, dicom: number, http: number, houseDicom: number): object {
  return {
    Name: "peer",
    StorageDirectory: folder,
    IndexDirectory: folder,
    DicomServerEnabled: true,
    DicomPort: dicom,
    DicomAet: "ORTHANC",
    DicomCheckCalledAet: true,
    DicomAlwaysAllowEcho: true,
    DicomAlwaysAllowStore: true,
    DicomAlwaysAllowFind: true,
    DicomAlwaysAllowGet: true,
    DicomAlwaysAllowMove: true,
    DicomModalities: {
      LG: {
        AET: "LEADGLASS",
        Host: "127.0.0.1",
        Port: houseDicom,
        AllowStorageCommitment: true,
        AllowEcho: true,
        AllowFind: true,
        AllowGet: true,
        AllowMove: true,
        AllowStore: true,
      },
    },
    HttpPort: http,
    RemoteAccessAllowed: false,
    AuthenticationEnabled: false,
    OverwriteInstances: false,
    Plugins: [],
  };
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const reached = await Promise.race([
      once(socket, "connect").then(
        () => true,
        () => false,
      ),
      once(socket, "error").then(() => false),
    ]);
    socket.destroy();
    if (reached) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
