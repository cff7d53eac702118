// What a hostile peer may do with the WebSocket that event reports come by.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type ClientOptions, WebSocket } from "ws";
import type { InvitationView } from "#formats/api";
import { scheduledItem } from "../../radiology/workitems/work-items.fixture.ts";
import { enrol } from "../flows/second-person.fixture.ts";
import { type AttackedHouse, startAttackedHouse, statusesIn } from "./attacked-house.fixture.ts";

let house: AttackedHouse;
let cookie = "";
before(async () => {
  house = await startAttackedHouse();
  house.command(["init", "--admin", "first", "--password-stdin"], "four unrelated words here");
  cookie = (await reader("reader")).cookie ?? "";
});
after(() => house?.remove());

/** What a radiologist's requests carry. */
async function reader(name: string): Promise<Readonly<Record<string, string>>> {
  const added = house.command(["user", "add", name, "--role", "radiologist", "--json"]);
  return (await enrol(house, name, (JSON.parse(added) as InvitationView).link)).headers;
}

const path = "/dicom-web/subscribers/A";
const bearer = () => ({ authorization: `Bearer ${house.token()}` });

/** Opens, or says with which status it was refused. */
function connected(
  headers: Record<string, string>,
  options: ClientOptions = {},
  at = path,
): Promise<WebSocket | number> {
  const socket = new WebSocket(`wss://localhost:${house.https}${at}`, {
    ca: readFileSync(house.ca),
    headers,
    ...options,
  });
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(socket));
    socket.once("unexpected-response", (_request, answer) => {
      resolve(answer.statusCode ?? 0);
      answer.resume();
    });
    socket.once("error", reject);
  });
}

async function opened(headers: Record<string, string>, options: ClientOptions = {}): Promise<WebSocket> {
  const socket = await connected(headers, options);
  assert.ok(socket instanceof WebSocket, `${socket}`);
  return socket;
}

const closeOf = (socket: WebSocket) => new Promise<number>((resolve) => socket.once("close", resolve));

test("attack 70: a page of another origin opens no WebSocket with a session; our own page does, and a program with its token", async () => {
  const own = { cookie, origin: `https://localhost:${house.https}` };
  (await opened(own)).terminate();
  for (const origin of ["https://evil.example", "null", "https://localhost:1", `http://localhost:${house.https}`]) {
    assert.equal(await connected({ ...own, origin }), 404, origin);
  }
  (await opened(bearer())).terminate();
  assert.equal(await connected({}), 401);
  assert.equal(await connected({}, {}, `${path}?access_token=${house.token()}`), 401);
});

test("a session that ends ends its WebSocket", async () => {
  const headers = await reader("leaver");
  const socket = await opened({ cookie: headers.cookie ?? "" });
  const closed = closeOf(socket);
  await house.fetch("/api/session", { method: "DELETE", headers, anonymous: true });
  assert.equal(await closed, 1008);
});

test("a frame larger than any that is expected ends the connection, and so does a flood of small ones", async () => {
  await house.under({}, async () => {
    const large = await opened(bearer());
    const ended = closeOf(large);
    large.send(Buffer.alloc(8 * 1024 * 1024));
    assert.ok([1006, 1009].includes(await ended));
    const small = await opened(bearer());
    const floodEnded = closeOf(small);
    for (let sent = 0; sent < 1_000; sent++) small.send("x");
    assert.ok([1006, 1008].includes(await floodEnded));
  });
});

test("a peer that reads nothing holds nobody up", async () => {
  await house.under({}, async () => {
    const deaf = await opened(bearer());
    deaf.pause();
    const post = (at: string, body?: object) =>
      house.fetch(`/dicom-web/workitems${at}`, {
        method: "POST",
        headers: { "content-type": "application/dicom+json" },
        ...(body && { body: JSON.stringify(body) }),
      });
    await post("/1.2.840.10008.5.1.4.34.5/subscribers/A");
    for (let made = 0; made < 50; made++) assert.equal((await post("", scheduledItem())).status, 201);
    deaf.terminate();
  });
});

test("a request to upgrade what is no WebSocket, or in a wrong way, is answered or closed, and asks for no other protocol", async () => {
  const head = `Host: localhost\r\nAuthorization: Bearer ${house.token()}\r\nConnection: Upgrade\r\n`;
  const ask = (line: string, more: string) => house.raw(`${line} HTTP/1.1\r\n${head}${more}\r\n\r\n`, { quietMs: 500 });
  assert.deepEqual(statusesIn(await ask("GET /dicom-web/studies?limit=1", "Upgrade: websocket")), [200]);
  assert.deepEqual(statusesIn(await ask(`GET ${path}`, "Upgrade: h2c")), [426]);
  assert.deepEqual(statusesIn(await ask(`POST ${path}`, "Upgrade: websocket\r\nContent-Length: 0")), [404]);
  assert.deepEqual(statusesIn(await ask(`GET ${path}`, "Upgrade: websocket")), [400]);
  const smuggled = `Upgrade: websocket\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost`;
  assert.deepEqual(statusesIn(await ask("GET /dicom-web/studies?limit=1", smuggled)), [200]);
});

test("a channel that nothing happens on stays open", async () => {
  const socket = await opened(bearer());
  await sleep(6_000);
  assert.equal(socket.readyState, WebSocket.OPEN);
  socket.terminate();
});
