import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { after, before, test } from "node:test";
import type { DeviceView, GrantView, MadeShare, TokenView } from "#formats/api";
import { asOperator, associate, slicesOf, store, stow } from "./modality.fixture.ts";
import { type Caller, eventually, type OverseenHouse, openOverseenHouse } from "./overseen-house.fixture.ts";
import { postJson } from "./second-person.fixture.ts";

/*
 * How soon what was taken away is gone, everywhere that it was open; the times are printed, the bound is a minute.
 */
const boundMs = 60_000;
let overseen: OverseenHouse;
/** So large that nobody has taken it all when the access ends. */
const large = slicesOf({ kind: "mr-brain", slices: 48, size: 512, seed: 92 });
let largePath = "";

before(async () => {
  overseen = await openOverseenHouse();
  for (let at = 0; at < large.length; at += 16) {
    assert.equal((await stow(overseen.house, large.slice(at, at + 16))).status, 200);
  }
  largePath = `/dicom-web/studies/${large[0]?.studyUid}`;
});
after(() => overseen?.house.remove());

const measured = async (what: string, gone: Promise<unknown>, since: number) => {
  await gone;
  const ms = performance.now() - since;
  process.stdout.write(`# ${what}: gone after ${ms.toFixed(0)} ms\n`);
  assert.ok(ms < boundMs, what);
};
const never = (ms = 8_000) =>
  new Promise<never>((_resolve, reject) => setTimeout(() => reject(new Error("it never ended")), ms).unref());
const ended = (done: Promise<unknown>) => Promise.race([done, never()]);

/** A stream of events that is open. Resolves `closed` when the server has ended it. */
async function openStream(caller: Caller) {
  const answer = await caller.call("GET", "/api/events");
  assert.equal(answer.status, 200);
  const closed = (async () => {
    for await (const _ of answer.body as AsyncIterable<Uint8Array>);
  })().catch(() => {});
  return { closed };
}

/** A download of the large study that is read no further than its first bytes until it is asked to. */
function openDownload(headers: Readonly<Record<string, string>>) {
  const ca = readFileSync(overseen.house.ca);
  return new Promise<{ status: number; rest(): Promise<{ bytes: number; isWhole: boolean }> }>((resolve, reject) => {
    const sent = request(
      { host: "localhost", port: overseen.house.https, path: largePath, ca, headers: { ...whole, ...headers } },
      (answer) => {
        let bytes = 0;
        const closed = new Promise<void>((done) => answer.once("close", done));
        answer.on("error", () => {});
        answer.pause();
        const rest = async () => {
          answer.on("data", (piece: Buffer) => {
            bytes += piece.length;
          });
          answer.resume();
          await closed;
          return { bytes, isWhole: answer.complete };
        };
        resolve({ status: answer.statusCode ?? 0, rest });
      },
    );
    sent.once("error", reject);
    sent.end();
  });
}
const whole = { accept: 'multipart/related; type="application/dicom"; transfer-syntax=*' };

/** What is cut off must be so well before its end. */
async function isCut(download: Awaited<ReturnType<typeof openDownload>>): Promise<void> {
  const { bytes, isWhole } = await download.rest();
  const total = large.reduce((sum, { dataSet }) => sum + dataSet.length, 0);
  assert.equal(isWhole, false);
  assert.ok(bytes < total, `${bytes} of ${total}`);
}

test("a grant that is ended: session, stream and a download under way", async () => {
  const reader = await overseen.join("reader", { role: "radiologist" });
  const stream = await openStream(reader);
  const download = await openDownload({ cookie: reader.cookie });
  assert.equal(download.status, 200);
  const grants = await overseen.administrator.json<GrantView[]>("GET", "/api/grants");
  const grant = grants.find(({ holderName }) => holderName === "reader");
  const since = performance.now();
  assert.equal((await overseen.administrator.call("DELETE", `/api/grants/${grant?.id}`)).status, 204);
  await measured("session of an ended grant", refused(reader), since);
  await measured("stream of an ended grant", ended(stream.closed), since);
  await measured("download of an ended grant", ended(isCut(download)), since);
});

