import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import type { EntryProofView } from "#formats/api";
import { type Caller, type OverseenHouse, openOverseenHouse } from "../flows/overseen-house.fixture.ts";
import { type Browser, noBrowser, openBrowser, siteOf } from "./browser.fixture.ts";
import { assertReachableEverywhere, enterAs } from "./oversight.fixture.ts";
import { assertReachable } from "./reach.fixture.ts";

/*
 * An auditor goes through the log: the tests follow on each other.
 */
let overseen: OverseenHouse;
let auditor: Caller;
let browser: Browser | undefined;
const skip = noBrowser;
const reason = "unconscious in the emergency room";

const there = <T>(value: T | undefined): T => value ?? assert.fail("not there");
const site = () => siteOf(overseen.house);

before(async () => {
  if (noBrowser !== false) return;
  overseen = await openOverseenHouse();
  const radiologist = await overseen.join("rita", { role: "radiologist" });
  const place = { kind: "study", id: overseen.studies.Quill.token } as const;
  const doctor = await overseen.join("doctor", { role: "referrer", place });
  await radiologist.json("GET", `/api/studies/${overseen.studies.Ruiz.token}`);
  await doctor.call("GET", `/api/studies/${overseen.studies.Ruiz.token}`);
  await doctor.json("POST", "/api/break-glass", { patientId: "RR-0815", reason });
  auditor = await overseen.join("otto", { role: "auditor", purpose: "operations" });
  browser = await openBrowser();
  await enterAs(browser, overseen, auditor);
});
after(async () => {
  await browser?.remove();
  await overseen?.house.remove();
});

const choose = async (page: Page, label: string, text: string) => {
  await page
    .getByRole("combobox", { name: label, exact: true })
    .or(page.getByLabel(label, { exact: true }))
    .first()
    .click();
  await page.getByRole("option", { name: text, exact: true }).click();
};
const rowsOf = (page: Page) => page.getByRole("table", { name: "Entries" }).getByRole("row");

test("entries are found by who, what and how it ended; the address holds no name and brings them back", {
  skip,
}, async () => {
  const { page } = there(browser);
  await page.goto(`${site()}/log`);
  await rowsOf(page).nth(3).waitFor();
  await choose(page, "Who", "doctor");
  await choose(page, "Outcome", "Refused");
  await rowsOf(page).nth(1).getByText("doctor").waitFor();
  await page.waitForFunction(() =>
    [...document.querySelectorAll("tbody tr")].every((row) => /refused/.test(row.textContent ?? "")),
  );
  const address = page.url();
  assert.match(address, /actor=user%3A[0-9a-f]+.*outcome=refused/);
  assert.doesNotMatch(address, /doctor/);
  await page.goto("about:blank");
  await page.goto(address);
  await rowsOf(page).nth(1).getByText("doctor").waitFor();
  await page.getByRole("button", { name: "Clear", exact: true }).click();
  await choose(page, "Act", "Looks in an emergency");
  await rowsOf(page).nth(1).getByText("Break the glass in an emergency").waitFor();
  assert.equal(new URL(page.url()).search, "?act=glass.");
});

test("a view is kept under a name, and comes back in another browser", { skip }, async () => {
  const { page } = there(browser);
  await page.getByRole("button", { name: "Views" }).click();
  await page.getByRole("menuitem", { name: "Keep this view…" }).click();
  await page.getByLabel("Name").fill("Emergencies");
  await page.getByRole("button", { name: "Keep", exact: true }).click();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  const other = await openBrowser();
  try {
    await enterAs(other, overseen, auditor);
    await other.page.goto(`${site()}/log`);
    await other.page.getByRole("button", { name: "Views" }).click();
    await other.page.getByRole("menuitem", { name: "Emergencies" }).click();
    await other.page.waitForURL(/act=glass\./);
  } finally {
    await other.remove();
  }
});

test("what is personal about an entry is revealed to who may, and that it was is an entry too", { skip }, async () => {
  const { page } = there(browser);
  assert.equal(await page.getByText(reason).count(), 0);
  await rowsOf(page).nth(1).getByRole("button").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Reveal it" }).click();
  await dialog.getByText(reason).waitFor();
  const found = await auditor.json<{ entries: { on?: { kind: string } }[] }>("GET", "/api/audit/find?act=audit.reveal");
  assert.deepEqual(
    found.entries.map(({ on }) => on?.kind),
    ["entry"],
  );
});

