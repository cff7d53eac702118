import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { has } from "../tests/house/index.ts";
import { ctSlices, scratch } from "./data.ts";
import { carryByBoxes } from "./link-boxes.ts";
import type { CloudOrder, EdgeOrder, EdgeReport } from "./link-ends.ts";
import { end, exitOf, loadNow, noDelay, usageOf } from "./processes.ts";
import { machine, print, spread, table } from "./report.ts";
import { type Congestion, knownCongestion, type Line, openWan, type Wan, whyNoWan } from "./wan.ts";

/** Slices: as many as fill the line for some twenty seconds, and the few that a single flow brings over in that time. */
const lines: readonly (Line & { readonly slices: number; readonly fewSlices: number })[] = [
  { name: "wan", mbitPerSecond: 100, roundTripMs: 50, lossPercent: 0.5, slices: 480, fewSlices: 20 },
  { name: "metro", mbitPerSecond: 1_000, roundTripMs: 20, lossPercent: 0, slices: 1_000, fewSlices: 200 },
  { name: "country", mbitPerSecond: 20, roundTripMs: 80, lossPercent: 1, slices: 96, fewSlices: 8 },
];

/** A run that takes longer has failed. */
const secondsMax = 900;

interface Outcome {
  readonly seconds: number;
  readonly streamsMost?: number;
  readonly edgePeakMiB?: number;
  readonly cloudPeakMiB?: number;
}

interface Way {
  readonly name: string;
  readonly available: boolean;
  /** Whether it takes as many slices as ours, or the few of a single flow. */
  readonly isQuick: boolean;
  carry(wan: Wan, files: readonly string[]): Promise<Outcome>;
}

interface Run extends Outcome {
  readonly line: Line;
  readonly congestion: Congestion;
  readonly way: string;
  readonly slices: number;
  readonly mbitPerSecond: number;
  /** Of the line's rate, with all headers and what was sent again. */
  readonly wireShare: number;
  readonly load: number;
}

/** A CT over a line of set rate, delay and loss: by C-STORE, between two Orthancs, over our link alone, and from a scanner through a box into a cloud. */
export async function link(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      runs: { type: "string", default: "3" },
      lines: { type: "string", default: lines.map(({ name }) => name).join(",") },
      congestion: { type: "string", default: "cubic,bbr" },
      only: { type: "string" },
      short: { type: "boolean", default: false },
    },
  });
  const reason = whyNoWan();
  if (reason !== undefined) return print(`no link can be made here: ${reason}`);
  // Ctrl-C: what was begun ends with us; `exit` puts back what was set.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
  print(`A CT over a line of set rate, delay and loss. ${machine()}.`);
  const all = ctSlices(1_000);
  const wanted = ways.filter(({ name }) => values.only === undefined || values.only.split(",").includes(name));
  for (const { name } of wanted.filter(({ available }) => !available)) print(`  left out: ${name} is not installed`);
  const runs: Run[] = [];
  for (const line of lines.filter(({ name }) => values.lines.split(",").includes(name))) {
    for (const congestion of values.congestion.split(",") as Congestion[]) {
      if (!knownCongestion().includes(congestion)) {
        print(`  left out: this kernel has no ${congestion}`);
        continue;
      }
      const there = wanted.filter(({ available }) => available);
      for (let round = 0; round < (values.short ? 1 : Number(values.runs)); round++) {
        for (const way of round % 2 === 0 ? there : [...there].reverse()) {
          const count = Math.ceil((way.isQuick ? line.slices : line.fewSlices) / (values.short ? 4 : 1));
          runs.push(await once(line, congestion, way, all.slice(0, count)));
        }
      }
    }
  }
  print(`\n${tableOf(runs)}`);
}

