import assert from "node:assert/strict";
import { request } from "node:https";
import { after, before, test } from "node:test";
import { systemClock } from "#base/clock";
import { dial, openAssociation } from "#doors/dimse";
import type { LogEntryView, StudyPage } from "#formats/api";
import { TransferSyntaxUid } from "#formats/dicom";
import type { Route } from "../../apps/server/index.ts";
import { associate, type Slice, slicesOf, store } from "../flows/modality.fixture.ts";
import { type Asking, asking, paramsIn, type Schema } from "./route-questions.fixture.ts";
import {
  answerOf,
  type Customer,
  dialTls,
  exchange,
  type Installation,
  type RawAnswer,
  startInstallation,
} from "./tenants.fixture.ts";

let installation: Installation;
let a: Customer;
let b: Customer;
before(async () => {
  installation = await startInstallation();
  ({ a, b } = installation);
});
after(() => installation?.remove());

const streamMs = 150;
const answerMs = 2_000;
const ownToEach = new Set([
  "date",
  "content-length",
  "keep-alive",
  "connection",
  "content-security-policy",
  "set-cookie",
]);

/** One request to B's host. A stream is cut off after a while. */
function askB({ method, path, body, headers }: Asking): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request({
      ...{ host: "127.0.0.1", port: installation.https, servername: b.host, ca: [...installation.trusted] },
      ...{ method, path },
      headers: { host: b.host, ...headers, ...(body !== undefined && { "content-length": Buffer.byteLength(body) }) },
    });
    sent.on("error", reject);
    sent.on("response", (answer) => {
      let text = "";
      const done = () => {
        clearTimeout(timer);
        const kept = Object.entries(answer.headers).filter(([name]) => !ownToEach.has(name));
        resolve({
          status: answer.statusCode ?? 0,
          headers: kept.map(([name, value]) => `${name}: ${value}`).sort(),
          body: text,
        });
        // What was read to its end leaves its connection to the next request.
        if (!answer.complete) answer.destroy();
      };
      const timer = setTimeout(done, answerMs);
      if (String(answer.headers["content-type"]).startsWith("text/event-stream")) setTimeout(done, streamMs);
      answer.on("data", (piece: Buffer) => (text += piece.toString("latin1")));
      answer.on("end", done);
      answer.on("error", done);
    });
    sent.end(body);
  });
}

const page = { "x-leadglass": "1" };
const credentials = (of: Customer) => ({
  session: { cookie: of.cookie, ...page },
  program: { authorization: `Bearer ${of.bearer}` },
});

/** Of the same form, and nobody's. */
function strangerTo(value: string): string {
  let at = 0;
  return value.replaceAll(/[a-z0-9]/gi, (c) => {
    at++;
    if (/[0-9]/.test(c)) return String(((Number(c) * 7 + at) % 9) + (at === 1 ? 1 : 0)).slice(0, 1);
    if (/[a-f]/.test(c)) return "abcdef"[("abcdef".indexOf(c) + at) % 6] as string;
    return c === c.toUpperCase() ? ("QWXZ"[at % 4] as string) : ("qwxz"[at % 4] as string);
  });
}
/** Roots of UIDs stay what they are: a UID that is none is refused for its form. */
const strangersOf = (ids: Customer["ids"]) =>
  Object.fromEntries(
    Object.entries(ids).map(([name, value]) => [
      name,
      /Uid$/.test(name)
        ? `${value.slice(0, -6)}${String((Number(value.slice(-5)) + 77_777) % 100_000).padStart(6, "1")}`
        : strangerTo(value),
    ]),
  );

const routes = (): Route[] =>
  installation.server.routes.filter(
    ({ method, url }) => method !== "HEAD" && method !== "OPTIONS" && !url.startsWith("/assets"),
  );
const takesAnything = ({ url, body }: Route) =>
  paramsIn(url).length > 0 || body !== undefined || /stud|instances|series/.test(url);

