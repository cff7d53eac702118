import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readSteadily } from "./steady-buffer.ts";
import type { Connection } from "./upper-layer.ts";

/** Both ends of a loopback connection, ours as `accepted` makes it. */
async function ends(t: TestContext, accepted: (socket: Socket) => Connection) {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const theirs = connect({ host: "127.0.0.1", port });
  const [socket] = (await once(server, "connection")) as [Socket];
  const ours = accepted(socket);
  t.after(() => {
    theirs.destroy();
    ours.destroy();
    server.close();
  });
  return { ours, theirs, server };
}

test("an accepted connection is read into one buffer, and ends and closes as any other", async (t) => {
  const { ours, theirs, server } = await ends(t, readSteadily);
  const sent = Buffer.alloc(1_000_000);
  for (let i = 0; i < sent.length; i += 4) sent.writeUInt32LE(i, i);
  const buffers = new Set<ArrayBufferLike>();
  const parts: Buffer[] = [];
  ours.on("data", (chunk: Buffer) => {
    buffers.add(chunk.buffer);
    parts.push(Buffer.from(chunk));
  });
  theirs.end(sent);
  await once(ours, "end");
  assert.ok(Buffer.concat(parts).equals(sent));
  assert.equal(buffers.size, 1, "the runtime's handle was not found: the door would be slower");
  assert.equal(ours.remoteAddress, "127.0.0.1");
  ours.destroy();
  await once(ours, "close");
  server.close();
  await once(server, "close"); // the server knows that the connection is gone
});

test("while the connection is paused the buffer is not written to", async (t) => {
  const { ours, theirs } = await ends(t, readSteadily);
  const held: Buffer[] = [];
  let bytes = 0;
  ours.on("data", (chunk: Buffer) => {
    held.push(chunk);
    bytes += chunk.length;
    ours.pause();
  });
  theirs.write(Buffer.alloc(200_000, 1));
  theirs.write(Buffer.alloc(200_000, 2));
  while (bytes < 400_000) {
    await sleep(5);
    assert.equal(held.length, 1, "nothing was read after the pause");
    const [chunk] = held.splice(0);
    const first = bytes - (chunk?.length ?? 0);
    assert.equal(chunk?.[0], first < 200_000 ? 1 : 2);
    assert.equal(chunk?.at(-1), bytes <= 200_000 ? 1 : 2);
    ours.resume();
  }
});

test("a socket whose handle cannot be taken is read all the same", async (t) => {
  const { ours, theirs } = await ends(t, (socket) => {
    const { _handle } = socket as unknown as { _handle: object };
    Object.defineProperty(_handle, "useUserBuffer", { value: undefined });
    assert.equal(readSteadily(socket), socket);
    return socket;
  });
  theirs.write("hello");
  const [chunk] = (await once(ours, "data")) as [Buffer];
  assert.equal(chunk.toString(), "hello");
});
