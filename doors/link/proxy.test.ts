import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { createVirtualClock, systemClock } from "#base/clock";
import { startAnswering, startConnectProxy } from "./connect-proxy.fixture.ts";
import { connectThrough, proxyAt } from "./proxy.ts";

const parts = { clock: systemClock, withinMs: 20_000 };
const beyond = { host: "127.0.0.1", port: 1 };

test("a proxy is named by an http URL with what it needs, and a refusal repeats none of it", () => {
  assert.deepEqual(proxyAt("http://proxy.clinic"), { host: "proxy.clinic", port: 80 });
  assert.deepEqual(proxyAt("http://[fd00::1]:3128/"), { host: "fd00::1", port: 3128 });
  const { authorization } = proxyAt("http://ada:p%40ss%3Aword@proxy:8080");
  assert.equal(authorization, `Basic ${Buffer.from("ada:p@ss:word").toString("base64")}`);
  for (const wrong of ["", "proxy:8080", "https://proxy", "socks5://proxy", "http://a:secret@", "http://a%:b@host"]) {
    assert.throws(
      () => proxyAt(wrong),
      (error: Error) => {
        assert.deepEqual([(error as { code?: string }).code, error.message.includes("secret")], ["invalid", false]);
        return true;
      },
    );
  }
});

test("bytes go both ways through a proxy that wants a name and a password", async () => {
  const echo = await startAnswering((socket, first) => socket.write(first));
  const proxy = await startConnectProxy("ada:secret");
  const at = `127.0.0.1:${proxy.port}`;
  const target = { host: "127.0.0.1", port: echo.port };
  const socket = await connectThrough(proxyAt(`http://ada:secret@${at}`), target, parts);
  socket.write("hello");
  socket.resume();
  assert.equal(String((await once(socket, "data"))[0]), "hello");
  socket.destroy();
  await assert.rejects(connectThrough(proxyAt(`http://${at}`), target, parts), {
    code: "denied",
    message: /name and password/,
  });
  await Promise.all([echo.close(), proxy.close()]);
});

test("what a proxy answers instead is said in words, and its length is bounded", async () => {
  const answers: readonly (readonly [string | Buffer, RegExp])[] = [
    ["HTTP/1.1 403 Forbidden\r\n\r\n", /does not allow/],
    ["HTTP/1.1 502 Bad Gateway\r\n\r\n", /cannot reach the cloud \(502\)/],
    ["SSH-2.0-OpenSSH_9.2\r\n\r\n", /does not answer like a proxy/],
    ["HTTP/1.1 200 OK\r\n\r\nhello", /said more than an answer/],
    [Buffer.alloc(64 * 1024, "a"), /too great length/],
    [`HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(10_000)}\r\n`, /too great length|more than an answer/],
    ["", /closed the connection/],
  ];
  for (const [text, says] of answers) {
    const proxy = await startAnswering((socket) => socket.end(text));
    await assert.rejects(connectThrough({ host: "127.0.0.1", port: proxy.port }, beyond, parts), says);
    await proxy.close();
  }
  await assert.rejects(connectThrough({ host: "127.0.0.1", port: 1 }, beyond, parts), /cannot be reached/);
});

test("an answer that comes letter by letter is read, and one that does not come is not waited for", async () => {
  const clock = createVirtualClock();
  const held: Socket[] = [];
  const slow = await startAnswering((socket) => {
    held.push(socket);
    for (const letter of "HTTP/1.1 200 OK\r\nvia: x\r\n\r\n") socket.write(letter);
  });
  const at = { host: "127.0.0.1", port: slow.port };
  (await connectThrough(at, beyond, { clock, withinMs: 10 })).destroy();
  const silent = await startAnswering((socket) => {
    held.push(socket);
    clock.advance(10);
  });
  await assert.rejects(
    connectThrough({ ...at, port: silent.port }, beyond, { clock, withinMs: 10 }),
    /closed the connection without an answer/,
  );
  await Promise.all([slow.close(), silent.close()]);
});
