// Row 90 of the attack table, links for somebody outside: guessed, used again, and used for more than they give.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { MadeShare } from "#formats/api";
import { type Caller, type OverseenHouse, overseenHouse } from "../flows/overseen-house.fixture.ts";
import { postJson } from "../flows/second-person.fixture.ts";
import { type AttackedHouse, startAttackedHouse } from "./attacked-house.fixture.ts";

let overseen: OverseenHouse<AttackedHouse>;
let maker: Caller;

before(async () => {
  overseen = await overseenHouse(await startAttackedHouse());
  maker = await overseen.join("maker", { role: "radiologist" });
});
after(() => overseen?.house.remove());

const made = (mode: "view" | "download" = "view") =>
  maker.json<MadeShare>("POST", "/api/shares", {
    ...{ study: overseen.studies.Quill.token, mode, days: 1, recipient: "elsewhere" },
  });
const secretOf = ({ link }: MadeShare) => new URL(link).hash.replace("#share=", "");
const open = (secret: string, code: string) => postJson(overseen.house, "/api/shares/open", { secret, code });
async function enter(share: MadeShare): Promise<Caller> {
  const answer = await open(secretOf(share), share.code);
  assert.equal(answer.status, 200);
  return overseen.callerOf((answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "");
}

test("attack 90: secrets are not guessed: near ones, old ones and none all look alike, and stop nobody", async () => {
  const share = await made();
  const secret = secretOf(share);
  const flipped = `${secret.slice(0, -1)}${secret.endsWith("A") ? "B" : "A"}`;
  const answers: string[] = [];
  await overseen.house.under({}, async () => {
    for (const guess of [flipped, secret.toUpperCase(), `${secret}A`, secret.slice(1), "", "null", share.id]) {
      const answer = await open(guess, share.code);
      answers.push(`${answer.status} ${await answer.text()}`);
    }
    for (let more = 0; more < 40; more++) answers.push(`${(await open(flipped, share.code)).status}`);
  });
  assert.deepEqual([...new Set(answers.slice(0, 7))].length, 1, answers.join("\n"));
  assert.match(answers[0] ?? "", /^404 /);
  assert.ok(answers.slice(7).every((status) => status === "404"));
  await enter(share);
});

test("attack 90: codes are not guessed by who has the link alone, not even many at once", async () => {
  const share = await made();
  const guesses = await Promise.all(
    Array.from(
      { length: 40 },
      async (_, guess) => (await open(secretOf(share), String(guess).padStart(8, "0"))).status,
    ),
  );
  assert.ok(guesses.filter((status) => status === 400).length <= 5, `${guesses}`);
  assert.ok(guesses.every((status) => status === 400 || status === 429));
});

test("attack 90: an ended link opens nothing again, by its secret, its code or the cookie that it gave", async () => {
  const share = await made("download");
  const outside = await enter(share);
  assert.equal((await maker.call("DELETE", `/api/shares/${share.id}`)).status, 204);
  assert.equal((await open(secretOf(share), share.code)).status, 404);
  for (const path of ["/api/session", "/api/shares/opened", "/api/studies", "/dicom-web/studies"])
    assert.equal((await outside.call("GET", path)).status, 401, path);
  assert.equal((await maker.call("DELETE", `/api/shares/${share.id}`)).status, 404);
});

test("attack 90: a guest gets one study and nothing else, by any route there is", async () => {
  const guests = [await enter(await made()), await enter(await made("download"))];
  const other = overseen.studies.Ruiz;
  const [slice] = overseen.slices.Ruiz;
  const uids: Readonly<Record<string, string>> = {
    ":study": other.studyUid,
    ":series": slice?.seriesUid ?? "",
    ":instance": slice?.sopInstanceUid ?? "",
    ":frames": "1",
  };
  const pathOf = (url: string) =>
    url.replace(/:[A-Za-z]+(\([^)]*\))?/g, (name) => uids[name.replace(/\(.*/, "")] ?? other.token).replace("*", "x");
  // What is a guest's own: the session, and lists in which nothing but the one study stands.
  const own =
    /^(GET \/api\/(session|sessions|studies|shares\/opened)|POST \/api\/(session\/again\/options|studies\/search)|GET \/dicom-web\/(studies|series|instances))$/;
  const isEmptyList = (text: string) => text === "" || text === "[]";
  // Long work answers before it asks the gate; what it then says is that there is nothing.
  const isRefusedLater = (text: string) => text.startsWith('{"problem":{"code":"denied"');
  const seen: string[] = [];
  let walked = 0;
  for (const guest of guests) {
    for (const { method, url, isAnonymous } of await overseen.house.routes()) {
      if (isAnonymous || method === "HEAD" || method === "OPTIONS") continue;
      // The stream of events does not end; it tells a guest of nothing but the end of the link.
      if (url === "/api/events") continue;
      // Ends the session that the walk goes on with.
      if (method === "DELETE" && /^\/api\/sessions?$/.test(url)) continue;
      const body = method === "GET" ? undefined : { study: other.token, token: other.token, patientId: "RR-0815" };
      const answer = await guest.call(method, pathOf(url), body);
      const text = await answer.text();
      assert.doesNotMatch(text, /Ruiz|RR-0815|19810304/, `${method} ${url}`);
      assert.ok(!text.includes(other.studyUid) || answer.status >= 400, `${method} ${url}`);
      const isNothing = answer.status >= 400 || isEmptyList(text) || isRefusedLater(text);
      if (!isNothing && !own.test(`${method} ${url}`))
        seen.push(`${method} ${url} ${answer.status} ${text.slice(0, 80)}`);
      walked++;
    }
  }
  assert.ok(walked > 150, `${walked} routes`);
  assert.deepEqual(seen, []);
});

test("attack 90: a guest makes no link, no look in an emergency and no token out of what they have", async () => {
  const guest = await enter(await made());
  const study = overseen.studies.Quill.token;
  for (const [path, body] of [
    ["/api/shares", { study, mode: "view", days: 30, recipient: "me" }],
    ["/api/break-glass", { patientId: "RR-0815", reason: "unconscious in the emergency room" }],
    [
      "/api/grants",
      { name: "maker", role: "administrator", place: { kind: "tenant" }, purpose: "operations", endsAt: 0 },
    ],
    ["/api/exports/study", { study, received: true }],
    ["/api/tokens", { client: "me", minutes: 60 }],
  ] as const) {
    assert.equal((await guest.call("POST", path, body)).status, 404, path);
  }
  assert.equal((await guest.call("GET", `/api/studies/${study}/looks`)).status, 404);
});
