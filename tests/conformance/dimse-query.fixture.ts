// A house whose machines ask it over DIMSE, and DCMTK's programs as those machines.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readFile } from "#formats/dicom";
import { type Slice, sha256, slicesOf } from "../flows/modality.fixture.ts";
import { freePort, type RunningHouse } from "../house/index.ts";

export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

export function run(program: string, words: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(program, words, { env: { ...process.env, TCP_NODELAY: "1" } });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (bytes: Buffer) => (output += bytes.toString("latin1")));
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** One of DCMTK's requesters; keys as `-k` takes them. */
export function ask(
  house: RunningHouse,
  program: "findscu" | "movescu" | "getscu",
  keys: readonly string[],
  { ae = "WS1", more = [] as readonly string[] } = {},
): Promise<Ran> {
  const given = keys.flatMap((key) => ["-k", key]);
  const words = ["-v", "-aet", ae, "-aec", "LEADGLASS", ...more, ...given, "127.0.0.1", String(house.dicom)];
  return run(program, words);
}

/** Values that findscu printed of an attribute, one an answer. */
export function printed({ output }: Ran, keyword: string): string[] {
  const answers = output.slice(Math.max(0, output.indexOf("Find Response: ")));
  const values = answers.matchAll(new RegExp(`\\[([^\\]]*)\\] +#.* ${keyword}\\b`, "g"));
  return [...values].map(([, value = ""]) => value.trim()).sort();
}

/** A data set, its SHA-256, and its transfer syntax. */
export interface Taken {
  readonly bytes: Buffer;
  readonly sha256: string;
  readonly transferSyntaxUid: string;
}

/** DCMTK's storescp; what it has taken in, by file. */
export interface Taker {
  readonly port: number;
  taken(): Taken[];
  stop(): Promise<void>;
}

export async function storescp(ae: string, ...more: readonly string[]): Promise<Taker> {
  const folder = mkdtempSync(join(tmpdir(), "lg-taken-"));
  const port = await freePort();
  const child = spawn("storescp", ["-aet", ae, "--bit-preserving", "-od", folder, ...more, String(port)], {
    env: { ...process.env, TCP_NODELAY: "1" },
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  for (let tries = 0; tries < 1_200 && !(await accepts(port)); tries++) await sleep(25);
  return {
    port,
    taken: () =>
      readdirSync(folder).map((name) => {
        const file = readFileSync(join(folder, name));
        const { dataSetOffset, transferSyntaxUid } = readFile(file);
        const bytes = file.subarray(dataSetOffset);
        return { bytes, sha256: sha256(bytes), transferSyntaxUid };
      }),
    async stop() {
      child.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket.destroy() !== undefined));
    socket.once("error", () => resolve(false));
  });
}

/** A study of a person, of so many small slices. */
export const studyOf = (
  person: { readonly id: string; readonly name: string },
  more: Readonly<Record<string, string>>,
  { seed = 1, slices = 3, kind = "mr-brain" as "mr-brain" | "ct-head" } = {},
): Slice[] =>
  slicesOf({ kind, slices, size: 64, seed }, (attributes) => ({
    ...attributes,
    ...{ SpecificCharacterSet: "ISO_IR 192", PatientID: person.id, PatientName: person.name },
    ...more,
  }));
