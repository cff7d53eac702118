import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { MadeShare, ShareRequest } from "#formats/api";
import { type Caller, type OverseenHouse, openOverseenHouse } from "../flows/overseen-house.fixture.ts";
import { type Browser, noBrowser, openBrowser, siteOf } from "./browser.fixture.ts";
import { assertReachableEverywhere, enterAs } from "./oversight.fixture.ts";
import { assertReachable } from "./reach.fixture.ts";

/*
 * A study for somebody outside, in two browsers: the tests follow on each other.
 */
let overseen: OverseenHouse;
let radiologist: Caller;
let [inside, outside]: Browser[] = [];
let [link, code] = ["", ""];
const skip = noBrowser;

const there = <T>(value: T | undefined): T => value ?? assert.fail("not there");
const site = () => siteOf(overseen.house);

before(async () => {
  if (noBrowser !== false) return;
  overseen = await openOverseenHouse();
  radiologist = await overseen.join("rita", { role: "radiologist" });
  [inside, outside] = [await openBrowser(), await openBrowser({ scheme: "dark" })];
  await enterAs(inside, overseen, radiologist);
});
after(async () => {
  await inside?.remove();
  await outside?.remove();
  await overseen?.house.remove();
});

const made = (mode: ShareRequest["mode"]) =>
  radiologist.json<MadeShare>("POST", "/api/shares", {
    ...{ study: overseen.studies.Quill.token, mode, days: 2, recipient: "Dr. Outside, Elsewhere Clinic" },
  } satisfies ShareRequest);

test("from the menu of a study comes a link with its code, in sight once, to be sent by two ways", {
  skip,
}, async () => {
  const { page } = there(inside);
  await page.goto(`${site()}/`);
  await page.getByText("Quill, Quentin").click({ button: "right" });
  await page.getByRole("menuitem", { name: "Share…" }).click();
  const dialog = page.getByRole("dialog", { name: "Share a study" });
  const make = dialog.getByRole("button", { name: "Make the link" });
  await dialog.waitFor();
  assert.equal(await make.isDisabled(), true, "nobody is named yet");
  await dialog.getByLabel("For", { exact: true }).fill("Dr. Outside, Elsewhere Clinic");
  await make.click();
  link = (await dialog.getByTestId("share-link").textContent()) ?? "";
  code = (await dialog.getByTestId("share-code").textContent()) ?? "";
  assert.match(link, new RegExp(`^${site()}/#share=[\\w-]{43}$`));
  assert.match(code, /^\d{8}$/);
  await dialog.getByText("Send them by two ways").waitFor();
  await dialog.getByRole("button", { name: "Done" }).click();
  await dialog.getByText("not shown again").waitFor();
  await dialog.getByRole("button", { name: "Close it" }).click();
  await dialog.waitFor({ state: "hidden" });
  assert.equal(await page.getByText(code).count(), 0);
});

test("the link asks another browser for the code, keeps its secret out of the address, and opens that study alone", {
  skip,
}, async () => {
  const { page } = there(outside);
  const sent: string[] = [];
  page.on("request", (request) => sent.push(request.url()));
  await page.goto(link);
  await page.getByRole("heading", { name: "Images for you" }).waitFor();
  assert.equal(page.url(), `${site()}/`);
  await assertReachable(page, "share-open");
  const open = page.getByRole("button", { name: "Open" });
  assert.equal(await open.isDisabled(), true);
  await page.getByLabel("Code").fill(code === "00000000" ? "00000001" : "00000000");
  await open.click();
  await page.getByRole("alert").getByText("The code is wrong").waitFor();
  await page.getByLabel("Code").fill(`${code.slice(0, 4)} ${code.slice(4)}`);
  await open.click();
  await page.waitForSelector('[data-testid="viewport-0"][data-status="ready"]');
  assert.equal(page.url(), `${site()}/studies/${overseen.studies.Quill.token}`);
  await page.getByRole("heading", { name: "Quill, Quentin" }).waitFor();
  const secret = new URL(link).hash.slice("#share=".length);
  assert.deepEqual(
    sent.filter((url) => url.includes(secret)),
    [],
  );
});

