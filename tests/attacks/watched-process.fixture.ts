// Loaded into a server under test (`--import`): tells what the attack table's pass rule asks about a process, and its routes.
// The time that its main thread computes without a pause is measured by CPU time, so that a busy machine does not count.
import { subscribe } from "node:diagnostics_channel";
import { renameSync, writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import type { FastifyInstance } from "fastify";

const file = process.env.LEADGLASS_TEST_WATCH;

if (isMainThread && file !== undefined) {
  const cpuMs = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1_000;
  };
  let longestMs = 0;
  let at = cpuMs();
  const routes: { method: string; url: string; isAnonymous: boolean }[] = [];
  subscribe("fastify.initialization", (message) => {
    (message as { fastify: FastifyInstance }).fastify.addHook("onRoute", ({ method, url, config }) => {
      for (const each of [method].flat()) routes.push({ method: each, url, isAnonymous: config?.anonymous === true });
    });
  });
  setInterval(() => {
    const now = cpuMs();
    longestMs = Math.max(longestMs, now - at);
    at = now;
  }, 5).unref();
  process.on("SIGUSR2", () => {
    writeFileSync(`${file}.new`, JSON.stringify({ routes, longestMs: Math.max(longestMs, cpuMs() - at) }));
    // Who waits for it finds all of it.
    renameSync(`${file}.new`, file);
    longestMs = 0;
    at = cpuMs();
  });
}