test("an account that is removed: session, stream and a download under way", async () => {
  const leaving = await overseen.join("leaving", { role: "radiologist" });
  const stream = await openStream(leaving);
  const download = await openDownload({ cookie: leaving.cookie });
  const since = performance.now();
  assert.equal((await overseen.administrator.call("DELETE", "/api/accounts", { name: "leaving" })).status, 204);
  await measured("session of a removed account", refused(leaving), since);
  await measured("stream of a removed account", ended(stream.closed), since);
  await measured("download of a removed account", ended(isCut(download)), since);
});

test("a share link that is ended: session and a download under way", async () => {
  const maker = await overseen.join("maker", { role: "radiologist" });
  const study = await tokenOfLarge();
  const share = await maker.json<MadeShare>("POST", "/api/shares", {
    ...{ study, mode: "download", days: 1, recipient: "elsewhere" },
  });
  const secret = new URL(share.link).hash.replace("#share=", "");
  const opened = await postJson(overseen.house, "/api/shares/open", { secret, code: share.code });
  const outside = overseen.callerOf((opened.headers.get("set-cookie") ?? "").split(";")[0] ?? "");
  const download = await openDownload({ cookie: outside.cookie });
  assert.equal(download.status, 200);
  const since = performance.now();
  assert.equal((await maker.call("DELETE", `/api/shares/${share.id}`)).status, 204);
  await measured("session of an ended share", refused(outside, `/api/studies/${study}`), since);
  await measured("download of an ended share", ended(isCut(download)), since);
});

test("a program whose grant is ended: its token and a download under way", async () => {
  const { token } = JSON.parse(
    overseen.house.command(["token", "--client", "robot", "--minutes", "60", "--json"]),
  ) as TokenView;
  const headers = { authorization: `Bearer ${token}` };
  const download = await openDownload(headers);
  assert.equal(download.status, 200);
  const grants = await overseen.administrator.json<GrantView[]>("GET", "/api/grants");
  const grant = grants.find(({ holderName }) => holderName === "robot");
  const since = performance.now();
  assert.equal((await overseen.administrator.call("DELETE", `/api/grants/${grant?.id}`)).status, 204);
  const gone = async () => (await overseen.house.fetch("/api/studies", { headers })).status !== 200;
  await measured("token of an ended grant", eventually(gone, "the token is no use"), since);
  await measured("download by that token", ended(isCut(download)), since);
});

test("a machine that is removed: the association that it has open", async () => {
  overseen.house.command(["device", "add", "CT9", "--address", "127.0.0.1"]);
  const association = await associate(overseen.house, large, "CT9");
  const [first, second] = slicesOf({ kind: "mr-brain", slices: 2, size: 64, seed: 93 });
  assert.ok(first && second);
  assert.equal(await store(association, first), 0);
  const devices = await asOperator<DeviceView[]>(overseen.house, "/api/devices");
  const device = devices.find(({ ae }) => ae === "CT9");
  const since = performance.now();
  assert.equal((await overseen.administrator.call("DELETE", `/api/devices/${device?.id}`)).status, 204);
  const statuses: number[] = [];
  const gone = async () => {
    const status = await store(association, second).catch(() => undefined);
    if (status !== undefined) statuses.push(status);
    return status === undefined;
  };
  await measured("association of a removed machine", eventually(gone, "the association is aborted"), since);
  assert.ok(!statuses.includes(0), "nothing was stored any more");
  await assert.rejects(associate(overseen.house, large, "CT9"));
});

async function refused(caller: Caller, path = "/api/session"): Promise<void> {
  await eventually(async () => (await caller.call("GET", path)).status >= 400, "the session is no use");
}

async function tokenOfLarge(): Promise<string> {
  const answer = await overseen.house.fetch("/api/studies?limit=200");
  const { studies } = (await answer.json()) as { studies: { token: string; studyUid: string }[] };
  return studies.find(({ studyUid }) => studyUid === large[0]?.studyUid)?.token ?? assert.fail();
}