/** The answer without what the asker said itself, and without what is new in each. */
function told(answer: RawAnswer, said: readonly string[]): RawAnswer {
  const blank = (text: string) =>
    said
      .filter((value) => value !== "")
      .flatMap((value) => [value, value.toLowerCase()])
      // The longest first: one may begin as another does.
      .toSorted((one, other) => other.length - one.length)
      .reduce((left, value) => left.replaceAll(value, "<said>"), text)
      .replaceAll(/[A-Za-z0-9_-]{20,}/g, "<token>")
      .replaceAll(/\d{10,}/g, "<number>");
  return { status: answer.status, headers: answer.headers.map(blank), body: blank(answer.body) };
}

function assertNothingOf(of: Customer, { body, headers }: RawAnswer, said: string, where: string): void {
  const text = `${headers.join("\n")}\n${body}`.toLowerCase();
  for (const canary of of.canaries) {
    if (canary === "" || said.includes(canary) || said.includes(encodeURIComponent(canary))) continue;
    assert.ok(!text.includes(canary.toLowerCase()), `${where}: ${canary} came out`);
  }
}

/** What ends the session that it comes with. */
const endsItself = (route: Route) => route.method === "DELETE" && route.url === "/api/session";

test("attack 88: on every route, with every id of another tenant, the answer is that for an id which is nobody's", async () => {
  const [theirs, nobodys] = [a.ids, strangersOf(a.ids)];
  let asked = 0;
  for (const route of routes().filter((each) => takesAnything(each) && !endsItself(each))) {
    const names = [...paramsIn(route.url), ...Object.keys((route.body as Schema | undefined)?.properties ?? {})];
    const isNamed = names.every((name) => theirs[name] !== undefined || theirs[`${name}Uid`] !== undefined);
    const others = isNamed || route.anonymous ? ["study"] : Object.keys(theirs);
    const askers = Object.entries(route.anonymous ? { nobody: {} } : { ...credentials(b), nobody: {} });
    const compare = async ([who, headers]: (typeof askers)[number]): Promise<number> => {
      let compared = 0;
      for (const other of others) {
        const ask = (ids: Customer["ids"]) => asking(route, ids, ids[other] ?? "", headers);
        const [foreign, random] = [ask(theirs), ask(nobodys)];
        if (JSON.stringify(foreign) === JSON.stringify(random)) continue; // it names nothing
        const [one, two] = await Promise.all([askB(foreign), askB(random)]);
        const where = `${route.method} ${route.url} with ${other} as ${who}`;
        // Who tries codes and passwords too often is put off, whatever it tries.
        if (one.status === 429 || two.status === 429) break;
        assert.deepEqual(told(one, Object.values(theirs)), told(two, Object.values(nobodys)), where);
        assert.ok(one.status !== 500, where);
        assertNothingOf(a, one, `${foreign.path} ${foreign.body ?? ""}`, where);
        compared++;
      }
      return compared;
    };
    // Each answer waits for the log's disk: together they wait once.
    for (const compared of await Promise.all(askers.map(compare))) asked += compared;
  }
  assert.ok(asked > 2_000, `${asked} requests`);
  const still = await askB({ method: "GET", path: "/api/session", headers: credentials(b).session });
  assert.equal(still.status, 200);
  const page = await a.operator<StudyPage>("GET", "/api/studies?limit=10");
  assert.deepEqual(
    page.studies.map(({ token }) => token),
    [a.ids.study],
  );
});

test("the questions are good ones: to who asks for its own the same routes answer otherwise", async () => {
  let answered = 0;
  for (const route of routes().filter(({ method, url }) => method === "GET" && paramsIn(url).length > 0)) {
    const ask = (ids: Customer["ids"]) => askB(asking(route, ids, ids.confirmation ?? "", credentials(b).session));
    const [own, random] = [await ask(b.ids), await ask(strangersOf(b.ids))];
    if (own.status < 300 && random.status === 404) answered++;
  }
  assert.ok(answered >= 15, `${answered} routes`);
});

