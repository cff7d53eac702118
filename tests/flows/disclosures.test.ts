import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { DisclosureReport, LooksPage, MadeShare } from "#formats/api";
import { type Caller, type OverseenHouse, openOverseenHouse } from "./overseen-house.fixture.ts";
import { postJson } from "./second-person.fixture.ts";

/*
 * Who looked, on a real server: the tests follow on each other.
 */
let overseen: OverseenHouse;
let radiologist: Caller;
let study = "";
let patient = "";

before(async () => {
  overseen = await openOverseenHouse();
  study = overseen.studies.Quill.token;
  radiologist = await overseen.join("=rad@example.org", { role: "radiologist" });
  const referrer = await overseen.join("referrer", {
    role: "referrer",
    place: { kind: "study", id: overseen.studies.Ruiz.token },
  });
  await radiologist.json("GET", `/api/studies/${study}`);
  await radiologist.json("GET", `/api/studies/${study}`);
  await radiologist.json("GET", "/api/studies");
  const reason = "trauma, earlier scan needed at once";
  ({ patient } = await referrer.json<{ patient: string }>("POST", "/api/break-glass", {
    patientId: "QQ-4711",
    reason,
  }));
  await referrer.json("GET", `/api/studies/${study}`);
  const share = await radiologist.json<MadeShare>("POST", "/api/shares", {
    ...{ study, mode: "view", days: 1, recipient: 'Dr. "Out", Elsewhere', purpose: "patient-request" },
  });
  const secret = new URL(share.link).hash.replace("#share=", "");
  const opened = await postJson(overseen.house, "/api/shares/open", { secret, code: share.code });
  await overseen
    .callerOf((opened.headers.get("set-cookie") ?? "").split(";")[0] ?? "")
    .json("GET", `/api/studies/${study}`);
});
after(() => overseen?.house.remove());

test("staff see who looked at a study, what they did and what for, newest first and page by page", async () => {
  const { looks } = await radiologist.json<LooksPage>("GET", `/api/studies/${study}/looks`);
  const told = looks.map(({ actorName, what, purpose }) => `${actorName} ${what} ${purpose}`);
  assert.deepEqual(told.slice(0, 3), [
    'Dr. "Out", Elsewhere viewed patient-request',
    "=rad@example.org shared treatment",
    "referrer viewed break-glass",
  ]);
  assert.ok(told.includes("=rad@example.org listed treatment"));
  assert.equal(told.filter((line) => line === "=rad@example.org viewed treatment").length, 2);
  const paged: (typeof looks)[number][] = [];
  for (let before: number | undefined; ; ) {
    const page = await radiologist.json<LooksPage>(
      "GET",
      `/api/studies/${study}/looks?limit=3${before === undefined ? "" : `&before=${before}`}`,
    );
    paged.push(...page.looks);
    if (page.next === undefined) break;
    before = page.next;
  }
  const seen = new Set(looks.map(({ index }) => index));
  assert.deepEqual(
    paged.map(({ index }) => index).filter((index) => seen.has(index)),
    [...seen],
  );
});

test("who may not ask gets what is not there: another patient, a referrer, a guest", async () => {
  const other = await overseen.join("other", {
    role: "patient",
    purpose: "patient-request",
    place: { kind: "study", id: overseen.studies.Ruiz.token },
  });
  assert.equal((await other.call("GET", `/api/studies/${study}/looks`)).status, 404);
  assert.equal((await other.call("GET", `/api/patients/${patient}/disclosures`)).status, 404);
  assert.equal((await radiologist.call("GET", `/api/patients/${"0".repeat(32)}/disclosures`)).status, 404);
  assert.equal((await other.call("GET", `/api/patients/${"0".repeat(32)}/disclosures`)).status, 404);
});

test("the patient gets an accounting in plain words, a line for what one did on one day for one purpose", async () => {
  const quill = await overseen.join("quill", {
    role: "patient",
    purpose: "patient-request",
    place: { kind: "patient", id: patient },
  });
  const report = await quill.json<DisclosureReport>("GET", `/api/patients/${patient}/disclosures`);
  const lines = report.disclosures.map(({ who, description, purposeDescription, count }) =>
    [who, description, purposeDescription, count].join(" · "),
  );
  for (const line of [
    "=rad@example.org · looked at the images · treatment · 2",
    "referrer · opened the record in an emergency · treatment · 1",
    "referrer · looked at the images · an emergency · 1",
    "=rad@example.org · gave somebody outside a link to the images · treatment · 1",
    'Dr. "Out", Elsewhere · looked at the images · at the patient\'s request · 1',
  ]) {
    assert.ok(lines.includes(line), `${line} in\n${lines.join("\n")}`);
  }
  const others = await quill.json<DisclosureReport>("GET", `/api/patients/${patient}/disclosures?excluding=tpo`);
  assert.ok(others.disclosures.length > 0);
  assert.ok(others.disclosures.every(({ purpose }) => !["treatment", "payment", "operations"].includes(purpose)));
  const none = await quill.json<DisclosureReport>("GET", `/api/patients/${patient}/disclosures?from=0&to=1000`);
  assert.deepEqual(none.disclosures, []);
});

test("as a table for a spreadsheet no cell is a formula", async () => {
  const answer = await radiologist.call("GET", `/api/patients/${patient}/disclosures`, undefined, {
    accept: "text/csv",
  });
  assert.match(answer.headers.get("content-type") ?? "", /^text\/csv/);
  const text = await answer.text();
  assert.match(text, /^first,last,times,who,what,purpose,studies\r\n/);
  assert.match(text, /,'=rad@example\.org,looked at the images,/);
  assert.match(text, /,"Dr\. ""Out"", Elsewhere",/);
});
