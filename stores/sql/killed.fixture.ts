import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { DatabasePlace } from "./index.ts";

const program = fileURLToPath(new URL("./changes-until-killed.fixture.ts", import.meta.url));

/** Kills a process that has written all parts of a change and not ended it. How many changes before were acknowledged to it. */
export async function killedInChanges(place: DatabasePlace): Promise<number> {
  const child = spawn(process.execPath, [program, JSON.stringify(place)], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const [told] = await Promise.race([once(child.stdout, "data"), exited]);
  child.kill("SIGKILL");
  const [code, signal] = await exited;
  assert.deepEqual({ code, signal }, { code: null, signal: "SIGKILL" });
  return Number(String(told));
}
