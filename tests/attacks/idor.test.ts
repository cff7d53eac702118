import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type KnownStudy, north, openReachingHouse, type ReachingHouse } from "./reaching.fixture.ts";

let house: ReachingHouse;
before(async () => {
  house = await openReachingHouse();
});
after(() => house.close());

type Ids = Pick<KnownStudy, "token" | "studyUid" | "seriesUid" | "sopUid">;

/** Looks like ours, and is nobody's. */
const nobody: Ids = {
  token: "0".repeat(32),
  studyUid: "1.2.826.0.1.3680043.10.1561.13.77",
  seriesUid: "1.2.826.0.1.3680043.10.1561.13.77.1",
  sopUid: "1.2.826.0.1.3680043.10.1561.13.77.9.1",
};

/** What each narrow grant lets its holder reach of the three studies. */
function callers(): {
  readonly name: string;
  readonly what: string;
  readonly sees: readonly (keyof typeof house.studies)[];
}[] {
  const { own, other } = house.studies;
  return [
    { what: "study", name: house.grant("referrer", { kind: "study", id: own.token }), sees: ["own"] },
    {
      what: "patient",
      name: house.grant("patient", { kind: "patient", id: other.facts.patient }),
      sees: ["other", "sibling"],
    },
    { what: "facility", name: house.grant("technologist", { kind: "facility", id: north }), sees: ["own", "sibling"] },
    { what: "order", name: house.grant("referrer", { kind: "order", id: own.facts.order }), sees: ["own"] },
  ];
}

const reason = { code: "CORRECT", text: "x" };
/** Routes that name a study in their body. */
const bodies: Readonly<Record<string, (ids: Ids) => object>> = {
  "POST /api/corrections/study": ({ token }) => ({ study: token, changes: { StudyDescription: "X" }, reason }),
  "POST /api/corrections/move": ({ token }) => ({ study: token, to: { PatientID: "P1" }, reason }),
  "POST /api/exports/study": ({ token }) => ({ study: token, received: true }),
  "POST /api/exports": ({ token }) => ({ studies: [token], by: "study", received: true }),
  "POST /api/vault/shred": ({ token }) => ({ study: token, wholePatient: false }),
  "POST /api/vault/holds": ({ token }) => ({ study: token, release: false }),
};

/** Every way to ask for one study: by its path or its body. */
function requestsFor(ids: Ids) {
  const inPath = house.routes.filter(
    (route) => /:(study|token)\b/.test(route) && !/^(OPTIONS|POST \/dicom-web.*(?<!:code)$)/.test(route),
  );
  const paths = inPath.map((route) => {
    const [method = "GET", path = ""] = route.split(" ");
    const url = path
      .replace(":study", ids.studyUid)
      .replace(":series", ids.seriesUid)
      .replace(":instance", ids.sopUid)
      .replace(":frames", "1")
      .replace(":code", "113001^DCM")
      .replace("*", "7FE00010")
      .replace(":token", ids.token);
    return { route, method: method as "GET", url, payload: undefined };
  });
  const posts = Object.entries(bodies).map(([route, bodyOf]) => {
    const [method = "", url = ""] = route.split(" ");
    return { route, method: method as "POST", url, payload: bodyOf(ids) };
  });
  return [...paths, ...posts];
}

async function ask(name: string, { method, url, payload }: Omit<ReturnType<typeof requestsFor>[number], "route">) {
  const answer = await house.server.inject({
    method,
    url,
    headers: { "x-actor": name },
    ...(payload !== undefined && { payload }),
  });
  const { date: _date, ...headers } = answer.headers;
  return { status: answer.statusCode, headers, body: answer.rawPayload };
}

test("attack 88: a study outside the caller's reach answers, by whatever route it is asked for, as one that is not there", async () => {
  assert.ok(Object.keys(bodies).every((route) => house.routes.includes(route)));
  for (const { name, what, sees } of callers()) {
    for (const [study, ids] of Object.entries(house.studies)) {
      if (sees.includes(study as "own")) continue;
      const absent = requestsFor(nobody);
      for (const [at, request] of requestsFor(ids).entries()) {
        const [refused, expected] = [await ask(name, request), await ask(name, absent[at] ?? request)];
        const isSearch = /\/(series|instances)$/.test(request.url);
        assert.equal(refused.status, isSearch ? 200 : 404, `${what}: ${request.route}`);
        assert.deepEqual(refused, expected, `${what}: ${request.route}`);
        assert.ok(!refused.body.includes(ids.studyUid) && !refused.body.includes(ids.token));
        if (isSearch) assert.equal(refused.body.toString(), request.method === "GET" ? "[]" : "");
      }
    }
  }
});

test("attack 88: what lies in reach is served by the same routes, so that a refusal above is one", async () => {
  // What is rejected is for who may reject.
  const reads = /^(GET|HEAD) (\/dicom-web(?!.*\/rejected$)|\/api\/studies\/:token(\/corrections)?$)/;
  for (const { name, what, sees } of callers()) {
    for (const study of sees) {
      for (const request of requestsFor(house.studies[study]).filter(({ route }) => reads.test(route))) {
        assert.equal((await ask(name, request)).status, 200, `${what}: ${request.route}`);
      }
    }
  }
});

test("attack 88: a refusal stands in the log, each like the other", async () => {
  const fresh = await openReachingHouse();
  const { own, other } = fresh.studies;
  const name = fresh.grant("referrer", { kind: "study", id: own.token });
  const from = fresh.entries.length;
  for (const { studyUid } of [other, nobody]) {
    await fresh.server.inject({ url: `/dicom-web/studies/${studyUid}`, headers: { "x-actor": name } });
  }
  const logged = fresh.entries.slice(from).map(({ actor, act, outcome }) => `${actor} ${act} ${outcome}`);
  assert.deepEqual(logged, Array(2).fill(`user:${name} study.read refused`));
  await fresh.close();
});

