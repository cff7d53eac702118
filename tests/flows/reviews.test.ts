import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { MarkedPatientView, ReviewPage, ReviewView } from "#formats/api";
import { type Caller, eventually, type OverseenHouse, openOverseenHouse } from "./overseen-house.fixture.ts";

/*
 * What is unusual is noticed where identity is opened, on a real server: the tests follow on each other.
 */
let overseen: OverseenHouse;

before(async () => {
  overseen = await openOverseenHouse();
});
after(() => overseen?.house.remove());

const queue = async (caller: Caller = overseen.administrator): Promise<readonly ReviewView[]> =>
  (await caller.json<ReviewPage>("GET", "/api/reviews?state=open")).reviews;
const seen = async (kind: ReviewView["kind"], actorName: string) =>
  eventually(
    async () => (await queue()).find((one) => one.kind === kind && one.actorName === actorName),
    `${kind} of ${actorName}`,
  );
const look = (caller: Caller, which: "Quill" | "Ruiz") =>
  caller.json("GET", `/api/studies/${overseen.studies[which].token}`);

test("who looks at a patient of their own family name is noticed, however the name is written, and a list is not a look", async () => {
  const relative = await overseen.join("relative", { role: "radiologist" });
  await look(relative, "Ruiz");
  await overseen.administrator.call("PUT", "/api/accounts/facts", {
    account: "relative",
    fullName: "RÚIZ-Meyer^Ramón",
  });
  await relative.json("GET", "/api/studies");
  await look(relative, "Quill");
  assert.deepEqual(await queue(), []);
  await look(relative, "Ruiz");
  await look(relative, "Ruiz");
  const review = await seen("same-surname", "relative");
  assert.deepEqual([review.study, review.count, review.state], [overseen.studies.Ruiz.token, 1, "open"]);
});

test("who looks at themselves is noticed as that, by name and birth date", async () => {
  const self = await overseen.join("self", { role: "radiologist" });
  const facts = { account: "self", fullName: "Quill^Quentin", birthDate: "19700102" };
  assert.equal((await overseen.administrator.call("PUT", "/api/accounts/facts", facts)).status, 204);
  await look(self, "Quill");
  await seen("own-record", "self");
  assert.equal(
    (await queue()).some(({ kind, actorName }) => kind === "same-surname" && actorName === "self"),
    false,
  );
});

test("each look at a patient that an administrator marked is noticed, until it is not marked any more", async () => {
  const marked = await overseen.administrator.json<MarkedPatientView>("POST", "/api/marked-patients", {
    patientId: "QQ-4711",
    reason: "works here",
  });
  const other = await overseen.join("other", { role: "technologist" });
  await look(other, "Quill");
  const review = await seen("vip", "other");
  assert.equal(review.patient, marked.patient);
  const listed = await overseen.administrator.json<MarkedPatientView[]>("GET", "/api/marked-patients");
  assert.deepEqual([listed[0]?.reason, listed[0]?.markedBy], ["works here", "ada"]);
  assert.equal((await other.call("GET", "/api/marked-patients")).status, 404);
  assert.equal((await overseen.administrator.call("DELETE", `/api/marked-patients/${marked.patient}`)).status, 204);
  await look(other, "Quill");
  await look(other, "Quill");
  assert.equal((await seen("vip", "other")).count, 1);
});

test("an auditor sees the queue and decides; who is reviewed does not, though an administrator", async () => {
  const auditor = await overseen.join("auditor", { role: "auditor", purpose: "operations" });
  const both = await overseen.join("both", { role: "administrator" }, { role: "radiologist" });
  const facts = { account: "both", fullName: "Quill^Bo" };
  await overseen.administrator.call("PUT", "/api/accounts/facts", facts);
  await look(both, "Quill");
  const review = await seen("same-surname", "both");
  const path = `/api/reviews/${review.id}`;
  assert.equal((await both.call("POST", path, { outcome: "justified" })).status, 409);
  const decided = await auditor.json<ReviewView>("POST", path, { outcome: "needs-follow-up", note: "ask them" });
  assert.deepEqual([decided.reviewer, decided.outcome, decided.note], ["auditor", "needs-follow-up", "ask them"]);
  assert.equal(
    (await queue(auditor)).some(({ id }) => id === review.id),
    false,
  );
});

test("a stream tells who reviews that something waits, and nobody else", async () => {
  const streams = await Promise.all(
    [overseen.administrator, await overseen.join("reader", { role: "radiologist" })].map(async (caller) => {
      const answer = await caller.call("GET", "/api/events");
      let told = "";
      const decoder = new TextDecoder();
      const reading = (async () => {
        for await (const piece of answer.body as AsyncIterable<Uint8Array>) told += decoder.decode(piece);
      })().catch(() => {});
      return { told: () => told, end: () => answer.body?.cancel().catch(() => {}), reading };
    }),
  );
  const self = await overseen.join("again", { role: "radiologist" });
  const facts = { account: "again", fullName: "Ruiz^Al" };
  await overseen.administrator.call("PUT", "/api/accounts/facts", facts);
  await look(self, "Ruiz");
  await eventually(async () => streams[0]?.told().includes('{"type":"alarm","kind":"same-surname"}'), "an alarm");
  assert.doesNotMatch(streams[1]?.told() ?? "", /alarm/);
  for (const { end } of streams) end();
});