test("the entry is verified in the browser, each step in sight, to the signed root", { skip }, async () => {
  const { page } = there(browser);
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Verify in this browser" }).click();
  await dialog.locator('[data-verdict="proven"]').waitFor();
  await dialog.getByText("says what is shown above").waitFor();
  await dialog.getByText("leads to a root").waitFor();
  await dialog.getByText("The checkpoint is signed by the log's key").waitFor();
  await dialog.getByRole("button", { name: "Show the hashes" }).click();
  await dialog.getByText("With its left").or(dialog.getByText("With its right")).first().waitFor();
  const entry = new URL(page.url()).searchParams.get("entry");
  const proof = await auditor.json<EntryProofView>("GET", `/api/audit/entries/${entry}/proof`);
  await dialog.getByLabel("Keys that you have by another way").fill(proof.verifierKey);
  await dialog.getByLabel("A checkpoint that you kept").fill(proof.checkpoint);
  await dialog.getByText("The server's key is the one that you gave").waitFor();
  await dialog.getByText("that you kept holds this entry too").waitFor();
  await dialog.getByLabel("A checkpoint that you kept").fill(proof.checkpoint.replace(/at \d+/, "at 1"));
  await dialog.locator('[data-verdict="refused"]').waitFor();
  await dialog.getByText("is not signed by this log's key").waitFor();
});

test("a server that shows another entry than was signed is found out", { skip }, async () => {
  const { page } = there(browser);
  await page.route("**/proof", async (route) => {
    const answer = await route.fetch();
    const proof = (await answer.json()) as EntryProofView;
    await route.fulfill({
      response: answer,
      json: { ...proof, line: proof.line.replace("glass.break", "glass.brook") },
    });
  });
  await page.reload();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Verify in this browser" }).click();
  await dialog.locator('[data-verdict="refused"]').waitFor();
  await dialog.getByText("It is not the root that the checkpoint names").waitFor();
  await assertReachable(page, "log-refused");
  await page.unroute("**/proof");
});

test("an auditor takes the whole log away, and the command proves it; the table goes to a spreadsheet", {
  skip,
}, async () => {
  const { page } = there(browser);
  await page.goto(`${site()}/log`);
  await page.getByRole("button", { name: "Export" }).click();
  const [zip] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: "The whole log with its proof (ZIP)" }).click(),
  ]);
  const folder = mkdtempSync(join(tmpdir(), "lg-bundle-"));
  try {
    const path = join(folder, "log.zip");
    writeFileSync(path, await readFile(await zip.path()));
    mkdirSync(join(folder, "log"));
    const unzip = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])";
    assert.equal(spawnSync("python3", ["-c", unzip, path, join(folder, "log")]).status, 0);
    assert.match(overseen.house.command(["audit", "verify", join(folder, "log")]), /\d+ entries, \d+ of them proven/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  await page.getByRole("button", { name: "Export" }).click();
  const [table] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: /shown, as a table/ }).click(),
  ]);
  assert.match(await readFile(await table.path(), "utf8"), /^entry,at,actor,name,act,on,id,purpose,outcome\r\n\d+,20/);
});

test("an administrator reads the log and does not take it away", { skip }, async () => {
  const other = await openBrowser();
  try {
    await enterAs(other, overseen, overseen.administrator);
    await other.page.goto(`${site()}/log`);
    await other.page.getByRole("button", { name: "Export" }).click();
    await other.page.getByText("The whole log with its proof is for auditors").waitFor();
    assert.equal((await overseen.administrator.call("GET", "/api/audit/bundle")).status, 404);
  } finally {
    await other.remove();
  }
});

test("the log, an entry with its proof and an empty answer: contrast, names, sizes", { skip }, async () => {
  await assertReachableEverywhere(overseen, auditor, "log", async (page) => {
    await page.goto(`${site()}/log`);
    await rowsOf(page).nth(3).waitFor();
  });
  await assertReachableEverywhere(overseen, auditor, "log-proof", async (page) => {
    await page.goto(`${site()}/log?entry=3`);
    await page.getByRole("button", { name: "Verify in this browser" }).click();
    await page.locator('[data-verdict="proven"]').waitFor();
    await page.getByRole("button", { name: "Show the hashes" }).click();
  });
  await assertReachableEverywhere(overseen, auditor, "log-empty", async (page) => {
    await page.goto(`${site()}/log?act=vault.shred`);
    await page.getByText("No entry matches").waitFor();
    await page.getByRole("button", { name: "Verify", exact: true }).click();
  });
});

test("no page broke its content security policy or threw", { skip }, () => {
  assert.deepEqual(there(browser).complaints, []);
});
