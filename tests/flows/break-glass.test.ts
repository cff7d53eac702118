import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { BrokenGlass, BrokenGlassView, ReviewPage, ReviewView, StudyPage } from "#formats/api";
import { wholeLog } from "./modality.fixture.ts";
import { type Caller, eventually, type OverseenHouse, openOverseenHouse } from "./overseen-house.fixture.ts";

/*
 * A look in an emergency, on a real server: the tests follow on each other.
 */
let overseen: OverseenHouse;
let doctor: Caller;
let broken: BrokenGlass;
const reason = "unconscious in the emergency room, earlier head scan needed";

before(async () => {
  overseen = await openOverseenHouse();
  const place = { kind: "study", id: overseen.studies.Quill.token } as const;
  doctor = await overseen.join("doctor", { role: "referrer", place });
});
after(() => overseen?.house.remove());

const namesSeen = async (caller: Caller) =>
  (await caller.json<StudyPage>("GET", "/api/studies")).studies.map(({ patientName }) => patientName);

test("who has no grant for a patient sees nothing of them, and in an emergency opens this one patient for an hour", async () => {
  assert.deepEqual(await namesSeen(doctor), ["Quill^Quentin"]);
  assert.equal((await doctor.call("GET", `/api/studies/${overseen.studies.Ruiz.token}`)).status, 404);
  broken = await doctor.json("POST", "/api/break-glass", { patientId: "RR-0815", reason });
  const minutes = (broken.endsAt - Date.now()) / 60_000;
  assert.ok(minutes > 58 && minutes <= 60, `${minutes} minutes`);
  assert.deepEqual((await namesSeen(doctor)).sort(), ["Quill^Quentin", "Ruiz^Rosa"]);
  assert.equal((await doctor.call("GET", `/api/studies/${overseen.studies.Ruiz.token}`)).status, 200);
});

test("those who review are told at once, with who, whom and why; the log has it without the reason", async () => {
  const { reviews } = await overseen.administrator.json<ReviewPage>("GET", "/api/reviews?state=open");
  const [review] = reviews;
  assert.ok(review);
  assert.deepEqual(
    [review.kind, review.actorName, review.patient, review.count, review.reasons],
    ["break-glass", "doctor", broken.patient, 1, [reason]],
  );
  const entries = await wholeLog(overseen.house);
  const entry = entries.find(({ act }) => act === "glass.break");
  assert.deepEqual(entry?.on, { kind: "patient", id: broken.patient });
  assert.doesNotMatch(JSON.stringify(entries), /unconscious|RR-0815/);
  const [held] = await overseen.administrator.json<BrokenGlassView[]>("GET", "/api/break-glass");
  assert.deepEqual([held?.id, held?.by, held?.isOwn], [broken.id, "doctor", false]);
});

test("a second administrator or auditor judges it, once, and not who did it", async () => {
  const { reviews } = await overseen.administrator.json<ReviewPage>("GET", "/api/reviews");
  const path = `/api/reviews/${reviews[0]?.id}`;
  assert.equal((await doctor.call("POST", path, { outcome: "justified" })).status, 404);
  const decided = await overseen.administrator.json<ReviewView>("POST", path, {
    outcome: "justified",
    note: "the emergency room called",
  });
  assert.deepEqual([decided.state, decided.reviewer, decided.note], ["decided", "ada", "the emergency room called"]);
  assert.equal((await overseen.administrator.call("POST", path, { outcome: "not-justified" })).status, 409);
  assert.deepEqual((await overseen.administrator.json<ReviewPage>("GET", "/api/reviews?state=open")).reviews, []);
});

test("ended by oneself it is over at once", async () => {
  assert.equal((await doctor.call("DELETE", `/api/break-glass/${broken.id}`)).status, 204);
  assert.equal((await doctor.call("GET", `/api/studies/${overseen.studies.Ruiz.token}`)).status, 404);
  assert.deepEqual(await namesSeen(doctor), ["Quill^Quentin"]);
  assert.equal((await doctor.call("DELETE", `/api/break-glass/${broken.id}`)).status, 404);
});

test("an accession number opens its patient too; ended by an administrator it is over", async () => {
  const again = await doctor.json<BrokenGlass>("POST", "/api/break-glass", { accessionNumber: "A-91", reason });
  assert.equal(again.patient, broken.patient);
  assert.equal((await overseen.administrator.call("DELETE", `/api/break-glass/${again.id}`)).status, 204);
  assert.equal((await doctor.call("GET", `/api/studies/${overseen.studies.Ruiz.token}`)).status, 404);
  const open = await eventually(async () => {
    const { reviews } = await overseen.administrator.json<ReviewPage>("GET", "/api/reviews?state=open");
    return reviews.length === 1 && reviews[0];
  }, "a review of the second look");
  assert.equal(open.kind, "break-glass");
});

test("a patient who is within reach needs no emergency", async () => {
  const place = { kind: "patient", id: broken.patient } as const;
  const own = await overseen.join("own", { place });
  const answer = await own.call("POST", "/api/break-glass", { patientId: "RR-0815", reason });
  assert.equal(answer.status, 409);
});