test("attack 88: sessions and tokens of another tenant are none, on every route, with the ids that are there", async () => {
  for (const route of routes()) {
    for (const [who, headers] of Object.entries(credentials(a))) {
      const asked = asking(route, b.ids, b.ids.study ?? "", headers);
      const where = `${route.method} ${route.url} with another tenant's ${who}`;
      const answer = await askB(asked);
      if (!route.anonymous) assert.equal(answer.status, 401, where);
      assertNothingOf(a, answer, "", where);
      if (route.anonymous) continue;
      const bare = await askB({
        ...asked,
        headers: { ...asked.headers, cookie: "", authorization: "Bearer lgt_none" },
      });
      assert.deepEqual(told(answer, []), told(bare, []), where);
    }
  }
  const page = await b.operator<StudyPage>("GET", "/api/studies?limit=10");
  assert.ok(page.studies.some(({ token }) => token === b.ids.study));
});

test("attack 88: a further tenant has no route that tells of tenants", async () => {
  for (const headers of Object.values(credentials(b))) {
    assert.equal((await askB({ method: "GET", path: "/api/tenants", headers })).status, 404);
  }
  await assert.rejects(b.operator("GET", "/api/tenants"), /404/);
  await assert.rejects(b.operator("DELETE", "/api/tenants/clinic-a"), /404/);
});

const contexts = (slice: Slice) => [
  { sopClassUid: slice.sopClassUid, transferSyntaxUids: [TransferSyntaxUid.explicitLittleEndian] },
];
const associateWith = (calledAe: string, callingAe: string) =>
  openAssociation(
    dial({ host: "127.0.0.1", port: installation.dicom }),
    { callingAe, calledAe, contexts: contexts(a.slices[0] as Slice) },
    { clock: systemClock },
  );

test("attack 88: a machine of another tenant is as unknown as any other, under every title that is and is not there", async () => {
  const refusal = async (calledAe: string, callingAe: string) => {
    try {
      await associateWith(calledAe, callingAe);
    } catch (error) {
      return (error as Error).message;
    }
    return assert.fail(`${callingAe} came in at ${calledAe}`);
  };
  const unknown = await refusal(b.view.aeTitle, "NOBODY");
  assert.equal(await refusal(b.view.aeTitle, a.callingAe), unknown);
  assert.equal(await refusal("LEADGLASS", a.callingAe), await refusal("LEADGLASS", "NOBODY"));
  for (const title of ["CLINIC-C", "../CLINIC-A", "clinic-b", "CLINIC-A CLINIC-B"]) {
    assert.equal(await refusal(title, a.callingAe), await refusal("NONE", "NOBODY"));
  }
});

test("attack 89: instances of another tenant's UIDs are stored like any others, conflict with nothing and tell nothing", async () => {
  const [theirs] = a.slices as [Slice];
  const others = slicesOf({ kind: "mr-brain", slices: 1, size: 48, seed: 99 }, (attributes) => ({
    ...attributes,
    ...{
      StudyInstanceUID: theirs.studyUid,
      SeriesInstanceUID: theirs.seriesUid,
      SOPInstanceUID: theirs.sopInstanceUid,
    },
  }));
  const fresh = slicesOf({ kind: "mr-brain", slices: 1, size: 48, seed: 98 });
  const at = { dicom: installation.dicom, aeTitle: b.view.aeTitle };
  const association = await associate(at, [...others, ...fresh], b.callingAe);
  const statuses = [await store(association, others[0] as Slice), await store(association, fresh[0] as Slice)];
  await association.release();
  assert.deepEqual(statuses, [0, 0]);
  const page = await b.operator<StudyPage>("GET", "/api/studies?limit=10");
  const [collided, other] = [theirs.studyUid, fresh[0]?.studyUid].map((uid) =>
    page.studies.find(({ studyUid }) => studyUid === uid),
  );
  assert.deepEqual([collided?.conflictCount, collided?.instanceCount], [other?.conflictCount, other?.instanceCount]);
  assert.notEqual(collided?.token, a.ids.study);
  const mine = await a.operator<StudyPage>("GET", "/api/studies?limit=10");
  assert.deepEqual(
    mine.studies.map(({ token, instanceCount }) => [token, instanceCount]),
    [[a.ids.study, 2]],
  );
});

