// Rows 58 and 61 to 64 of the attack table: what a hostile client may send as a body.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { KeywordDataSet } from "#formats/dicom";
import { fileOf, slicesOf } from "../flows/modality.fixture.ts";
import { type AttackedHouse, startAttackedHouse, statusesIn } from "./attacked-house.fixture.ts";

let house: AttackedHouse;
before(async () => {
  house = await startAttackedHouse();
});
after(() => house?.remove());

const post = (path: string, headers: Record<string, string>, body: Uint8Array | string) =>
  house.fetch(path, { method: "POST", headers, body: body as BodyInit });
const dicomParts = 'multipart/related; type="application/dicom"; boundary=b';
const part = (type: string, body: Uint8Array | string) =>
  Buffer.concat([Buffer.from(`--b\r\nContent-Type: ${type}\r\n\r\n`), Buffer.from(body), Buffer.from("\r\n")]);
const end = Buffer.from("--b--\r\n");

test("attack 58: a compressed body is refused, and never inflated", async () => {
  const zeros = Buffer.alloc(256 * 2 ** 20);
  const bombs = [
    ["gzip", gzipSync(zeros)],
    ["GZIP", gzipSync(zeros.subarray(0, 2 ** 20))],
    ["x-gzip", gzipSync(zeros.subarray(0, 2 ** 20))],
    ["gzip, gzip", gzipSync(gzipSync(zeros))],
    ["identity, gzip", gzipSync(zeros.subarray(0, 2 ** 20))],
    ["deflate", deflateSync(zeros.subarray(0, 2 ** 20))],
    ["br", brotliCompressSync(zeros.subarray(0, 2 ** 20))],
    ["zstd", zstdCompressSync(zeros.subarray(0, 2 ** 20))],
  ] as const;
  await house.under({ inputBytes: 2 ** 20, tells: /refused( again)?: a request \(415\)/ }, async () => {
    for (const [encoding, body] of bombs) {
      for (const [path, type] of [
        ["/dicom-web/studies", dicomParts],
        ["/dicom-web/studies", "application/dicom"],
        ["/api/session", "application/json"],
      ] as const) {
        const answer = await post(path, { "content-type": type, "content-encoding": encoding }, body);
        assert.equal(answer.status, 415, `${path} ${encoding}`);
        assert.match(await answer.text(), /compressed body/);
      }
    }
  });
});

test("attack 61: multipart without a boundary, a million parts, long headers: 400 where the budget ends", async () => {
  const bodies: Record<string, { type?: string; body: Uint8Array | string }> = {
    "no boundary": { type: 'multipart/related; type="application/dicom"', body: part("application/dicom", "x") },
    "an empty boundary": { type: 'multipart/related; type="application/dicom"; boundary=""', body: end },
    "a boundary of 300 characters": {
      type: `multipart/related; type="application/dicom"; boundary=${"b".repeat(300)}`,
      body: "",
    },
    "a million parts": { body: Buffer.concat([Buffer.from("--b\r\n\r\n\r\n".repeat(1_000_000)), end]) },
    "a header of a megabyte": { body: `--b\r\nX-A: ${"a".repeat(2 ** 20)}\r\n\r\nx\r\n--b--\r\n` },
    "a hundred thousand headers": { body: `--b\r\n${"X-A: 1\r\n".repeat(100_000)}\r\nx\r\n--b--\r\n` },
    "headers that never end": { body: `--b\r\n${"X".repeat(2 ** 20)}` },
    "a preamble of eight megabytes": { body: Buffer.alloc(8 * 2 ** 20, 0x61) },
    "a boundary followed by text": { body: `--b${"-x".repeat(1_000)}\r\n\r\nx\r\n--b--\r\n` },
    "lines that end in LF": { body: "--b\n\nx\n--b--\n" },
    "no parts": { body: end },
    nothing: { body: "" },
  };
  const inputBytes = 30 * 2 ** 20;
  await house.under({ inputBytes, tells: /refused( again)?: a request \(400\)/ }, async () => {
    for (const [what, { type = dicomParts, body }] of Object.entries(bodies)) {
      const answer = await post("/dicom-web/studies", { "content-type": type }, body);
      assert.equal(answer.status, 400, what);
      await answer.text();
    }
  });
});

test("attack 61: as many parts as are taken, none an instance, are each answered for and hold nobody up", async () => {
  const junk = part("application/dicom", Buffer.alloc(140, 0x61));
  const body = Buffer.concat([...Array.from({ length: 20_000 }, () => junk), end]);
  await house.under({ inputBytes: body.length, tells: /refused( again)?: a request \(409\)/ }, async () => {
    const answer = await post("/dicom-web/studies", { "content-type": dicomParts }, body);
    assert.equal(answer.status, 409);
    const { "00081198": failed } = (await answer.json()) as Record<string, { Value: unknown[] }>;
    assert.equal(failed?.Value.length, 20_000);
  });
});

