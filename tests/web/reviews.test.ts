import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import type { StudyDetail } from "#formats/api";
import { type Caller, type OverseenHouse, openOverseenHouse } from "../flows/overseen-house.fixture.ts";
import { type Browser, noBrowser, openBrowser, siteOf } from "./browser.fixture.ts";
import { assertReachableEverywhere, enterAs } from "./oversight.fixture.ts";
import { assertReachable } from "./reach.fixture.ts";

/*
 * A look in an emergency, judged by somebody else, and told to the patient: the tests follow on each other.
 */
let overseen: OverseenHouse;
let [radiologist, patient]: Caller[] = [];
let [doctors, adas]: Browser[] = [];
const skip = noBrowser;
const reason = "unconscious in the emergency room, earlier scan needed";

const there = <T>(value: T | undefined): T => value ?? assert.fail("not there");
const site = () => siteOf(overseen.house);

before(async () => {
  if (noBrowser !== false) return;
  overseen = await openOverseenHouse();
  const place = { kind: "study", id: overseen.studies.Quill.token } as const;
  const doctor = await overseen.join("doctor", { role: "referrer", place });
  radiologist = await overseen.join("rita", { role: "radiologist" });
  const { patientToken } = await radiologist.json<StudyDetail>("GET", `/api/studies/${overseen.studies.Ruiz.token}`);
  const own = { kind: "patient", id: patientToken } as const;
  patient = await overseen.join("rosa", { role: "patient", place: own, purpose: "patient-request" });
  [doctors, adas] = [await openBrowser(), await openBrowser({ scheme: "dark" })];
  await enterAs(doctors, overseen, doctor);
  await enterAs(adas, overseen, overseen.administrator);
});
after(async () => {
  await doctors?.remove();
  await adas?.remove();
  await overseen?.house.remove();
});

test("a search that finds nobody leads to emergency access, which says what will happen", { skip }, async () => {
  const { page } = there(doctors);
  await there(adas).page.goto(`${site()}/people`);
  await there(adas).page.getByRole("heading", { name: "People" }).waitFor();
  await page.goto(`${site()}/`);
  await page.getByText("Quill, Quentin").waitFor();
  await page.getByLabel(/^Search studies/).fill("RR-0815");
  await page.getByRole("button", { name: "Emergency access…" }).click();
  const dialog = page.getByRole("dialog", { name: "Emergency access" });
  await dialog.getByText("Those who review are told at once").waitFor();
  const open = dialog.getByRole("button", { name: "Open in an emergency" });
  await dialog.getByLabel("Patient ID, exactly").fill("RR-08");
  await dialog.getByLabel("Reason").fill("short");
  assert.equal(await open.isDisabled(), true, "a reason is longer");
  await dialog.getByLabel("Reason").fill(reason);
  await assertReachable(page, "emergency");
  await open.click();
  await dialog.getByRole("alert").getByText("Not found").waitFor();
  await dialog.getByLabel("Patient ID, exactly").fill("RR-0815");
  await open.click();
  await dialog.waitFor({ state: "hidden" });
  await page.getByText("Ruiz, Rosa").waitFor();
  await page.getByText(/Emergency access to one patient, for 5\d min yet|for 1 h/).waitFor();
  assert.equal(new URL(page.url()).search, "");
  await assertReachable(page, "emergency-banner");
});

test("an administrator hears of it at once, wherever they are, with the reason, and judges it", { skip }, async () => {
  const { page } = there(adas);
  const alarm = page.getByRole("alert").filter({ hasText: "Emergency access" });
  await alarm.waitFor();
  await page.getByTitle(/waiting to be judged/).waitFor();
  await alarm.getByRole("button", { name: "Look at it" }).click();
  const card = page.getByRole("article", { name: "Emergency access: doctor" });
  await card.getByText(reason).waitFor();
  await card.getByLabel("Note").fill("the emergency room called");
  await card.getByRole("button", { name: "Justified", exact: true }).click();
  await card.waitFor({ state: "detached" });
  await page.getByText("Decided", { exact: true }).click();
  const row = page.getByRole("row", { name: /Emergency access/ });
  await row.getByText("the emergency room called").waitFor();
  await row.getByText("ada").waitFor();
  assert.equal(new URL(page.url()).search, "?state=decided");
});