test("who came by a link sees no list, no page and no study beside it, and may not take the images away", {
  skip,
}, async () => {
  const { page } = there(outside);
  for (const name of ["Back to the study list", "Share", "Who looked", "Give access", "Download"]) {
    assert.equal(await page.getByLabel(name, { exact: true }).count(), 0, name);
  }
  for (const path of ["/", "/log", "/account", `/studies/${overseen.studies.Ruiz.token}`]) {
    await page.goto(`${site()}${path}`);
    await page.getByRole("heading", { name: "Quill, Quentin" }).waitFor();
    assert.equal(page.url(), `${site()}/studies/${overseen.studies.Quill.token}`, path);
  }
  const answer = await page.request.get(`${site()}/api/studies/${overseen.studies.Quill.token}/files`);
  assert.equal(answer.status(), 404);
  await page.waitForSelector('[data-testid="viewport-0"][data-status="ready"]');
});

test("ended by its maker it is gone at once from the other browser, and the link opens nothing any more", {
  skip,
}, async () => {
  const { page } = there(inside);
  await page.goto(`${site()}/`);
  await page.getByRole("link", { name: "Shares" }).click();
  const row = page.getByRole("row", { name: /Elsewhere Clinic/ });
  await row.waitFor();
  await row.getByRole("button", { name: "End…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "End the link" }).click();
  await there(outside).page.getByRole("heading", { name: "This link is over" }).waitFor();
  assert.equal(await there(outside).page.getByText("Quill").count(), 0);
  await page.getByText("Nobody outside has a link").or(page.getByText("No link matches")).waitFor();
  await page.getByLabel("Ended ones too").check();
  await page.getByText("ended by rita").waitFor();
  assert.equal(new URL(page.url()).search, "?ended=true");
  const again = there(outside).page;
  await again.goto("about:blank");
  await again.goto(link);
  await again.getByLabel("Code").fill(code);
  await again.getByRole("button", { name: "Open" }).click();
  await again.getByRole("heading", { name: "This link is over" }).waitFor();
});

test("a link to download gives the study as files, and closing it leaves nothing open", { skip }, async () => {
  const share = await made("download");
  const { page } = there(outside);
  await page.goto("about:blank");
  await page.goto(share.link);
  await page.getByLabel("Code").fill(share.code);
  await page.getByRole("button", { name: "Open" }).click();
  await page.waitForSelector('[data-testid="viewport-0"][data-status="ready"]');
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByLabel("Download").click()]);
  assert.equal(download.suggestedFilename(), "study.zip");
  const { readFile } = await import("node:fs/promises");
  const bytes = await readFile(await download.path());
  const names = [...bytes.toString("latin1").matchAll(/study\/\d{5}\.dcm/g)].map(([name]) => name);
  assert.deepEqual([...new Set(names)], ["study/00001.dcm", "study/00002.dcm", "study/00003.dcm"]);
  await page.getByLabel("Close the study").click();
  await page.getByRole("heading", { name: "Sign in" }).or(page.getByText("This link is over")).first().waitFor();
  assert.equal((await page.request.get(`${site()}/api/shares/opened`)).status(), 401);
});

test("the list, its dialog and the page of a link: contrast, names, sizes, on a screen and a phone", {
  skip,
}, async () => {
  await made("view");
  await assertReachableEverywhere(overseen, radiologist, "shares", async (page) => {
    await page.goto(`${site()}/shares?ended=true`);
    await page
      .getByRole("row", { name: /Elsewhere Clinic/ })
      .first()
      .waitFor();
  });
  await assertReachableEverywhere(overseen, radiologist, "share-dialog", async (page) => {
    await page.goto(`${site()}/studies/${overseen.studies.Quill.token}`);
    await page.getByLabel("Share", { exact: true }).click();
    await page.getByLabel("For", { exact: true }).fill("The patient");
    await page.getByRole("button", { name: "Make the link" }).click();
    await page.getByTestId("share-code").waitFor();
  });
});

test("no page broke its content security policy or threw", { skip }, () => {
  assert.deepEqual([...there(inside).complaints, ...there(outside).complaints], []);
});