/** Hosts by which a server is made to ask where it should not, in the spellings that filters forget. */
const evilHosts = [
  "127.0.0.1",
  "localhost",
  "0.0.0.0",
  "0",
  "127.1",
  "127.0.1",
  "2130706433",
  "0x7f000001",
  "0x7f.0.0.1",
  "017700000001",
  "0177.0.0.1",
  "127.0.0.1.",
  "localhost.",
  "LOCALHOST",
  "[::1]",
  "[::]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[0:0:0:0:0:ffff:127.0.0.1]",
  "[64:ff9b::127.0.0.1]",
  "127.0.0.1%00.example",
  "example.org@127.0.0.1",
  "127.0.0.1#.example.org",
  "127.0.0.1?.example.org",
  "127。0。0。1",
  "①②⑦.⓪.⓪.①",
  "127.0.0.1.nip.io",
  "localtest.me",
  "169.254.169.254",
  "[fd00:ec2::254]",
  "metadata.google.internal",
  "2852039166",
  "0xa9fea9fe",
  "[::ffff:169.254.169.254]",
  "100.100.100.200",
  "192.168.0.1",
  "10.0.0.1",
  "[fe80::1]",
];

/** The same as addresses, and other ways to write one. */
function addresses(port: number): string[] {
  return [
    ...evilHosts.map((host) =>
      host.includes("169.254") || /[?#]/.test(host) ? `http://${host}/` : `http://${host}:${port}/`,
    ),
    ...[
      `https://127.0.0.1:${port}/`,
      `//127.0.0.1:${port}/`,
      `\\\\127.0.0.1\\share`,
      `http:127.0.0.1:${port}`,
      `http:/\\127.0.0.1:${port}/`,
    ],
    ...[
      "file:///etc/passwd",
      "file://localhost/etc/passwd",
      "file:/etc/shadow",
      "FILE:///proc/self/environ",
      "netdoc:///etc/passwd",
    ],
    ...[
      `gopher://127.0.0.1:${port}/_x`,
      `dict://127.0.0.1:${port}/`,
      `ftp://127.0.0.1:${port}/`,
      `ldap://127.0.0.1:${port}/`,
    ],
    ...[
      `tftp://127.0.0.1:${port}/`,
      `jar:http://127.0.0.1:${port}/!/`,
      `ws://127.0.0.1:${port}/`,
      `data:application/dicom;base64,AAAA`,
    ],
    ...[
      `http://127.0.0.1:${port}/\r\nX: 1`,
      `http://127.0.0.1:${port}/..;/`,
      `%68ttp://127.0.0.1:${port}/`,
      `javascript:fetch("http://127.0.0.1:${port}")`,
    ],
  ];
}

/** A listener that counts who knocks. */
async function canary(): Promise<{ port: number; hits: () => number; server: Server }> {
  let hits = 0;
  const server = createServer((socket) => {
    hits++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as { port: number }).port, hits: () => hits, server };
}

/** The far ends of the process's connections that it did not accept itself. */
function outgoing(pid: number, listening: readonly number[]): string[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /socket:\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  return ["tcp", "tcp6", "udp", "udp6"].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, "utf8")
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local = "", , state, , , , , , inode = ""]) => {
        const port = Number.parseInt(local.split(":")[1] ?? "", 16);
        return inodes.has(inode) && state !== "0A" && !listening.includes(port);
      })
      .map(([, , remote = ""]) => remote),
  );
}

