import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { test } from "node:test";
import fastify from "fastify";
import { createUpgrades } from "./upgrades.ts";

/** A server with a route that takes connections over and one that has no use for them. */
async function serving(t: { after(work: () => Promise<unknown>): void }) {
  const server = fastify();
  const take = createUpgrades(server);
  server.get("/plain", async () => "here");
  server.get("/channel", (request, reply) => {
    take(request, reply)?.socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n");
  });
  const connections: Socket[] = [];
  server.server.on("connection", (socket: Socket) => connections.push(socket));
  await server.listen({ port: 0, host: "127.0.0.1" });
  t.after(() => {
    for (const connection of connections) connection.destroy();
    return server.close();
  });
  const { port } = server.server.address() as AddressInfo;
  const ask = (path: string) => {
    const client = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    t.after(async () => client.destroy());
    return client;
  };
  return { ask, connections };
}

test("a route without use for the connection answers, and the connection is gone whatever its client does", async (t) => {
  const { ask, connections } = await serving(t);
  const client = ask("/plain");
  let answer = "";
  for await (const chunk of client) answer += chunk;
  assert.ok(answer.startsWith("HTTP/1.1 200 OK\r\n") && answer.endsWith("\r\n\r\nhere"));
  // The client holds its own end open.
  const [connection] = connections;
  if (connection?.closed === false) await once(connection, "close");
  assert.equal(connection?.destroyed, true);
});

test("a route that takes the connection speaks on it", async (t) => {
  const { ask } = await serving(t);
  const [first] = (await once(ask("/channel"), "data")) as [Buffer];
  assert.match(first.toString(), /^HTTP\/1\.1 101 /);
});
