// Programs of DCMTK and gdcm as peers.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { systemClock } from "#base/clock";
import { dial } from "./index.ts";

/** DCMTK's tools wait for delayed acknowledgements unless told not to. */
const env = { ...process.env, TCP_NODELAY: "1" };

export function run(program: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env });
    let output = "";
    const heard = (chunk: Buffer) => {
      output += chunk.toString("latin1");
    };
    child.stdout.on("data", heard);
    child.stderr.on("data", heard);
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** A port that is free now: DCMTK's listeners cannot choose one themselves. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

export function folderFor(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), "lg-peers-"));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

/** Starts a program that listens on `port`, and waits until it does. */
export async function startPeer(t: TestContext, port: number, program: string, ...args: string[]): Promise<void> {
  const child = spawn(program, args, { stdio: "ignore", env });
  t.after(() => child.kill());
  for (let up = false, tries = 0; !up && tries < 500; tries++) {
    const socket = dial({ host: "127.0.0.1", port });
    up = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (!up) await systemClock.sleep(20);
  }
}