test("attack 62: no address that a caller names is asked for anything", async () => {
  const { port, hits, server } = await canary();
  const urls = addresses(port);
  assert.ok(urls.length >= 60, `${urls.length} addresses`);
  const seen = new Set<string>();
  const watch = setInterval(() => {
    for (const remote of outgoing(house.pid, [house.https, house.dicom])) seen.add(remote);
  }, 5);
  // As where bulk data would be, which is looked for in the body alone, …
  await house.under({}, async () => {
    for (const url of urls) {
      const metadata = JSON.stringify([
        { "7FE00010": { vr: "OW", BulkDataURI: url }, "00081190": { vr: "UR", Value: [url] } },
      ]);
      const type = 'multipart/related; type="application/dicom+json"; boundary=b';
      const body = Buffer.concat([part("application/dicom+json", metadata), end]);
      const answer = await post("/dicom-web/studies", { "content-type": type }, body);
      assert.equal(answer.status, 409, url);
      await answer.text();
    }
  });
  // … as what a part says of itself, as a header of a request, and as values of an image, which are data.
  await house.under({ studies: 1 }, async () => {
    for (const url of urls) {
      const safe = url.replace(/[^\x20-\x7e]/g, "");
      const located = `--b\r\nContent-Type: application/dicom\r\nContent-Location: ${safe}\r\n\r\n\r\n--b--\r\n`;
      const headers = { "content-type": dicomParts, referer: safe, "content-location": safe, "x-forwarded-host": safe };
      assert.equal((await post("/dicom-web/studies", headers, located)).status, 409, url);
    }
    const options = { kind: "mr-brain", slices: urls.length, size: 16, seed: 62 } as const;
    let at = 0;
    const slices = slicesOf(options, (attributes: KeywordDataSet) => ({
      ...attributes,
      RetrieveURL: urls[at++]?.replace(/[^\x20-\x7e]/g, ""),
      RetrieveURI: urls[at % urls.length]?.replace(/[^\x20-\x7e]/g, ""),
    }));
    const body = Buffer.concat([...slices.map((slice) => part("application/dicom", fileOf(slice))), end]);
    assert.equal((await post("/dicom-web/studies", { "content-type": dicomParts }, body)).status, 200);
    for (let tries = 0; tries < 600; tries++) {
      const found = (await (await house.fetch("/dicom-web/studies?limit=10")).json()) as unknown[];
      if (found.length > 0) break;
      await sleep(50);
    }
    const uid = slices[0]?.studyUid;
    assert.equal((await house.fetch(`/dicom-web/studies/${uid}/metadata`)).status, 200);
  });
  clearInterval(watch);
  assert.equal(hits(), 0, "nobody knocked");
  assert.deepEqual([...seen], [], "the server opened no connection of its own");
  await new Promise((resolve) => server.close(resolve));
});

const entities = (port: number) => [
  `<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1:${port}/x">]><a>&x;</a>`,
  `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`,
  `<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:${port}/x.dtd"> %x;]><a/>`,
  `<!DOCTYPE a SYSTEM "http://127.0.0.1:${port}/x.dtd"><a/>`,
  `<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="http://127.0.0.1:${port}/x"/></a>`,
  `<?xml-stylesheet href="http://127.0.0.1:${port}/x.xsl"?><a xsi:schemaLocation="a http://127.0.0.1:${port}/x.xsd"/>`,
];
const laughs = `<!DOCTYPE l [<!ENTITY a0 "ha">${Array.from(
  { length: 30 },
  (_, index) => `<!ENTITY a${index + 1} "${`&a${index};`.repeat(10)}">`,
).join("")}]><l>&a30;</l>`;
const xmlTypes = [
  "application/dicom+xml",
  "application/xml",
  "text/xml",
  "application/fhir+xml",
  "application/soap+xml",
  "image/svg+xml",
];

async function isNoXml(body: string): Promise<void> {
  for (const type of xmlTypes) {
    const related = `multipart/related; type="${type}"; boundary=b`;
    for (const [path, headers, sent] of [
      ["/dicom-web/studies", { "content-type": type }, Buffer.from(body)],
      ["/dicom-web/studies", { "content-type": related }, Buffer.concat([part(type, body), end])],
      ["/api/session", { "content-type": type }, Buffer.from(body)],
    ] as const) {
      const answer = await post(path, headers, sent);
      // Of the kinds of XML one is read: strictly, without document types.
      const isRead = type === "application/dicom+xml" && path === "/dicom-web/studies";
      assert.equal(answer.status, isRead ? 400 : 415, `${path} ${type}`);
      assert.doesNotMatch(await answer.text(), /root:|haha/);
    }
    // A part of that type among instances is not one.
    const answer = await post(
      "/dicom-web/studies",
      { "content-type": dicomParts },
      Buffer.concat([part(type, body), end]),
    );
    assert.equal(answer.status, 409, type);
    assert.doesNotMatch(await answer.text(), /root:|haha/);
  }
}

test("attack 63: XML with a document type is taken nowhere, so no entity of it is ever looked up", async () => {
  const { port, hits, server } = await canary();
  await house.under({ tells: /refused( again)?: a request \(415\)/ }, async () => {
    for (const body of entities(port)) await isNoXml(body);
  });
  assert.equal(hits(), 0);
  await new Promise((resolve) => server.close(resolve));
});

test("attack 64: entities that expand without end are refused unread", async () => {
  await house.under({ tells: /refused( again)?: a request \(415\)/ }, () => isNoXml(laughs));
});

test("a body that is broken off leaves nothing behind, and its sender nothing to wait for", async () => {
  await house.under({}, async () => {
    const head = `POST /dicom-web/studies HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${house.token()}\r\n`;
    const chunked = `${head}Content-Type: ${dicomParts}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n--b\r\n\r\n`;
    const answer = await house.raw(`${chunked}zz\r\n`, { quietMs: 400 });
    assert.deepEqual(statusesIn(answer), [400]);
    await (await house.fetch("/dicom-web/studies?limit=1")).text();
  });
});
