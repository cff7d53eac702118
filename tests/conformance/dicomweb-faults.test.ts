import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { openDoor } from "./dicomweb-door.fixture.ts";
import { asStored, imageFile, instancePath, studyPath } from "./dicomweb-files.fixture.ts";

test("a configured origin may call, and may read refusals too", async () => {
  const origin = "https://viewer.example";
  const open = await openDoor(undefined, { isAllowedOrigin: (asked) => asked === origin });
  const asked = await open.server.inject({
    method: "OPTIONS",
    url: `${instancePath(1)}/frames/1`,
    headers: { origin },
  });
  assert.equal(asked.headers["access-control-allow-origin"], origin);
  assert.match(String(asked.headers["access-control-allow-headers"]), /Authorization.*Range/);
  const refused = await open.server.inject({ url: studyPath(1), headers: { origin } });
  assert.equal(refused.statusCode, 404);
  assert.equal(refused.headers["access-control-allow-origin"], origin);
  assert.match(String(refused.headers["access-control-expose-headers"]), /Content-Range/);
  const other = await open.server.inject({
    method: "OPTIONS",
    url: studyPath(1),
    headers: { origin: "https://x.example" },
  });
  assert.equal(other.headers["access-control-allow-origin"], undefined);
  await open.close();
});

test("an instance that is not what was received is not given: 500 before the first byte, broken off after it", async () => {
  const large = imageFile({ rows: 512, columns: 512, frames: 4 });
  const open = await openDoor((archive) => ({
    ...archive,
    read: async (actor, target) =>
      (await archive.read(actor, target)).map((held) => ({ ...held, dataSetSha256: "0".repeat(64) })),
  }));
  const store = (payload: Buffer) =>
    open.server.inject({
      method: "POST",
      url: "/dicom-web/studies",
      headers: { "content-type": "application/dicom" },
      payload,
    });
  await store(imageFile({ study: 1 }));
  await store(large);
  const small = await open.server.inject({ url: instancePath(1), headers: { accept: asStored } });
  assert.equal(small.statusCode, 500);
  await open.close();

  const again = await openDoor((archive) => ({
    ...archive,
    read: async (actor, target) =>
      (await archive.read(actor, target)).map((held) => ({ ...held, dataSetSha256: "0".repeat(64) })),
  }));
  await again.server.inject({
    method: "POST",
    url: "/dicom-web/studies",
    headers: { "content-type": "application/dicom" },
    payload: large,
  });
  const address = await again.server.listen({ host: "127.0.0.1", port: 0 });
  const answer = await fetch(`${address}${instancePath(1)}`, { headers: { accept: asStored } });
  assert.equal(answer.status, 200);
  await assert.rejects(answer.arrayBuffer(), "the client sees that it did not get the whole");
  await again.close();
});

test("what fails before its first byte is told in plain words, with nothing said of the body that was to come", async () => {
  const broken = async (): Promise<never> => {
    throw new Error("a fault");
  };
  const open = await openDoor((archive) => ({
    ...archive,
    seriesMetadata: broken,
    images: async (actor, target) =>
      (await archive.images(actor, target)).map((image) => ({
        ...image,
        // biome-ignore lint/correctness/useYield: it fails before it gives anything
        async *whileLive() {
          await broken();
        },
      })),
  }));
  await open.server.inject({
    method: "POST",
    url: "/dicom-web/studies",
    headers: { "content-type": "application/dicom" },
    payload: imageFile({ study: 1 }),
  });
  for (const [url, headers] of [
    [`${studyPath(1)}/metadata`, { "accept-encoding": "gzip" }],
    [`${instancePath(1)}/frames/1`, { accept: "application/octet-stream", range: "bytes=0-9" }],
  ] as const) {
    const answer = await open.server.inject({ url, headers });
    assert.equal(answer.statusCode, 500);
    assert.deepEqual(answer.json(), { message: "a fault" });
    for (const name of ["content-encoding", "content-range", "accept-ranges"]) {
      assert.equal(answer.headers[name], undefined, `${url}: ${name}`);
    }
  }
  await open.close();
});

test("an answer that depends on what is accepted says so, and that it depends on the origin", async () => {
  const open = await openDoor();
  await open.server.inject({
    method: "POST",
    url: "/dicom-web/studies",
    headers: { "content-type": "application/dicom" },
    payload: imageFile({ study: 1 }),
  });
  const answer = await open.server.inject({ url: `${studyPath(1)}/metadata` });
  assert.equal(answer.headers.vary, "Accept, Accept-Encoding, Origin");
  await open.close();
});

test("a client that goes away stops the reading", async () => {
  let read = 0;
  let ended = false;
  const open = await openDoor((archive) => ({
    ...archive,
    read: async (actor, target) =>
      (await archive.read(actor, target)).map((held) => ({
        ...held,
        sizeBytes: 1024 * 1024 * 1024,
        open: async () => ({
          ...(await held.open()),
          async *stream() {
            try {
              for (; read < 1024 * 1024 * 1024; read += 65_536) yield Buffer.alloc(65_536);
            } finally {
              ended = true;
            }
          },
        }),
      })),
  }));
  await open.server.inject({
    method: "POST",
    url: "/dicom-web/studies",
    headers: { "content-type": "application/dicom" },
    payload: imageFile(),
  });
  const address = await open.server.listen({ host: "127.0.0.1", port: 0 });
  const stop = new AbortController();
  const answer = await fetch(`${address}${instancePath(1)}`, { headers: { accept: asStored }, signal: stop.signal });
  await answer.body?.getReader().read();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const before = read;
  assert.ok(before < 64 * 1024 * 1024, `${before} bytes were read for a client that took one piece`);
  stop.abort();
  for (let tries = 0; tries < 1_000 && !ended; tries++) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(ended);
  await open.close();
});

test("an upload that falls silent is cut off and nothing of it is kept", async () => {
  const clock = createVirtualClock();
  const open = await openDoor(undefined, { clock });
  const address = new URL(await open.server.listen({ host: "127.0.0.1", port: 0 }));
  const socket = connect(Number(address.port), address.hostname);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {});
  socket.write(
    "POST /dicom-web/studies HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/dicom\r\nContent-Length: 100000\r\n\r\n",
  );
  socket.write(imageFile().subarray(0, 300));
  await new Promise((resolve) => setTimeout(resolve, 200));
  clock.advance(61_000);
  await closed;
  const found = await open.server.inject({ url: "/dicom-web/studies" });
  assert.deepEqual(found.json(), []);
  await open.close();
});

test("a body that is refused early gets its answer, and its connection does not stay", {
  timeout: 120_000,
}, async () => {
  const open = await openDoor();
  const { port } = new URL(await open.server.listen({ host: "127.0.0.1", port: 0 }));
  for (const [type, status] of [
    ["text/plain", 415],
    ["multipart/related; boundary=b", 400],
  ] as const) {
    const socket = connect(Number(port), "127.0.0.1");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {});
    socket.write(
      `POST /dicom-web/studies HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: 900000000\r\n\r\n`,
    );
    const piece = Buffer.alloc(1024 * 1024, 65);
    const push = () => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.on("drain", push);
    push();
    const answer = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
    assert.match(answer.toString(), new RegExp(`^HTTP/1.1 ${status} `));
    socket.removeListener("drain", push);
    socket.destroy();
    await closed;
  }
  await open.close();
});
