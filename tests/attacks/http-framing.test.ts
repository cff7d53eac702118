// Rows 59 and 60 of the attack table, and slow senders: what a hostile client may do to the framing of a request.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type AttackedHouse, startAttackedHouse, statusesIn } from "./attacked-house.fixture.ts";
import { openNaiveProxy, type Reading, readings } from "./naive-proxy.fixture.ts";

let house: AttackedHouse;
let headers: string;
before(async () => {
  house = await startAttackedHouse();
  headers = `Host: localhost\r\nAuthorization: Bearer ${house.token()}\r\n`;
});
after(() => house?.remove());

/** What smuggling would reach: it would be answered with a list. */
const smuggled = () => `GET /dicom-web/studies HTTP/1.1\r\n${headers}X-Smuggled: 1\r\n\r\n`;

test("attack 59: a Content-Length of 4 GiB is refused before anything is allocated", async () => {
  await house.under({ tells: /refused( again)?: a request/ }, async () => {
    for (const length of ["4294967295", "4294967296", "9007199254740993", "18446744073709551615", "1".repeat(400)]) {
      const type = "Content-Type: application/json";
      const json = `POST /api/session HTTP/1.1\r\n${headers}${type}\r\nContent-Length: ${length}\r\n\r\n{`;
      const [status] = statusesIn(await house.raw(json, { quietMs: 400 }));
      assert.ok(status === 413 || status === 400, `${length}: ${status}`);
    }
    // Uploads have no limit of their own: the length is believed by nobody.
    const type = 'Content-Type: multipart/related; type="application/dicom"; boundary=b';
    const upload = `POST /dicom-web/studies HTTP/1.1\r\n${headers}${type}\r\nContent-Length: 4294967296\r\n\r\n--b\r\n`;
    const begun = await Promise.all(Array.from({ length: 20 }, () => house.connect()));
    for (const socket of begun) socket.write(upload);
    await sleep(200);
    for (const socket of begun) socket.destroy();
  });
});

const badFramings: Record<string, string> = {
  "Content-Length and Transfer-Encoding": "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "Transfer-Encoding and Content-Length": "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
  "two Content-Lengths": "Content-Length: 0\r\nContent-Length: 40\r\n\r\n",
  "two equal Content-Lengths": "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
  "a list of Content-Lengths": "Content-Length: 0, 40\r\n\r\n",
  "a signed Content-Length": "Content-Length: +2\r\n\r\n{}",
  "a negative Content-Length": "Content-Length: -1\r\n\r\n",
  "a hexadecimal Content-Length": "Content-Length: 0x2\r\n\r\n{}",
  "a Content-Length with a blank in it": "Content-Length: 1 2\r\n\r\n{}",
  "chunked that is not last": "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
  "an unknown coding": "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
  "chunked twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "a blank before the colon": "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
  "a vertical tab before chunked": "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
  "a folded header": "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
  "bare LF after a header": "X-A: 1\nContent-Length: 2\r\n\r\n{}",
  "bare LF at the end of the headers": "Content-Length: 2\n\n{}",
  "bare CR in a header": "X-A: 1\rContent-Length: 2\r\n\r\n{}",
  "NUL in a header": "X-A: 1\x00\r\nContent-Length: 2\r\n\r\n{}",
  "a header without a name": ": 1\r\nContent-Length: 2\r\n\r\n{}",
  "a header without a colon": "X-A\r\nContent-Length: 2\r\n\r\n{}",
  "a chunk size that wraps": "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n{}\r\n0\r\n\r\n",
  "a chunk size with a sign": "Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n",
  "a chunk ended by LF": "Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n",
  "a chunk longer than it says": "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
  "two hosts": "Host: elsewhere.example\r\nContent-Length: 2\r\n\r\n{}",
  "two authorizations": "Authorization: Bearer other\r\nContent-Length: 2\r\n\r\n{}",
  "two content types": "Content-Type: application/json\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
};

test("attack 60: a request whose end another reader could see elsewhere is refused, and nothing behind it is read", async () => {
  await house.under({ tells: /refused( again)?: a request/ }, async () => {
    for (const [what, framing] of Object.entries(badFramings)) {
      const bytes = `POST /api/devices HTTP/1.1\r\n${headers}${framing}${smuggled()}`;
      const answer = await house.raw(Buffer.from(bytes, "latin1"), { quietMs: 400 });
      // 415 where the answer is ready before the fault in the body is reached.
      assert.match(statusesIn(answer).join(), /^(400|415)$/, `${what}: ${answer.slice(0, 200)}`);
      assert.doesNotMatch(answer, /localhost|Bearer|lgt_/, what);
    }
  });
});

test("attack 60: behind a proxy that reads requests in another way, nobody gets another's answer", async (t) => {
  const prefixes = Object.values(badFramings).map((framing) => `POST /api/devices HTTP/1.1\r\n${headers}${framing}`);
  const victim = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const other = `DELETE /api/devices/x HTTP/1.1\r\n${headers}Content-Length: ${smuggled().length}\r\n\r\n`;
  await house.under({ tells: /refused( again)?: a request/ }, async () => {
    const behind = async ([how, reading]: readonly [string, Reading]) => {
      const proxy = await openNaiveProxy(house, reading);
      t.after(proxy.close);
      for (const prefix of [...prefixes, other]) {
        await sent(proxy.port, `${prefix}${smuggled()}`);
        const answer = await sent(proxy.port, victim);
        // An attacker may spoil the connection that such a proxy shares: then the next is refused, and no more.
        assert.match(
          answer,
          /^HTTP\/1\.1 (200[\s\S]*\{"alive":true\}|400[\s\S]*"bad request"\}|502[\s\S]*)$/,
          `${how}: ${prefix}`,
        );
      }
    };
    await Promise.all(Object.entries(readings).map(behind));
  });
});

