import assert from "node:assert/strict";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { createLog } from "#base/log";
import { limitListener } from "./listener-limits.ts";

test("the connection that has been idle the longest goes, never one with a request under way", async (t) => {
  const lines: string[] = [];
  const clock = createVirtualClock();
  const held: (() => void)[] = [];
  const server = createServer((_request, response) => held.push(() => response.end("done")));
  limitListener(server, { clock, log: createLog({ sink: (line) => lines.push(line), clock }) }, { idleMax: 3 });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close(server.closeAllConnections() as undefined));
  const { port } = server.address() as { port: number };
  const opened = () =>
    new Promise<{ socket: Socket; closed: Promise<void>; text: () => string }>((resolve) => {
      let text = "";
      const socket = connect(port, "127.0.0.1", () => resolve({ socket, closed, text: () => text }));
      socket.on("data", (bytes) => {
        text += bytes.toString();
      });
      socket.on("error", () => {});
      const closed = new Promise<void>((done) => socket.once("close", () => done()));
    });
  const busy = await opened();
  busy.socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const idle = [];
  for (let count = 0; count < 5; count++) idle.push(await opened());
  await Promise.all(idle.slice(0, 2).map(({ closed }) => closed));
  assert.deepEqual(
    idle.slice(2).map(({ socket }) => socket.destroyed),
    [false, false, false],
  );
  held[0]?.();
  while (!busy.text().includes("done")) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.match(lines[0] ?? "", /too many connections/);
  for (const { socket } of [busy, ...idle]) socket.destroy();
});
