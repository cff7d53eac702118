import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { MadeShare, OpenedShare, ShareRequest, ShareView, StudyPage } from "#formats/api";
import { retrieve, wholeLog } from "./modality.fixture.ts";
import { type Caller, type OverseenHouse, openOverseenHouse } from "./overseen-house.fixture.ts";
import { postJson } from "./second-person.fixture.ts";

/*
 * A study for somebody outside, on a real server: the tests follow on each other.
 */
let overseen: OverseenHouse;
let radiologist: Caller;
let viewing: MadeShare;
let guest: Caller;

before(async () => {
  overseen = await openOverseenHouse();
  radiologist = await overseen.join("radiologist", { role: "radiologist" });
});
after(() => overseen?.house.remove());

const asked = (more: Partial<ShareRequest> = {}): ShareRequest => ({
  ...{ study: overseen.studies.Quill.token, mode: "view", days: 2, recipient: "Dr. Outside, Elsewhere Clinic" },
  ...more,
});
const secretOf = ({ link }: MadeShare) => new URL(link).hash.replace("#share=", "");
const open = (share: MadeShare, code = share.code) =>
  postJson(overseen.house, "/api/shares/open", { secret: secretOf(share), code });
const callerOf = (answer: Response) => overseen.callerOf((answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "");
const wado = (share: "Quill" | "Ruiz") => {
  const [slice] = overseen.slices[share];
  return `/dicom-web/studies/${slice?.studyUid}/series/${slice?.seriesUid}/instances/${slice?.sopInstanceUid}`;
};
const whole = { accept: "application/dicom; transfer-syntax=*" };
const frames = (caller: Caller, which: "Quill" | "Ruiz") =>
  caller.call("GET", `${wado(which)}/frames/1`, undefined, {
    accept: 'multipart/related; type="application/octet-stream"; transfer-syntax=*',
  });

test("a link holds its secret where no server and no log sees it, and the code is another way's", async () => {
  viewing = await radiologist.json<MadeShare>("POST", "/api/shares", asked({ note: "second opinion" }));
  const { pathname, search } = new URL(viewing.link);
  assert.equal(`${pathname}${search}`, "/");
  assert.match(secretOf(viewing), /^[A-Za-z0-9_-]{43}$/);
  assert.match(viewing.code, /^\d{8}$/);
  assert.deepEqual(
    [viewing.recipient, viewing.note, viewing.madeBy],
    [asked().recipient, "second opinion", "radiologist"],
  );
});

test("with secret and code that study is seen, and nothing else; nothing is taken away", async () => {
  const answer = await open(viewing);
  assert.equal(answer.status, 200);
  const opened = (await answer.json()) as OpenedShare;
  assert.deepEqual([opened.study, opened.mode], [overseen.studies.Quill.token, "view"]);
  guest = callerOf(answer);
  assert.deepEqual(await guest.json<OpenedShare>("GET", "/api/shares/opened"), opened);
  assert.equal((await guest.call("GET", `/api/studies/${opened.study}`)).status, 200);
  const { studies, total } = await guest.json<StudyPage>("GET", "/api/studies");
  assert.deepEqual([studies.map(({ patientName }) => patientName), total], [["Quill^Quentin"], 1]);
  assert.equal((await frames(guest, "Quill")).status, 200);
  assert.equal((await guest.call("GET", wado("Quill"), undefined, whole)).status, 404);
  assert.equal((await frames(guest, "Ruiz")).status, 404);
  assert.equal((await guest.call("GET", `/api/studies/${overseen.studies.Ruiz.token}`)).status, 404);
});

test("the maker sees how often it was opened; who has another reach does not see it at all", async () => {
  const [listed] = await radiologist.json<ShareView[]>("GET", "/api/shares");
  assert.deepEqual([listed?.id, listed?.uses, listed?.isLive, listed?.isOwn], [viewing.id, 1, true, true]);
  const place = { kind: "study", id: overseen.studies.Ruiz.token } as const;
  const other = await overseen.join("other", { place });
  assert.deepEqual(await other.json<ShareView[]>("GET", "/api/shares"), []);
  assert.equal((await other.call("DELETE", `/api/shares/${viewing.id}`)).status, 404);
  assert.equal((await other.call("POST", "/api/shares", asked())).status, 404);
});

test("a wrong code does not open it, an unknown secret looks like nothing, and five wrong codes make it wait", async () => {
  const share = await radiologist.json<MadeShare>("POST", "/api/shares", asked());
  const unknown = await postJson(overseen.house, "/api/shares/open", { secret: "x".repeat(43), code: share.code });
  assert.equal(unknown.status, 404);
  for (let guess = 0; guess < 5; guess++) assert.equal((await open(share, "00000000")).status, 400);
  assert.equal((await open(share)).status, 429);
  assert.equal((await open(viewing)).status, 200, "another link is none the slower");
});

test("a link to download gives whole instances as they were received", async () => {
  const share = await radiologist.json<MadeShare>("POST", "/api/shares", asked({ mode: "download" }));
  const recipient = callerOf(await open(share));
  const answer = await recipient.call("GET", wado("Quill"), undefined, whole);
  assert.equal(answer.status, 200);
  const [slice] = overseen.slices.Quill;
  assert.ok(slice);
  const received = await retrieve(overseen.house, slice);
  const bytes = Buffer.from(await answer.arrayBuffer());
  assert.ok(bytes.subarray(bytes.length - received.length).equals(received));
  assert.equal((await recipient.call("GET", wado("Ruiz"), undefined, whole)).status, 404);
});

test("nobody gives more than they have: the front desk lets others look, not download", async () => {
  const desk = await overseen.join("desk", { role: "front-desk", purpose: "operations" });
  assert.equal((await desk.call("POST", "/api/shares", asked({ mode: "download" }))).status, 409);
  assert.equal((await desk.call("POST", "/api/shares", asked({ days: 31 }))).status, 400);
  const share = await desk.json<MadeShare>("POST", "/api/shares", asked());
  assert.equal((await open(share)).status, 200);
});

test("an ended link is out at once, and is there no more", async () => {
  assert.equal((await radiologist.call("DELETE", `/api/shares/${viewing.id}`)).status, 204);
  assert.equal((await guest.call("GET", `/api/studies/${overseen.studies.Quill.token}`)).status, 401);
  assert.equal((await open(viewing)).status, 404);
  const ended = (await radiologist.json<ShareView[]>("GET", "/api/shares")).find(({ id }) => id === viewing.id);
  assert.deepEqual([ended?.isLive, ended?.endedBy], [false, "radiologist"]);
});

test("links end with the access of who made them", async () => {
  const leaving = await overseen.join("leaving", { role: "radiologist" });
  const share = await leaving.json<MadeShare>("POST", "/api/shares", asked());
  const outside = callerOf(await open(share));
  overseen.house.command(["user", "remove", "leaving"]);
  assert.equal((await open(share)).status, 404);
  assert.equal((await outside.call("GET", `/api/studies/${overseen.studies.Quill.token}`)).status, 401);
});

test("each use is in the log, by its token", async () => {
  const entries = await wholeLog(overseen.house);
  const uses = entries.filter(({ act, on }) => act === "session.begin" && on?.id === viewing.id);
  assert.deepEqual(
    uses.map(({ actor, outcome }) => [actor, outcome]),
    [
      [`share:${viewing.id}`, "done"],
      [`share:${viewing.id}`, "done"],
    ],
  );
  assert.ok(entries.some(({ act, actor }) => act === "study.view" && actor === `share:${viewing.id}`));
  assert.doesNotMatch(JSON.stringify(entries), /Outside|Elsewhere/);
});