test("attack 60: a server that believed both lengths would be caught by that proxy", async () => {
  // The same pair with a server that does not refuse: an answer to what was smuggled reaches the victim.
  const naive = createServer({ insecureHTTPParser: true }, (request, response) => {
    request.resume();
    request.on("end", () => response.end(`${request.method} ${request.url}`));
  });
  await new Promise<void>((resolve) => naive.listen(0, "127.0.0.1", resolve));
  const { port } = naive.address() as { port: number };
  const plain = () =>
    new Promise<Socket>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(socket));
    });
  const reading = readings["Content-Length goes before Transfer-Encoding"];
  assert.ok(reading);
  const proxy = await openNaiveProxy({ connect: plain } as unknown as AttackedHouse, reading);
  const hidden = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const framing = `Content-Length: ${hidden.length}\r\nTransfer-Encoding: chunked\r\n\r\n${hidden}`;
  await sent(proxy.port, `POST / HTTP/1.1\r\nHost: localhost\r\n${framing}`);
  const answer = await sent(proxy.port, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  assert.match(answer, /GET \/smuggled$/);
  await proxy.close();
  naive.closeAllConnections();
  await new Promise((resolve) => naive.close(resolve));
});

test("attack 60: too many headers, or too long ones, are refused with 431", async () => {
  await house.under({ tells: /refused( again)?: a request.*431/ }, async () => {
    const many = Array.from({ length: 1_500 }, (_, index) => `X-${index}: 1\r\n`).join("");
    const long = `X-Long: ${"a".repeat(64 * 1024)}\r\n`;
    const url = `GET /${"a".repeat(64 * 1024)} HTTP/1.1\r\n${headers}\r\n`;
    for (const bomb of [many, long]) {
      assert.deepEqual(statusesIn(await house.raw(`GET /healthz HTTP/1.1\r\n${headers}${bomb}\r\n`)), [431]);
    }
    assert.deepEqual(statusesIn(await house.raw(url)), [431]);
    // Under the limit of bytes and over that of their number: none is dropped without a word.
    const few = Array.from({ length: 150 }, (_, index) => `X-${index}: 1\r\n`).join("");
    assert.deepEqual(statusesIn(await house.raw(`GET /healthz HTTP/1.1\r\nHost: localhost\r\n${few}\r\n`)), [431]);
  });
});

test("slow headers and slow bodies are ended, and idle connections keep nobody out", async () => {
  await house.under(
    { tells: /refused( again)?: (a request that cannot be read \(408\)|a body that came too slowly)/ },
    async () => {
      const slow = await Promise.all(Array.from({ length: 200 }, () => house.connect()));
      const bodies = await Promise.all(Array.from({ length: 50 }, () => house.connect()));
      const closed = [...slow, ...bodies].map(
        (socket) => new Promise<void>((resolve) => void socket.on("error", () => {}).on("close", () => resolve())),
      );
      const heads: string[] = [];
      for (const socket of slow) {
        socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-");
        socket.on("data", (piece: Buffer) => heads.push(piece.toString("latin1")));
      }
      const type = "Content-Type: application/json";
      const body = `POST /api/session HTTP/1.1\r\nHost: localhost\r\n${type}\r\nContent-Length: 1000\r\n\r\n{`;
      for (const socket of bodies) {
        socket.write(body);
        socket.on("data", (piece: Buffer) => heads.push(piece.toString("latin1")));
      }
      const drip = setInterval(() => {
        for (const socket of [...slow, ...bodies]) if (!socket.destroyed) socket.write("a");
      }, 500);
      // Meanwhile others are served.
      assert.equal((await house.fetch("/dicom-web/studies?limit=1")).status, 200);
      await Promise.all(closed);
      clearInterval(drip);
      assert.deepEqual(new Set(heads.flatMap(statusesIn)), new Set([408]));
    },
  );
});

test("connections that break off in the middle of anything keep no turn of anybody", async () => {
  const list = `GET /dicom-web/studies?limit=1 HTTP/1.1\r\n${headers}\r\n`;
  const anonymous = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  await house.under({ tells: /refused( again)?: a request that cannot be read/ }, async () => {
    for (let round = 0; round < 20; round++) {
      for (const end of ["", "{", "POST /dicom-web/studies HTTP/1.1\r\n", "\r\n\0"]) {
        const socket = await house.connect();
        socket.on("error", () => {});
        socket.write(list.repeat(20) + anonymous.repeat(20) + end);
        if (round % 2 === 0) await sleep(round);
        socket.destroy();
      }
    }
    for (let index = 0; index < 40; index++) {
      assert.equal((await house.fetch("/dicom-web/studies?limit=1")).status, 200);
      assert.equal((await house.fetch("/healthz", { anonymous: true })).status, 200);
    }
  });
});

/** One request on a connection of its own through the proxy. */
function sent(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text, "latin1"));
    socket.on("data", (piece: Buffer) => (answer += piece.toString("latin1")));
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
    setTimeout(() => socket.destroy(), 3_000).unref();
  });
}