test("attack 88: in the path of a study that one may see, series and instances of another are not there", async () => {
  const { own, other } = house.studies;
  for (const { name, sees } of callers().filter(
    (caller) => caller.sees.includes("own") && !caller.sees.includes("other"),
  )) {
    assert.ok(sees.includes("own"));
    for (const mixed of [
      { ...own, seriesUid: other.seriesUid, sopUid: other.sopUid },
      { ...own, sopUid: other.sopUid },
      { ...own, seriesUid: other.seriesUid },
    ]) {
      const absent = { ...own, seriesUid: mixed.seriesUid === own.seriesUid ? own.seriesUid : nobody.seriesUid };
      const absentIds = { ...absent, sopUid: mixed.sopUid === own.sopUid ? own.sopUid : nobody.sopUid };
      const expected = requestsFor(absentIds);
      for (const [at, request] of requestsFor(mixed).entries()) {
        if (!/^(GET|HEAD) .*:series/.test(request.route)) continue;
        if (mixed.seriesUid === own.seriesUid && !request.route.includes(":instance")) continue;
        const answer = await ask(name, request);
        assert.deepEqual(answer, await ask(name, expected[at] ?? request), request.route);
        assert.ok(answer.status === 404 || answer.body.toString() === "[]" || answer.body.length === 0, request.route);
      }
    }
  }
});

const uidsIn = (body: string, tag: string) =>
  (JSON.parse(body) as Record<string, { Value: string[] }>[]).map((row) => row[tag]?.Value[0]);

test("attack 88: lists, pages and counts hold what a read would give, and nothing asks them for more", async () => {
  for (const { name, what, sees } of callers()) {
    const uids = sees.map((study) => house.studies[study].studyUid).sort();
    const get = async (url: string) => (await ask(name, { method: "GET", url, payload: undefined })).body.toString();
    for (const level of ["studies", "series", "instances"]) {
      const perStudy = level === "instances" ? 2 : 1;
      const found = uidsIn(await get(`/dicom-web/${level}?includefield=all`), "0020000D");
      assert.deepEqual([...new Set(found)].sort(), uids, `${what}: ${level}`);
      assert.equal(found.length, uids.length * perStudy);
      const pages: unknown[] = [];
      for (let offset = 0; offset < 8; offset++) {
        const page = (await get(`/dicom-web/${level}?limit=1&offset=${offset}&includefield=0020000D`)) || "[]";
        pages.push(...uidsIn(page, "0020000D"));
      }
      assert.deepEqual(pages, found);
      for (const { studyUid } of Object.values(house.studies).filter((study) => !uids.includes(study.studyUid))) {
        assert.equal((await get(`/dicom-web/${level}?StudyInstanceUID=${studyUid}`)) || "[]", "[]");
      }
      // What a grant is compared with is no keyword: naming it is naming nothing.
      for (const key of ["lies%20in/facility", "LeadglassFacility", "facility", "lies"]) {
        assert.equal(
          uidsIn(await get(`/dicom-web/${level}?${key}=${house.studies.other.facts.facility}`), "0020000D").length,
          found.length,
        );
      }
    }
    const list = JSON.parse(await get("/api/studies")) as { studies: { token: string }[]; total: number };
    assert.deepEqual(
      list.studies.map(({ token }) => token).sort(),
      sees.map((study) => house.studies[study].token).sort(),
    );
    assert.equal(list.total, sees.length);
    for (const [study, { token }] of Object.entries(house.studies)) {
      const payload = { search: `name ${study}` };
      const answer = await ask(name, { method: "POST", url: "/api/studies/search", payload });
      const { total } = JSON.parse(answer.body.toString()) as { total: number };
      assert.equal(total, sees.includes(study as "own") ? 1 : 0, token);
    }
  }
});

test("attack 88: whoever may only reach one study stores nothing, in it or elsewhere", async () => {
  const [caller] = callers();
  for (const { studyUid } of [house.studies.own, house.studies.other]) {
    const answer = await house.server.inject({
      method: "POST",
      url: `/dicom-web/studies/${studyUid}`,
      headers: { "x-actor": caller?.name ?? "", "content-type": "application/dicom" },
      payload: Buffer.from("no file"),
    });
    assert.notEqual(answer.statusCode, 200);
  }
});

test("attack 88: whose study it is is not moved by who may correct one study", async () => {
  const name = house.grant("front-desk", { kind: "study", id: house.studies.own.token });
  const correct = (changes: Record<string, string>) =>
    ask(name, {
      method: "POST",
      url: "/api/corrections/study",
      payload: { study: house.studies.own.token, changes, reason },
    });
  for (const changes of [{ PatientID: "P2" }, { PatientName: "X", IssuerOfPatientID: "Y" }]) {
    assert.equal((await correct(changes)).status, 404);
  }
  assert.equal((await correct({ StudyDescription: "Knee" })).status, 200);
});

test("where a study lies is told to who gives grants, in the ids that grants name", async () => {
  const { own } = house.studies;
  const get = async (headers: Record<string, string>, token = own.token) =>
    house.server.inject({ url: `/api/studies/${token}/places`, headers });
  assert.deepEqual((await get({})).json(), own.facts);
  const administrator = house.grant("administrator", { kind: "tenant" });
  assert.deepEqual((await get({ "x-actor": administrator })).json(), own.facts);
  assert.equal((await get({}, nobody.token)).statusCode, 404);
  const radiologist = house.grant("radiologist", { kind: "tenant" });
  assert.equal((await get({ "x-actor": radiologist })).statusCode, 404);
});
