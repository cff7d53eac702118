import { spawn } from "node:child_process";
import { constants } from "node:os";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"];

/** One press of Ctrl-C reaches us up to twice, from the terminal and from npm, which passes its own on. */
const samePressMs = 400;

/**
 * Runs a program to its end and gives the exit code to leave with. It gets a process group of its own, so that a signal
 * reaches it through us alone: once for each time it was meant, whoever sent it.
 */
export function runToEnd(program, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: "inherit", detached: true });
    const passed = new Map();
    const pass = (signal) => {
      const now = performance.now();
      if (now - (passed.get(signal) ?? -Infinity) < samePressMs) return;
      passed.set(signal, now);
      child.kill(signal);
    };
    for (const signal of signals) process.on(signal, pass);
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      for (const each of signals) process.removeListener(each, pass);
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}