test("the log of a tenant holds nothing of another, whatever was tried", async () => {
  const { entries } = await b.operator<{ entries: LogEntryView[] }>("GET", "/api/audit");
  const text = JSON.stringify(entries);
  for (const name of ["study", "confirmation", "device", "grant", "account", "tenant", "session", "bearer"]) {
    assert.ok(!text.includes(a.ids[name] ?? "?"), name);
  }
});

/* Which tenant a request reaches: A's token is good at A alone. */
const reached = (answer: RawAnswer) =>
  answer.status === 200 ? (JSON.parse(answer.body).dicomAeTitle as string) : answer.status;
const status = (target: string, hosts: readonly string[], more: readonly string[] = [], version = "1.1") =>
  [
    `GET ${target} HTTP/${version}`,
    ...hosts.map((host) => `Host: ${host}`),
    `Authorization: Bearer ${a.bearer}`,
    ...more,
    "Connection: close",
    "",
    "",
  ].join("\r\n");
const ask = async (servername: string | undefined, head: string) => {
  const socket = await dialTls(installation, servername);
  const text = await exchange(socket, head);
  socket.destroy();
  return reached(answerOf(text));
};

/** The name for the certificate, the head of a request, and what comes back. */
type Trick = readonly [servername: string | undefined, head: string, expected: number | string];
const path = "/api/status";

const elsewhere = (host: string) => ["X-Forwarded-Host", "X-Host", "X-Original-Host"].map((name) => `${name}: ${host}`);
const waysToName = (hostA: string, hostB: string): Trick[] =>
  [
    [hostA, status(path, [hostA])],
    [hostA, status(path, [`${hostA}:${installation.https}`])],
    [hostA, status(path, [hostA.toUpperCase()])],
    [hostA, status(path, [`${hostA}.`])],
    [hostA, status(path, [`  ${hostA} `])],
    [undefined, status(path, [hostA])],
    [hostA, status(`https://${hostA}${path}`, [hostA])],
    [hostA, status(path, [hostA], [...elsewhere(hostB), `Forwarded: host=${hostB}`])],
    [hostA, status(path, [hostA], [], "1.0")],
    [hostA, status(path, [hostA], ["Upgrade: websocket"]).replace("close", "Upgrade")],
  ].map(([servername, head]) => [servername, head ?? "", "CLINIC-A"]);

const otherHosts = (hostA: string, hostB: string): Trick[] => [
  [hostA, status(path, [hostA, hostB]), 400],
  [hostA, status(path, [hostB, hostA]), 400],
  [hostA, status(path, [hostA, hostA]), 400],
  [hostA, status(path, []), 400],
  [hostA, status(path, [], [], "1.0"), 421],
  [hostA, status(path, [], elsewhere(hostA), "1.0"), 421],
  [hostA, status(`https://${hostB}${path}`, [hostA]), 400],
  [hostB, status(`https://${hostA}${path}`, [hostB]), 400],
  [hostA, status(`http://${hostA}${path}`, [hostA]), 400],
  [hostA, status(`https://x@${hostA}${path}`, [hostA]), 400],
  [hostA, status(`//${hostB}${path}`, [hostA]), 404],
  [hostB, status(path, [hostA]), 421],
  ["localhost", status(path, [hostA]), 421],
  ["nobody.example.org", status(path, [hostA]), 421],
  [hostA, status(path, ["localhost"]), 421],
  [hostA, status(path, ["127.0.0.1"]), 421],
  // The main home's, and B's: A's token is none there.
  ["nobody.example.org", status(path, ["nobody.example.org"]), 401],
  [undefined, status(path, ["[::1]"]), 401],
  [undefined, status(path, [`[::1]:${installation.https}`]), 401],
  [undefined, status(path, [hostB]), 401],
];

