import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileOf, slicesOf, storeAll, storescu } from "../flows/modality.fixture.ts";
import { has, type RunningHouse, startHouse } from "../house/index.ts";
import { type Browser, codeNow, noBrowser, openBrowser, password, setupLink, siteOf } from "./browser.fixture.ts";

/*
 * The whole first start on a real server, as a person goes through it: the tests follow on each other in one browser.
 */
let house: RunningHouse;
let browser: Browser;
let recoveryCode = "";
const slices = slicesOf({ kind: "mr-brain", slices: 12, size: 64, seed: 11 });

before(async () => {
  if (noBrowser !== false) return;
  house = await startHouse();
  browser = await openBrowser();
});
after(async () => {
  await browser?.remove();
  await house?.remove();
});

test("without the one-use link the page asks for it and makes nobody", { skip: noBrowser }, async () => {
  const { page } = browser;
  await page.goto(siteOf(house));
  await page.getByRole("heading", { name: "Open the one-use link" }).waitFor();
  await page.getByLabel("One-use link").fill("not-the-secret");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("button", { name: "Use a password and an authenticator app instead" }).click();
  await page.getByLabel("Name").fill("mallory");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("alert").waitFor();
  assert.equal(await page.getByRole("heading", { name: "Add the second factor" }).count(), 0);
});

test("the link leads on, and its secret leaves the address bar at once", { skip: noBrowser }, async () => {
  const { page } = browser;
  await page.goto("about:blank");
  await page.goto(await setupLink(house));
  await page.getByRole("heading", { name: "Make the administrator" }).waitFor();
  assert.equal(page.url(), `${siteOf(house)}/`);
});

test("a short password is not taken; a long one makes the administrator", { skip: noBrowser }, async () => {
  const { page } = browser;
  const next = page.getByRole("button", { name: "Continue" });
  await page.getByRole("button", { name: "Use a password and an authenticator app instead" }).click();
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("Password", { exact: true }).fill("too short");
  await page.getByText("3 more characters").waitFor();
  assert.equal(await next.isDisabled(), true);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await next.click();
  await page.getByRole("img", { name: "QR code of the authenticator key" }).waitFor();
});

test("the second factor is asked for; a wrong code is refused, the right one brings the recovery kit", {
  skip: noBrowser,
}, async () => {
  const { page } = browser;
  const typed = (await page.locator("code").first().textContent()) ?? "";
  const digits = page.getByLabel("Digit").first();
  const right = codeNow(typed);
  await digits.click();
  await page.keyboard.type(right === "000000" ? "000001" : "000000");
  await page.getByRole("alert").waitFor();
  await digits.click();
  await page.keyboard.type(codeNow(typed));
  await page.getByRole("heading", { name: "Save the recovery kit" }).waitFor();
});

test("the recovery kit can be saved as text, and must be said to be saved", { skip: noBrowser }, async () => {
  const { page } = browser;
  const next = page.getByRole("button", { name: "Continue" });
  assert.equal(await next.isDisabled(), true);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save as text" }).click(),
  ]);
  const text = readFileSync(await download.path(), "utf8");
  recoveryCode = (await page.getByRole("region", { name: "Recovery kit" }).locator("li").first().textContent()) ?? "";
  assert.ok(recoveryCode.length >= 8 && text.includes(recoveryCode));
  assert.match(text, /Root passphrase/);
  await page.getByLabel("I have saved the recovery kit").check();
  await next.click();
  await page.getByRole("heading", { name: "Add a first device" }).waitFor();
});

test("a machine that calls shows up by itself and is admitted with one click", { skip: noBrowser }, async () => {
  const { page } = browser;
  await page.getByText(String(house.dicom)).first().waitFor();
  await assert.rejects(storeAll(house, slices.slice(0, 1)));
  await page.getByRole("button", { name: "Admit CT1 at 127.0.0.1" }).click();
  await page.getByText("CT1 at 127.0.0.1 is admitted").waitFor();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("heading", { name: "Watch images arrive" }).waitFor();
});

test("its images are seen arriving", { skip: noBrowser }, async () => {
  const { page } = browser;
  await storeAll(house, slices.slice(0, 3));
  await page.getByText("3 images").waitFor();
  await storeAll(house, slices.slice(3));
  await page.getByText("12 images").waitFor();
});

test("DCMTK's storescu is seen the same way", {
  skip: noBrowser || (has("storescu") ? false : "needs dcmtk: apt install dcmtk"),
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "lg-send-"));
  try {
    const files = slicesOf({ kind: "mr-brain", slices: 2, size: 64, seed: 12 }).map((slice) => {
      const path = join(folder, slice.sopInstanceUid);
      writeFileSync(path, fileOf(slice));
      return path;
    });
    const sent = await storescu(house, files);
    assert.equal(sent.code, 0, sent.output);
    await browser.page.getByText("2 images", { exact: true }).waitFor();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the phantom study loads with its progress shown, over a hundred slices", { skip: noBrowser }, async () => {
  const { page } = browser;
  await page.getByRole("button", { name: "Load the phantom study" }).click();
  await page.getByRole("progressbar").waitFor();
  await page.getByRole("button", { name: "Open the phantom study" }).waitFor({ timeout: 60_000 });
  await page.getByRole("button", { name: "Go to the study list" }).click();
  const row = page.getByRole("row", { name: /PHANTOM/i }).first();
  await row.waitFor();
  assert.ok(Number(/1 \/ (\d+)/.exec((await row.textContent()) ?? "")?.[1]) > 100);
});

test("signed out, a wrong password is refused and a recovery code lets in", { skip: noBrowser }, async () => {
  const { page } = browser;
  await page.getByRole("button", { name: /^Account/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in to Leadglass" }).waitFor();
  await page.getByRole("button", { name: /Use a recovery code/ }).click();
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("Password", { exact: true }).fill("not the password");
  await page.getByLabel("Recovery code").fill(recoveryCode);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Password", { exact: true }).fill(password);
  // The error goes when one goes on typing.
  await page.getByRole("alert").waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("grid", { name: "Studies" }).waitFor();
});

test("nothing was refused by the content security policy, nothing was thrown", { skip: noBrowser }, () => {
  assert.deepEqual(browser.complaints, []);
});
