// A real server to attack, and the pass rule of the attack table around every attack on it.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type TLSSocket } from "node:tls";
import { type RunningHouse, root, startHouse } from "../house/index.ts";

const mebibyte = 2 ** 20;
const blockMsMax = 100;

export interface Attack {
  /** Bytes that the attack sends: memory may grow by four times as much. */
  readonly inputBytes?: number;
  /** What the server's log has to say of it; undefined where the audit log says it. */
  readonly tells?: RegExp;
  /** Studies that it may leave in the index. */
  readonly studies?: number;
}

export interface AttackedRoute {
  readonly method: string;
  readonly url: string;
  readonly isAnonymous: boolean;
}

export interface AttackedHouse extends RunningHouse {
  /**
   * Runs the attack and checks the pass rule: alive, no long block, little memory, nothing elsewhere, nothing indexed, told of. What the
   * server's log has to say is looked for by `remove`.
   */
  under(attack: Attack, work: () => Promise<void>): Promise<void>;
  /** Sends these bytes as one connection and gives back all that was answered until it closed, or nothing came for a while. */
  raw(bytes: string | Uint8Array, options?: { quietMs?: number }): Promise<string>;
  /** Every route that the server has. */
  routes(): Promise<readonly AttackedRoute[]>;
  /** A TLS connection to the server. */
  connect(): Promise<TLSSocket>;
}

export async function startAttackedHouse(environment: Record<string, string> = {}): Promise<AttackedHouse> {
  const around = mkdtempSync(join(tmpdir(), "lg-around-"));
  const place = (name: string) => {
    mkdirSync(join(around, name));
    return join(around, name);
  };
  const [cwd, temporary, user] = [place("cwd"), place("tmp"), place("user")];
  const watchFile = join(around, "watch.json");
  const house = await startHouse({
    cwd,
    environment: {
      ...{ TMPDIR: temporary, HOME: user, LEADGLASS_TEST_WATCH: watchFile },
      NODE_OPTIONS: `--import ${join(root, "tests", "attacks", "watched-process.fixture.ts")}`,
      ...environment,
    },
  });
  // What is compiled and opened once is no growth of an attack's.
  for (let index = 0; index < 20; index++) await (await house.fetch("/dicom-web/studies?limit=1")).text();

  /** What the process tells of itself since it was last asked. */
  const watched = async (): Promise<{ longestMs: number; routes: AttackedRoute[] }> => {
    rmSync(watchFile, { force: true });
    process.kill(house.pid, "SIGUSR2");
    for (let tries = 0; tries < 4_000 && !existsSync(watchFile); tries++) await sleep(5);
    return JSON.parse(readFileSync(watchFile, "utf8"));
  };
  const resident = () => 1_024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${house.pid}/status`, "utf8"))?.[1]);
  const studies = async () => ((await (await house.fetch("/dicom-web/studies?limit=1000")).json()) as unknown[]).length;
  const entries = async () =>
    ((await (await house.fetch("/api/status")).json()) as { audit: { entries: number } }).audit.entries;

  /** What the server's log has yet to say, looked for in the end: what comes again and again it tells of ten seconds after the first. */
  const untold: { readonly pattern: RegExp; readonly from: number }[] = [];

  return {
    ...house,
    async under({ inputBytes = 0, tells, studies: added = 0 }, work) {
      const before = { studies: await studies(), printed: house.output().length, entries: await entries() };
      await watched();
      const memory = resident();
      await work();
      const { longestMs: blockMs } = await watched();
      assert.equal((await house.fetch("/healthz", { anonymous: true })).status, 200, "the server is alive");
      assert.ok(blockMs <= blockMsMax, `the event loop computed ${blockMs} ms without a pause`);
      const most = memory + 64 * mebibyte + 4 * inputBytes;
      // What stays: the collector takes what is garbage some seconds after the last of it was made.
      for (let tries = 0; tries < 120 && resident() > most; tries++) await sleep(250);
      assert.ok(resident() <= most, `RSS grew by ${resident() - memory}`);
      for (const folder of [cwd, temporary, user])
        assert.deepEqual(readdirSync(folder), [], "nothing is written outside the home");
      assert.equal((await studies()) - before.studies, added, "nothing is indexed unless it is valid");
      if (tells === undefined) assert.ok((await entries()) > before.entries, "the audit log tells of it");
      else untold.push({ pattern: tells, from: before.printed });
    },
    async raw(bytes, { quietMs = 1_500 } = {}) {
      const socket = await connected(house);
      let answer = "";
      let timer: NodeJS.Timeout;
      return new Promise((resolve) => {
        const later = () => {
          clearTimeout(timer);
          timer = setTimeout(() => socket.destroy(), quietMs);
        };
        socket.on("data", (piece: Buffer) => {
          answer += piece.toString("latin1");
          later();
        });
        socket.on("error", () => {});
        socket.on("close", () => {
          clearTimeout(timer);
          resolve(answer);
        });
        socket.write(bytes);
        later();
      });
    },
    routes: async () => (await watched()).routes,
    connect: () => connected(house),
    async remove() {
      try {
        for (const { pattern, from } of untold) await told(pattern, () => house.output().slice(from));
      } finally {
        await house.remove();
        rmSync(around, { recursive: true, force: true });
      }
    },
  };
}

async function told(pattern: RegExp, printed: () => string): Promise<void> {
  for (let tries = 0; tries < 300 && !pattern.test(printed()); tries++) await sleep(100);
  assert.match(printed(), pattern, "the server's log tells of it");
}

function connected(house: RunningHouse): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...{ host: "127.0.0.1", port: house.https, servername: "localhost", ALPNProtocols: ["http/1.1"] },
      ca: readFileSync(house.ca),
    });
    socket.once("secureConnect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

/** The same, with a modality that may store. */
export async function startHouseWithModality(): Promise<AttackedHouse> {
  const house = await startAttackedHouse();
  house.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
  return house;
}

/** The status of each answer in what came back on one connection. */
export function statusesIn(answer: string): number[] {
  return [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
}
