// Rows 91, 93, 98 and 99 of the attack table: what a running server shows to who listens on the line, looks at its sockets or writes into its logs.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { type AttackedHouse, startAttackedHouse } from "./attacked-house.fixture.ts";
import { associateRq, rawPeer } from "./dimse-peer.fixture.ts";

let house: AttackedHouse;
before(async () => {
  house = await startAttackedHouse();
});
after(() => house?.remove());

/** Everything that goes over a line to that port, in both directions; `change` may alter what goes to the server. */
async function tap(port: number, change: (bytes: Buffer, nth: number) => Buffer = (bytes) => bytes) {
  const seen: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const onward = connect(port, "127.0.0.1");
    let nth = 0;
    for (const socket of [client, onward]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
    client.on("data", (bytes) => {
      seen.push(bytes);
      onward.write(change(bytes, nth++));
    });
    onward.on("data", (bytes) => {
      seen.push(bytes);
      client.write(bytes);
    });
    client.on("close", () => onward.destroy());
    onward.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    seen: () => Buffer.concat(seen),
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** One request over TLS through that port. Empty when the connection broke. */
function through(port: number, request: string, options: object = {}): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connectTls(
      { host: "127.0.0.1", port, servername: "localhost", ca: readFileSync(house.ca), ...options },
      () => socket.write(request),
    );
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
    setTimeout(() => socket.destroy(), 3_000).unref();
  });
}