const noHosts = (hostA: string, hostB: string): Trick[] =>
  [
    ...[`${hostA}@${hostB}`, `${hostB}@${hostA}`, `${hostA}, ${hostB}`, `${hostA}:443:443`, `${hostA}:99999`],
    ...[
      `${hostA}:x`,
      `${hostA}/`,
      `${hostA}#${hostB}`,
      `${hostA}?`,
      `${hostA}\\${hostB}`,
      `${hostA}%00`,
      "",
      `.${hostA}`,
    ],
    ...[hostA.replace(".", "%2e"), hostA.replaceAll(".", "\u3002"), `${hostA}..`, `[${hostA}]`, "[::1", "[::1%25lo]"],
    ...["0x7f000001", "2130706433"],
  ].map((host) => [hostA, status(path, [host]), 400]);

test("attack 88: however a host is written, the request reaches the tenant that it names", async () => {
  for (const [servername, head, expected] of waysToName(a.host, b.host)) {
    assert.equal(await ask(servername, head), expected, head);
  }
});

test("attack 88: a request that names another host than its connection, several, or none that is one reaches nobody with it", async () => {
  for (const [servername, head, expected] of otherHosts(a.host, b.host)) {
    assert.equal(await ask(servername, head), expected, head);
  }
  for (const [servername, head, expected] of noHosts(a.host, b.host)) {
    const got = await ask(servername, head);
    // A text that some would take for a name is then no host of this connection.
    assert.ok(got === expected || got === 421, `${got} for ${head}`);
  }
});

test("attack 88: one connection serves one tenant only, also when it goes on from another's", async () => {
  const socket = await dialTls(installation, a.host);
  const first = await exchange(socket, status("/api/status", [a.host]).replace("close", "keep-alive"));
  assert.equal(reached(answerOf(first)), "CLINIC-A");
  const second = await exchange(socket, status("/api/status", [b.host]).replace("close", "keep-alive"));
  assert.equal(answerOf(second).status, 421);
  assert.match(second, /connection: close/i);

  const tls = await new Promise<Buffer>((resolve) => {
    void dialTls(installation, a.host).then((earlier) => {
      earlier.once("session", resolve);
      earlier.write(status("/healthz", [a.host]));
      earlier.resume();
    });
  });
  const resumed = await dialTls(installation, b.host, tls);
  assert.equal(resumed.isSessionReused(), false);
  assert.match(String(resumed.getPeerX509Certificate()?.subjectAltName), /clinic-b/);
  assert.equal(reached(answerOf(await exchange(resumed, status("/api/status", [a.host])))), 421);
});

test("attack 88: requests that come together, for both, on one connection without a name, each reach their own", async () => {
  const socket = await dialTls(installation);
  const one = (host: string) => status("/api/status", [host]).replace("close", "keep-alive");
  const text = await exchange(socket, `${one(a.host)}${one(b.host)}${one(a.host)}`);
  const answers = text.split(/(?=HTTP\/1\.1 )/).map(answerOf);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 401, 200],
  );
  for (const answer of answers.filter(({ status }) => status === 200)) assert.equal(reached(answer), "CLINIC-A");
  socket.destroy();
});

test("each certificate vouches for the hosts of its tenant and for no other", async () => {
  const names = async (servername: string) => {
    const socket = await dialTls(installation, servername);
    const found = String(socket.getPeerX509Certificate()?.subjectAltName);
    socket.destroy();
    return found;
  };
  assert.equal(await names(a.host), `DNS:${a.host}`);
  assert.equal(await names(b.host), `DNS:${b.host}`);
  assert.equal(await names(`${a.host.toUpperCase()}`), `DNS:${a.host}`);
  assert.doesNotMatch(await names("nobody.example.org"), /clinic/);
});
