import { spawn } from "node:child_process";
import type { Ending } from "./outcome.ts";

/** A test that prints without end must not take the memory of the runner. */
const outputBytesMax = 256 * 1024;

const running = new Set<number>();

/** Ends every program that still runs, with the processes it started. For Ctrl-C. */
export function endAll(): void {
  for (const pid of running) endGroup(pid);
}

/** Runs a program to its end, or to `timeoutMs`, when it and every process it started (its process group) are ended. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv; timeoutMs: number },
): Promise<Ending> {
  const started = performance.now();
  const { cwd, env, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    const pid = child.pid ?? 0;
    if (pid > 0) running.add(pid);
    let output = "";
    let timedOut = false;
    const keep = (piece: Buffer) => {
      if (output.length < outputBytesMax) output += piece.toString("utf8");
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const timer = setTimeout(() => {
      timedOut = true;
      endGroup(pid);
    }, timeoutMs);
    child.on("error", reject);
    // Not "close": a server that the test left running holds our pipes open.
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      endGroup(pid);
      running.delete(pid);
      setImmediate(() => {
        const ms = performance.now() - started;
        resolve({ code, signal, output, ms, ...(timedOut ? { timedOutAfterMs: timeoutMs } : {}) });
      });
    });
  });
}

function endGroup(pid: number): void {
  if (pid <= 0) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // No process of the group is left.
  }
}
