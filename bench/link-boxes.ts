import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { EdgeCodeView } from "#formats/api";
import { command, commandEnvironment } from "../tests/house/index.ts";
import { scratch } from "./data.ts";
import { end, exitOf, noDelay, usageOf, watchMemory } from "./processes.ts";
import type { Wan } from "./wan.ts";

export interface CarriedByBoxes {
  /** From the first C-STORE at the box until all of it is found in the cloud. */
  readonly seconds: number;
  /** From the last C-STORE. */
  readonly afterLastSeconds: number;
  readonly edgePeakMiB: number;
  readonly cloudPeakMiB: number;
}

const port = 8443;
const dicomPort = 11_112;
const everyMs = 100;
const secondsMax = 900;

/** The whole product: a scanner's C-STORE to a box, over the line to a cloud, until a search there finds every instance. */
export async function carryByBoxes(wan: Wan, files: readonly string[]): Promise<CarriedByBoxes> {
  const cloud = await startHome(wan, "cloud", { LEADGLASS_HTTPS_HOST: wan.addresses.cloud });
  const edge = await startHome(wan, "edge", { LEADGLASS_DICOM_PORT: String(dicomPort), LEADGLASS_HL7_PORT: "off" });
  try {
    const { url, code } = JSON.parse(run(cloud.home, "edge", "add", "bench", "--json")) as EdgeCodeView;
    run(edge.home, "edge", "enroll", url, code);
    run(edge.home, "device", "add", "BENCH", "--address", "127.0.0.1");
    const token = run(cloud.home, "token", "--client", "bench", "--minutes", "60").trim();
    const peak = watchMemory(edge.child.pid ?? 0);
    const began = performance.now();
    const words = ["-R", "-aet", "BENCH", "-aec", "LEADGLASS", "127.0.0.1", String(dicomPort), ...files];
    const options = { env: { ...process.env, ...noDelay }, stdio: "ignore" } as const;
    const sent = await exitOf(wan.spawn("edge", "storescu", words, options));
    if (sent !== 0) throw new Error(`storescu exited with ${sent}`);
    const last = performance.now();
    while ((await heldBy(wan, token)) < files.length) {
      if (performance.now() - began > secondsMax * 1000) throw new Error("not all of it arrived");
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    const now = performance.now();
    return {
      seconds: (now - began) / 1000,
      afterLastSeconds: (now - last) / 1000,
      edgePeakMiB: peak() / 2 ** 20,
      cloudPeakMiB: usageOf(cloud.child.pid ?? 0).residentBytes / 2 ** 20,
    };
  } finally {
    await Promise.all([end(edge.child), end(cloud.child)]);
  }
}

async function startHome(wan: Wan, role: "cloud" | "edge", more: Readonly<Record<string, string>>) {
  const home = scratch(`link-box-${role}`);
  const ready = join(home, "ready.json");
  const settings = {
    LEADGLASS_ROLE: role,
    LEADGLASS_HTTPS_PORT: String(port),
    LEADGLASS_REVEALS_PER_MINUTE: "100000000",
  };
  const env = { ...process.env, ...commandEnvironment, LEADGLASS_HOME: home, ...settings, ...more };
  const words = [...command, "start", "--home", home, "--ready-file", ready];
  const child = wan.spawn(role, process.execPath, words, { env, stdio: "ignore" });
  for (let tries = 0; !existsSync(ready); tries++) {
    if (tries > 600 || child.exitCode !== null) throw new Error(`the ${role} did not start`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  return { home, child };
}

/** By its control socket, which no network namespace is between. */
function run(home: string, ...words: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...command, ...words, "--home", home], {
    encoding: "utf8",
    env: { ...process.env, LEADGLASS_HOME: home },
  });
  if (status !== 0) throw new Error(`leadglass ${words.join(" ")}: ${stderr}`);
  return stdout;
}

async function heldBy(wan: Wan, token: string): Promise<number> {
  const url = `https://${wan.addresses.cloud}:${port}/dicom-web/studies?includefield=00201208`;
  const words = [
    "-sk",
    "-m",
    "60",
    "-H",
    `authorization: Bearer ${token}`,
    "-H",
    "accept: application/dicom+json",
    url,
  ];
  const child = wan.spawn("cloud", "curl", words, { stdio: ["ignore", "pipe", "ignore"] });
  let said = "";
  child.stdout?.on("data", (bytes: Buffer) => (said += bytes.toString()));
  await exitOf(child);
  const studies = said === "" ? [] : (JSON.parse(said) as Record<string, { Value?: number[] }>[]);
  return studies.reduce((sum, study) => sum + (study["00201208"]?.Value?.[0] ?? 0), 0);
}