test("attack 91: no password, token or session is on any line in the clear, and no door takes one there", async (t) => {
  const line = await tap(house.https);
  t.after(line.close);
  const [password, token] = ["canary of a password", house.token()];
  const body = JSON.stringify({ name: "ada", password, code: "123456" });
  const post = `POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
  const get = `GET /dicom-web/studies HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`;
  assert.match(await through(line.port, post), /^HTTP\/1\.1 4/);
  assert.match(await through(line.port, get), /^HTTP\/1\.1 20/);
  assert.ok(line.seen().length > 2_000, "the line was listened to");
  for (const secret of [password, token, "Authorization", "/api/session", "leadglass"])
    assert.equal(line.seen().includes(secret), false, secret);
  // Without TLS nobody is answered, nor led on to where it would be asked again; old TLS is none.
  const plain = await new Promise<string>((resolve) => {
    const socket = connect(house.https, "127.0.0.1", () => socket.write(get));
    let text = "";
    socket.on("data", (bytes) => (text += bytes.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });
  assert.doesNotMatch(plain, /HTTP|Location/);
  for (const maxVersion of ["TLSv1", "TLSv1.1"] as const)
    assert.equal(
      await through(house.https, get, { minVersion: maxVersion, maxVersion, ciphers: "DEFAULT@SECLEVEL=0" }),
      "",
    );
  for (const ciphers of ["NULL@SECLEVEL=0", "aNULL@SECLEVEL=0", "RC4@SECLEVEL=0", "3DES@SECLEVEL=0"]) {
    let answer = "";
    try {
      answer = await through(house.https, get, { maxVersion: "TLSv1.2", ciphers });
    } catch {
      // Not known to this OpenSSL at all.
    }
    assert.equal(answer, "", ciphers);
  }
  for (const secret of [password, token]) assert.equal(house.output().includes(secret), false, "nor is it printed");
});

test("attack 93: who changes a byte on the way breaks the connection, and nothing changed is taken", async (t) => {
  const get = `GET /dicom-web/studies HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${house.token()}\r\nConnection: close\r\n\r\n`;
  let wasChanged = false;
  const line = await tap(house.https, (bytes, nth) => {
    if (nth === 0) return bytes;
    wasChanged = true;
    const changed = Buffer.from(bytes);
    const last = changed.length - 1;
    changed[last] = (changed[last] ?? 0) ^ 1;
    return changed;
  });
  t.after(line.close);
  assert.equal(await through(line.port, get), "");
  assert.ok(wasChanged);
});

/** Local ends of TCP sockets that listen, and paths of listening Unix sockets, of one process. */
function listening(pid: number): { tcp: string[]; unix: string[] } {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /socket:\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  const rows = (table: string) =>
    readFileSync(`/proc/${pid}/net/${table}`, "utf8")
      .split("\n")
      .slice(1)
      .map((row) => row.trim().split(/\s+/));
  const tcp = ["tcp", "tcp6"].flatMap((table) =>
    rows(table)
      .filter(([, , , state, , , , , , inode = ""]) => state === "0A" && inodes.has(inode))
      .map(([, local = ""]) => `${local.split(":")[0]} ${Number.parseInt(local.split(":")[1] ?? "", 16)}`),
  );
  const udp = ["udp", "udp6"].flatMap((table) =>
    rows(table).filter(([, , , , , , , , , inode = ""]) => inodes.has(inode)),
  );
  assert.equal(udp.length, 0, "no UDP socket");
  const unix = rows("unix")
    .filter(([, , , flags, , , inode = "", path]) => flags === "00010000" && inodes.has(inode) && path !== undefined)
    .map(([, , , , , , , path = ""]) => path);
  return { tcp, unix };
}

test("attack 99: exactly the named ports listen, on this machine alone, and no debugger can be called up", async () => {
  const loopback = "0100007F";
  const named = [`${loopback} ${house.https}`, `${loopback} ${house.dicom}`].sort();
  const check = () => {
    const { tcp, unix } = listening(house.pid);
    assert.deepEqual(tcp.sort(), named);
    assert.equal(unix.length, 1, unix.join());
    for (const path of unix) assert.equal(statSync(path).mode & 0o777, 0o600, "the owner's alone");
  };
  check();
  // Node opens its inspector at this signal.
  process.kill(house.pid, "SIGUSR1");
  await sleep(500);
  check();
  for (const path of ["/metrics", "/debug/pprof", "/json/version"]) {
    const answer = await house.fetch(path, { anonymous: true });
    assert.equal(answer.status, 401, path);
    await answer.arrayBuffer();
  }
});

/** Characters that move a cursor, colour, ring or turn text around; tab and line ends apart. */
const speaksToTerminal = (text: string) =>
  [...text].some((character) => {
    const code = character.codePointAt(0) ?? 0;
    const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0);
    return (isControl && !"\t\n\r".includes(character)) || (code >= 0x2028 && code <= 0x202e);
  });

test("attack 98: nothing that a caller names breaks a line of a log, or speaks to the terminal that shows it", async () => {
  const evil = [
    'a\r\n{"level":"info","what":"forged"}',
    "a\nforged",
    "\u001b[2J\u001b]0;forged\u0007",
    "\u0000\u0008\u009b31m",
    "\u2028forged\u2029",
    "\u202eforged",
  ];
  const printed = house.output().length;
  await house.under({ tells: /refused( again)?: / }, async () => {
    for (const value of evil) {
      const coded = encodeURIComponent(value);
      await (await house.fetch(`/dicom-web/studies/${coded}?PatientName=${coded}`)).text();
      await (await house.fetch(`/${coded}`, { anonymous: true })).text();
      for (const [path, body] of [
        ["/api/session", { name: value, password: value, code: value }],
        ["/api/devices", { ae: value, address: value, note: value, name: value }],
        ["/api/setup/link", { secret: value }],
      ] as const) {
        const headers = { "content-type": "application/json" };
        await (await house.fetch(path, { method: "POST", headers, body: JSON.stringify(body) })).text();
      }
      for (const line of [
        `GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ${value}`,
        `GET /${value} HTTP/1.1\r\nHost: localhost`,
        `GET / HTTP/1.1\r\nHost: ${value}`,
      ])
        await house.raw(Buffer.from(`${line}\r\n\r\n`, "latin1"), { quietMs: 200 });
      const peer = await rawPeer(house.dicom);
      peer.send(associateRq({ callingAe: value.slice(0, 16), calledAe: value.slice(0, 16) }));
      await Promise.race([peer.closed, sleep(300)]);
      peer.socket.destroy();
    }
  });
  const lines = house
    .output()
    .slice(printed)
    .split("\n")
    .filter((line) => line !== "");
  assert.ok(lines.length > 0);
  for (const line of lines) {
    assert.ok(!speaksToTerminal(line), line);
    assert.doesNotThrow(() => JSON.parse(line), line);
    assert.doesNotMatch(line, /forged/, "what a caller typed is in no line");
  }
  // What commands print of callers, and the audit log, hold it as text or not at all.
  for (const words of [["device", "list"], ["status"], ["audit", "export", join(house.home, "exported.log")]]) {
    const { stdout, stderr } = house.tryCommand(words);
    assert.ok(!speaksToTerminal(stdout + stderr), words.join(" "));
  }
});
