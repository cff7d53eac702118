import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { root, tell } from "./places.mjs";

// Outside node_modules, which an install removes.
const folder = join(root, ".cache");
const lock = join(folder, "setup.lock");

/** Longer than any set-up takes: an older lock is one whose owner was killed and whose number another process has now. */
const staleAfterMs = 20 * 60_000;

/** Runs `work` while no other process sets this checkout up. A lock whose owner is gone is taken over. */
export async function alone(work) {
  let told = false;
  while (!take()) {
    if (!ownerLives()) {
      rmSync(lock, { force: true });
      continue;
    }
    if (!told) tell("Waiting for another set-up of this checkout");
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take() {
  mkdirSync(folder, { recursive: true });
  try {
    const file = openSync(lock, "wx");
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function ownerLives() {
  try {
    if (Date.now() - statSync(lock).mtimeMs > staleAfterMs) return false;
    // An empty file is one whose owner is between making and writing it: signal 0 to ourselves, so it counts as alive.
    process.kill(Number(readFileSync(lock, "utf8")) || process.pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
