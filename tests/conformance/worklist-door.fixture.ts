// A DICOM door on a free port with a worklist behind it, and DCMTK's tools to ask it and to stand beside it.
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "#base/clock";
import { silentLog } from "#base/log";
import { createDimseDoor, performedServices, storagePolicy, worklistFinds } from "#doors/dimse";
import { type DicomJson, readFile, toDicomJson } from "#formats/dicom";
import type { Schedule } from "#radiology/schedule";
import type { Actor } from "#trust/access";
import { console1, frontDesk, openSchedule } from "../../radiology/schedule/schedule.fixture.ts";
import { dataFolder } from "../house/index.ts";

export const samples = join(dataFolder, "worklist", "dcmtk");
export const sampleItems = () =>
  readdirSync(join(samples, "database-wl")).map((name) => join(samples, "database-wl", name));

/** What one console is served. */
export const servicesFor = (schedule: Schedule, actor: Actor) => ({
  echo: async () => {},
  store: () => {
    throw new Error("nothing is stored here");
  },
  finds: worklistFinds({ schedule, actor }),
  normalized: performedServices({ performed: schedule.performed, actor, facility: "" }),
});

/** A door whose worklist holds these files. */
export async function openWorklist(t: TestContext, files: readonly string[] = []) {
  const opened = await openSchedule();
  for (const file of files) await opened.schedule.put(frontDesk, () => readFile(readFileSync(file)).dataSet, "");
  const services = servicesFor(opened.schedule, console1);
  const door = createDimseDoor({
    callers: { admit: async () => ({ admitted: true, services }) },
    policy: storagePolicy,
    clock: systemClock,
    log: silentLog,
  });
  const listener = await door.listen({ host: "127.0.0.1", port: 0 });
  t.after(() => listener.close(100));
  return { ...opened, port: listener.port };
}

/** DCMTK's worklist server over the same files. */
export async function startWlmscpfs(t: TestContext, files: readonly string[]): Promise<number> {
  const folder = scratch(t);
  const area = join(folder, "LEADGLASS");
  mkdirSync(area);
  writeFileSync(join(area, "lockfile"), "");
  for (const [at, file] of files.entries()) copyFileSync(file, join(area, `${at}.wl`));
  const port = await freePort();
  const child = spawn("wlmscpfs", ["-dfp", folder, `${port}`], {
    env: { ...process.env, TCP_NODELAY: "1" },
    stdio: "ignore",
  });
  t.after(() => child.kill());
  for (let tries = 0; tries < 600 && !(await accepts(port)); tries++) await sleep(50);
  return port;
}

/** The answers of findscu to a query of keys, `-k` before each, or of a file; in DICOM JSON, in an order of their own. */
export async function findscu(t: TestContext, port: number, query: readonly string[] | string): Promise<DicomJson[]> {
  const folder = scratch(t);
  const [keys, files] = typeof query === "string" ? [[], [query]] : [query, []];
  const all = ["-W", "-aet", "CT1", "-aec", "LEADGLASS", "-X", "-od", folder];
  await run("findscu", [...all, ...keys, "127.0.0.1", `${port}`, ...files]);
  const found = readdirSync(folder).map((name) => toDicomJson(readFile(readFileSync(join(folder, name))).dataSet));
  return found.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** A query of the samples as the file that findscu reads. */
export async function queryFile(t: TestContext, name: string): Promise<string> {
  const to = join(scratch(t), "query.dcm");
  await run("dump2dcm", ["-q", join(samples, "queries", `${name}.dump`), to]);
  return to;
}

function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "lg-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function run(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, TCP_NODELAY: "1" } });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (said += chunk.toString("latin1")));
    child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`${program}: ${said}`))));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port }, () => resolve(socket.destroy() !== undefined));
    socket.on("error", () => resolve(false));
  });
}
