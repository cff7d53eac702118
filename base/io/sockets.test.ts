import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { addressOf, listenAt } from "./index.ts";

test("a server listens at a free port, whoever calls is known by a plain address, and a port that is taken is said", async () => {
  const server = createServer();
  const port = await listenAt(server, { host: "::", port: 0 }).catch(() =>
    listenAt(server, { host: "127.0.0.1", port: 0 }),
  );
  assert.notEqual(port, 0);
  const called = once(server, "connection");
  const caller = connect(port, "127.0.0.1");
  const [connection] = await called;
  assert.equal(addressOf(connection), "127.0.0.1");
  assert.equal(addressOf({ remoteAddress: "::ffff:10.1.2.3" }), "10.1.2.3");
  assert.equal(addressOf({ remoteAddress: "fe80::1" }), "fe80::1");
  assert.equal(addressOf({}), "");
  await assert.rejects(listenAt(createServer(), { host: "127.0.0.1", port }), { code: "EADDRINUSE" });
  caller.destroy();
  server.close();
});