async function once(line: Line, congestion: Congestion, way: Way, files: readonly string[]): Promise<Run> {
  const wan = await openWan(line, congestion);
  try {
    const load = loadNow();
    const arrivedBefore = wan.arrivedBytes("cloud");
    const outcome = await way.carry(wan, files);
    const arrived = wan.arrivedBytes("cloud") - arrivedBefore;
    const bytes = files.reduce((sum, path) => sum + statSync(path).size, 0);
    const rate = (sent: number) => (sent * 8) / 1e6 / outcome.seconds;
    const run: Run = {
      ...{ line, congestion, load, way: way.name, slices: files.length, mbitPerSecond: rate(bytes) },
      wireShare: rate(arrived) / line.mbitPerSecond,
      ...outcome,
    };
    const { mbitPerSecond, wireShare } = run;
    print(
      `  ${line.name}, ${congestion}, ${way.name}: ${files.length} slices, ${mbitPerSecond.toFixed(1)} Mbit/s, wire ${(wireShare * 100).toFixed(0)} %, load ${load}`,
    );
    return run;
  } finally {
    await wan.close();
  }
}

const storescu: Way = {
  name: "storescu",
  available: has("storescu") && has("storescp"),
  isQuick: false,
  async carry(wan, files) {
    const environment = { ...process.env, ...noDelay };
    const folder = scratch("link-storescp");
    const options = { env: environment, stdio: "ignore" } as const;
    const server = wan.spawn("cloud", "storescp", ["--bit-preserving", "-od", folder, "11112"], options);
    try {
      await wan.untilListening("cloud", 11112);
      const began = performance.now();
      const code = await exitOf(wan.spawn("edge", "storescu", ["-R", wan.addresses.cloud, "11112", ...files], options));
      const seconds = (performance.now() - began) / 1000;
      if (code !== 0 || readdirSync(folder).length !== files.length) throw new Error(`storescu exited with ${code}`);
      return { seconds };
    } finally {
      await end(server);
    }
  },
};

const orthanc: Way = {
  name: "Orthanc peer",
  available: has("Orthanc") && has("curl"),
  isQuick: false,
  async carry(wan, files) {
    const servers = (["edge", "cloud"] as const).map((at) => {
      const store = scratch(`link-orthanc-${at}`);
      const configuration = join(store, "orthanc.json");
      writeFileSync(configuration, JSON.stringify(orthancSettings(store, wan.addresses.cloud)));
      return wan.spawn(at, "Orthanc", [configuration], { env: { ...process.env, ...noDelay }, stdio: "ignore" });
    });
    const ask = async (at: "edge" | "cloud", method: string, path: string, body: readonly string[] = []) => {
      const words = ["-s", "-m", "900", "-X", method, ...body, `http://127.0.0.1:8042${path}`];
      const child = wan.spawn(at, "curl", words, { stdio: ["ignore", "pipe", "ignore"] });
      let said = "";
      child.stdout?.on("data", (bytes: Buffer) => (said += bytes.toString()));
      await exitOf(child);
      return JSON.parse(said) as unknown;
    };
    try {
      await Promise.all((["edge", "cloud"] as const).map((at) => wan.untilListening(at, 8042)));
      for (const file of files) await ask("edge", "POST", "/instances", ["--data-binary", `@${file}`]);
      const [study] = (await ask("edge", "GET", "/studies")) as string[];
      const began = performance.now();
      await ask("edge", "POST", "/peers/cloud/store", ["--data-binary", String(study)]);
      const seconds = (performance.now() - began) / 1000;
      const { CountInstances } = (await ask("cloud", "GET", "/statistics")) as { CountInstances: number };
      if (CountInstances !== files.length) throw new Error(`Orthanc brought ${CountInstances} of ${files.length}`);
      return { seconds };
    } finally {
      await Promise.all(servers.map((server) => end(server)));
    }
  },
};

