import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { DisclosureReport, LooksPage, MadeShare } from "#formats/api";
import { eventually, type OverseenHouse, openOverseenHouse } from "./overseen-house.fixture.ts";
import { postJson } from "./second-person.fixture.ts";

/*
 * Links, reviews and who looked, as the owner of the home asks for them: the tests follow on each other.
 */
let overseen: OverseenHouse;
let study = "";
before(async () => {
  overseen = await openOverseenHouse({ LEADGLASS_USUAL_HOURS: "0-24" });
  study = overseen.studies.Quill.token;
});
after(() => overseen?.house.remove());

test("a link is made, opened, listed and ended", async () => {
  const { house } = overseen;
  assert.equal(house.tryCommand(["share", "add", study]).status, 2);
  const made = JSON.parse(
    house.command(["share", "add", study, "--for", "Dr. Out", "--days", "2", "--json"]),
  ) as MadeShare;
  const opened = () =>
    postJson(house, "/api/shares/open", { secret: new URL(made.link).hash.replace("#share=", ""), code: made.code });
  assert.equal((await opened()).status, 200);
  assert.match(house.command(["share", "list", study]), /opened 1, .*Dr\. Out \(by the console\)/);
  assert.equal(house.command(["share", "end", made.id]), "ended");
  assert.equal((await opened()).status, 404);
  assert.match(house.command(["share", "list"]), /ENDED/);
  assert.match(house.tryCommand(["share", "end", made.id]).stderr, /not found/);
});

test("a patient is marked, a person described, and what comes of it is listed", async () => {
  const { house } = overseen;
  const marked = house.command(["patient", "mark", "QQ-4711", "--reason", "works here"]).replace("marked: ", "");
  assert.match(house.command(["patient", "marked"]), /the console {2}works here/);
  assert.equal(house.tryCommand(["patient", "mark", "nobody", "--reason", "x"]).status, 1);
  house.command(["user", "describe", "ada", "--full-name", "Quill^Ada"]);
  await overseen.administrator.json("GET", `/api/studies/${study}`);
  await eventually(async () => /vip .*ada/.test(house.command(["review", "list"])), "a review");
  assert.match(house.command(["review", "list"]), /same-surname {2}ada/);
  assert.equal(house.command(["review", "list", "--decided"]), "nothing waits");
  house.command(["patient", "unmark", marked]);
  assert.equal(house.command(["patient", "marked"]), "none");
});

test("who looked is told of a study and of a patient", () => {
  const { house } = overseen;
  const { looks } = JSON.parse(house.command(["study", "looks", study, "--json"])) as LooksPage;
  assert.ok(looks.some(({ actorName, what }) => actorName === "ada" && what === "viewed"));
  assert.match(house.command(["study", "looks", study]), /viewed {7}ada {2}treatment/);
  const places = JSON.parse(house.command(["study", "places", study, "--json"])) as { patient: string };
  const report = JSON.parse(
    house.command(["patient", "disclosures", places.patient, "--excluding-tpo", "--json"]),
  ) as DisclosureReport;
  assert.deepEqual([report.isExcludingTpo, report.disclosures], [true, []]);
  assert.match(house.command(["patient", "disclosures", places.patient]), /ada looked at the images \(treatment\)/);
  assert.equal(house.tryCommand(["study", "looks", "0".repeat(32)]).status, 1);
});