test("ended by who began it, the patient leaves the list at once", { skip }, async () => {
  const { page } = there(doctors);
  await page.getByRole("button", { name: "End it now" }).click();
  await page.getByText("No study matches").waitFor();
  await page.getByText("Emergency access to one patient").waitFor({ state: "detached" });
});

test("who looked at a study stands beside it, by day and person, and on a page to print", { skip }, async () => {
  const other = await openBrowser();
  try {
    const { page } = other;
    await enterAs(other, overseen, there(radiologist));
    await page.goto(`${site()}/`);
    await page.getByText("Ruiz, Rosa").click({ button: "right" });
    await page.getByRole("menuitem", { name: "Who looked" }).click();
    const panel = page.getByRole("dialog", { name: "Who looked at this study" });
    await panel.getByRole("row", { name: /doctor saw it in a list/ }).waitFor();
    await panel.getByRole("link", { name: "As a page, to print" }).click();
    await page.getByRole("button", { name: "Print" }).waitFor();
    await page
      .getByRole("row", { name: /doctor/ })
      .first()
      .waitFor();
    assert.equal(page.url(), `${site()}/looks/${overseen.studies.Ruiz.token}`);
  } finally {
    await other.remove();
  }
});

test("a patient reads who has seen their images, in plain words, and takes it along", { skip }, async () => {
  const other = await openBrowser();
  try {
    const { page } = other;
    await enterAs(other, overseen, there(patient));
    await page.goto(`${site()}/`);
    await page.getByRole("link", { name: "Who has seen my images" }).click();
    await page
      .getByRole("row", { name: /doctor opened the record in an emergency/ })
      .or(page.getByRole("row", { name: /doctor saw the name and number in a list.*an emergency/ }))
      .first()
      .waitFor();
    const [table] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "As a table (CSV)" }).click(),
    ]);
    assert.match(await readFile(await table.path(), "utf8"), /doctor/);
    assert.deepEqual(await page.getByRole("navigation", { name: "Pages" }).getByRole("link").allTextContents(), [
      "Studies",
      "Who has seen my images",
    ]);
  } finally {
    await other.remove();
  }
});

test("the queue, who looked and the patient's page: contrast, names, sizes", { skip }, async () => {
  const { page } = there(doctors);
  await page.getByRole("button", { name: "Emergency access…" }).click();
  await page.getByLabel("Patient ID, exactly").fill("RR-0815");
  await page.getByLabel("Reason").fill(reason);
  await page.getByRole("button", { name: "Open in an emergency" }).click();
  await page.getByText("Ruiz, Rosa").waitFor();
  await assertReachableEverywhere(overseen, overseen.administrator, "reviews", async (shown) => {
    await shown.goto(`${site()}/reviews`);
    await shown.getByRole("article").first().waitFor();
  });
  await assertReachableEverywhere(overseen, there(radiologist), "looks", async (shown) => {
    await shown.goto(`${site()}/looks/${overseen.studies.Ruiz.token}`);
    await shown.getByRole("row").first().waitFor();
  });
  await assertReachableEverywhere(overseen, there(patient), "seen", async (shown) => {
    await shown.goto(`${site()}/my-images`);
    await shown.getByRole("row").nth(1).waitFor();
  });
  await assertReachableEverywhere(overseen, overseen.administrator, "status", async (shown) => {
    await shown.goto(`${site()}/status`);
    await shown.getByText("Log collector").waitFor();
  });
});

test("no page broke its content security policy or threw", { skip }, () => {
  assert.deepEqual([...there(doctors).complaints, ...there(adas).complaints], []);
});