function orthancSettings(store: string, cloud: string): object {
  return {
    ...{ Name: "bench", StorageDirectory: store, IndexDirectory: store, DicomServerEnabled: false, HttpPort: 8042 },
    ...{ RemoteAccessAllowed: true, AuthenticationEnabled: false, SyncStorageArea: true, HttpTimeout: 900 },
    OrthancPeers: { cloud: [`http://${cloud}:8042/`] },
  };
}

const ours: Way = {
  name: "leadglass",
  available: true,
  isQuick: true,
  async carry(wan, files) {
    const folder = scratch("link-cloud");
    const certificate = join(scratch("link-certificate"), "own");
    makeCertificate(certificate);
    const port = 8443;
    const arrived = join(folder, "objects");
    mkdirSync(arrived);
    const start = (role: "cloud" | "edge", order: CloudOrder | EdgeOrder) => {
      const words = [join(import.meta.dirname, "link-ends.ts"), role, JSON.stringify(order)];
      const signal = AbortSignal.timeout(secondsMax * 1000);
      return wan.spawn(role, process.execPath, words, { stdio: ["ignore", "pipe", "inherit"], signal });
    };
    const cloud = start("cloud", { port, certificate, folder: arrived });
    try {
      await wan.untilListening("cloud", port);
      const edge = start("edge", { host: wan.addresses.cloud, port, certificate, files });
      let said = "";
      edge.stdout?.on("data", (bytes: Buffer) => (said += bytes.toString()));
      const code = await exitOf(edge);
      const cloudPeakMiB = usageOf(cloud.pid ?? 0).residentBytes / 2 ** 20;
      if (code !== 0 || readdirSync(arrived).length !== files.length) throw new Error(`the edge exited with ${code}`);
      const { seconds, streamsMost, peakBytes } = JSON.parse(said) as EdgeReport;
      return { seconds, streamsMost, edgePeakMiB: peakBytes / 2 ** 20, cloudPeakMiB };
    } finally {
      await end(cloud);
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

const boxes: Way = {
  name: "box and cloud",
  available: has("storescu") && has("curl"),
  isQuick: true,
  async carry(wan, files) {
    const carried = await carryByBoxes(wan, files);
    print(`    found in the cloud ${carried.afterLastSeconds.toFixed(1)} s after the last C-STORE at the box`);
    return carried;
  },
};

const ways: readonly Way[] = [storescu, orthanc, ours, boxes];

function makeCertificate(path: string): void {
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=cloud".split(" ");
  const { status, stderr } = spawnSync("openssl", [...words, "-keyout", `${path}.key`, "-out", `${path}.pem`]);
  if (status !== 0) throw new Error(`openssl: ${stderr}`);
}

function tableOf(runs: readonly Run[]): string {
  const keys = [...new Set(runs.map(({ line, congestion, way }) => `${line.name} ${congestion} ${way}`))];
  const rows = keys.map((key) => {
    const same = runs.filter(({ line, congestion, way }) => `${line.name} ${congestion} ${way}` === key);
    const [{ line, congestion, way, slices }] = same as [Run];
    const most = (of: (run: Run) => number | undefined) => {
      const seen = same.flatMap((run) => of(run) ?? []);
      return seen.length === 0 ? "" : Math.max(...seen).toFixed(0);
    };
    return [
      `${line.mbitPerSecond} Mbit/s, ${line.roundTripMs} ms, ${line.lossPercent} %`,
      ...[congestion, way, slices],
      spread(
        same.map((run) => run.mbitPerSecond),
        1,
      ),
      spread(same.map((run) => run.wireShare * 100)),
      most(({ streamsMost }) => streamsMost),
      most(({ edgePeakMiB }) => edgePeakMiB),
      most(({ cloudPeakMiB }) => cloudPeakMiB),
      spread(
        same.map((run) => run.load),
        1,
      ),
    ];
  });
  const headings = ["line", "congestion", "way", "slices", "Mbit/s of images", "% of the line", "streams"];
  return table([...headings, "edge MiB", "cloud MiB", "load"], rows);
}
