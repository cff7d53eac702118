import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Problem } from "#base/problem";
import { operator } from "#trust/access";
import { startConfirmingHouse } from "../house/confirming-house.ts";
import { type Browser, codeNow, noBrowser, openBrowser, password } from "./browser.fixture.ts";
import { assertReachable, windows } from "./reach.fixture.ts";

/*
 * Two administrators in two browsers, and a third person who is invited: the tests follow on each other.
 */
type House = Awaited<ReturnType<typeof startConfirmingHouse>>;
type Person = Awaited<ReturnType<House["person"]>>;
const research = { role: "researcher", place: { kind: "tenant" }, purpose: "research", endsAt: 0 } as const;
let house: House;
let [ada, bob]: Person[] = [];
let [adas, bobs]: Browser[] = [];
const shredded: string[] = [];
const detail = { "Study date": "2026-01-31", Modality: "CT", Images: "124" };

const there = <T>(value: T | undefined): T => value ?? assert.fail("not there");
const site = () => `https://localhost:${house.https}`;

async function enterAs(browser: Browser, person: Person): Promise<void> {
  const cookie = { name: "__Host-leadglass", value: await person.session() };
  await browser.context.addCookies([{ ...cookie, url: site(), httpOnly: true, secure: true, sameSite: "Strict" }]);
}

before(async () => {
  if (noBrowser !== false) return;
  house = await startConfirmingHouse({
    "study.shred": async ({ on }) => {
      if (on?.id === "gone") throw new Problem("absent", "no such study");
      shredded.push(on?.id ?? "");
    },
    "recovery-kit.make": async () => ({ shares: 3 }),
  });
  [ada, bob] = [await house.person("ada"), await house.person("bob")];
  [adas, bobs] = [await openBrowser(), await openBrowser({ scheme: "dark" })];
  await enterAs(adas, ada);
  await enterAs(bobs, bob);
});
after(async () => {
  await adas?.remove();
  await bobs?.remove();
  await house?.remove();
});

const request = (id: string, by = there(ada).actor) =>
  house.confirmations.request(by, "study.shred", { kind: "study", id }, detail);

test("nothing waits: the page says so and how it comes to be otherwise", { skip: noBrowser }, async () => {
  const { page } = there(bobs);
  await page.goto(`${site()}/confirmations`);
  await page.getByText("Nothing waits for a second administrator").waitFor();
  assert.equal(await page.getByRole("note").count(), 0);
});

test("what one asks for appears to the other at once, counted in the navigation wherever they are", {
  skip: noBrowser,
}, async () => {
  const { page } = there(bobs);
  await page.getByRole("link", { name: "Log" }).click();
  await page.getByRole("heading", { name: "Log" }).waitFor();
  await request("ab12");
  await page.getByTitle("1 waiting for your confirmation").waitFor();
  await page.getByRole("link", { name: /^Confirmations/ }).click();
  const card = page.getByRole("article", { name: "Shred a study" });
  await card.waitFor();
  const text = (await card.textContent()) ?? "";
  for (const part of ["ada asked", "in 29 min", "2026-01-31", "124", "nobody can open it again"]) {
    assert.ok(text.includes(part) || text.includes(part.replace("29", "30")), `${part} in ${text}`);
  }
  assert.equal(await card.getByRole("link", { name: "Open the study" }).getAttribute("href"), "/studies/ab12");
});

test("who asked can withdraw it and is not offered to confirm it", { skip: noBrowser }, async () => {
  const { page } = there(adas);
  await page.goto(`${site()}/confirmations`);
  const card = page.getByRole("article", { name: "Shred a study" });
  await card.getByText("You asked").waitFor();
  assert.equal(await card.getByRole("button", { name: /Confirm|Refuse/ }).count(), 0);
  assert.equal(await page.getByTitle(/waiting for your confirmation/).count(), 0);
});

test("confirming asks for the code again; a wrong one is refused with what to do, the right one has it done", {
  skip: noBrowser,
}, async () => {
  const { page } = there(bobs);
  await page.getByRole("button", { name: "Confirm…" }).click();
  const dialog = page.getByRole("dialog", { name: "Shred a study?" });
  await dialog.waitFor();
  const act = dialog.getByRole("button", { name: "Shred a study" });
  assert.equal(await act.isDisabled(), true);
  await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "Digit 1");
  const right = there(bob).code();
  await page.keyboard.type(right === "000000" ? "000001" : "000000");
  await act.click();
  await dialog.getByRole("alert").getByText("wrong, or was used before").waitFor();
  assert.deepEqual(shredded, []);
  await dialog.getByLabel("Digit 1").click();
  await page.keyboard.type(there(bob).code());
  await page.waitForFunction(() => document.activeElement?.textContent === "Shred a study");
  assert.deepEqual(shredded, [], "the last digit alone does nothing");
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "hidden" });
  await page.getByText("confirmed by bob, done").waitFor();
  assert.deepEqual(shredded, ["ab12"]);
  await there(adas).page.getByText("confirmed by bob, done").waitFor();
  await page.getByTitle(/waiting for your confirmation/).waitFor({ state: "hidden" });
});

test("refused, withdrawn and failed: each page shows what became of it", { skip: noBrowser }, async () => {
  const { page } = there(bobs);
  await request("cd34");
  await page.getByRole("button", { name: "Refuse" }).click();
  await there(adas).page.getByText("refused by bob").waitFor();
  await request("ef56");
  await there(adas).page.getByRole("button", { name: "Withdraw" }).click();
  await page.getByText("withdrawn").waitFor();
  const { id } = await request("gone", operator);
  await page.getByRole("article").getByText("the console asked").waitFor();
  await house.confirmations.confirm(there(bob).actor, id, there(bob).codeAfter());
  await page.getByText("confirmed by bob, failed: no such study").waitFor();
});

test("an invitation leads to an account of the given name; its observer is shown studies alone", {
  skip: noBrowser,
}, async () => {
  const { secret } = await house.people.invite("olga", [research], operator);
  const guest = await openBrowser();
  try {
    const { page } = guest;
    await page.goto(`${site()}/#setup=${secret}`);
    await page.getByRole("heading", { name: "Make your account" }).waitFor();
    assert.equal(page.url(), `${site()}/`);
    assert.equal(await page.getByLabel("Name").inputValue(), "olga");
    await page.getByRole("button", { name: "Use a password and an authenticator app instead" }).click();
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Continue" }).click();
    const typed = (await page.locator("code").first().textContent()) ?? "";
    await page.getByLabel("Digit").first().click();
    await page.keyboard.type(codeNow(typed));
    await page.getByRole("heading", { name: "Save the recovery kit" }).waitFor();
    assert.equal(await page.getByText("root passphrase").count(), 0);
    await page.getByLabel("I have saved the recovery kit").check();
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("heading", { name: "No studies yet" }).waitFor();
    assert.deepEqual(await page.getByRole("navigation", { name: "Pages" }).getByRole("link").allTextContents(), [
      "Studies",
    ]);
    await page.goto(`${site()}/confirmations`);
    await page.getByRole("heading", { name: "There is no such page" }).waitFor();
    await page.goto("about:blank");
    await page.goto(`${site()}/#setup=${secret}`);
    await page.getByRole("alert").getByText("This link is not valid").waitFor();
    await page.getByRole("button", { name: "Go to the sign-in" }).click();
    await page.getByRole("heading", { name: "No studies yet" }).waitFor();
    assert.deepEqual(guest.complaints, []);
  } finally {
    await guest.remove();
  }
});

for (const [window, options] of windows) {
  test(`the page and its question are in contrast, controls named and large enough, on ${window}`, {
    skip: noBrowser,
  }, async () => {
    const other = await openBrowser(options);
    const { page } = other;
    const asked = await request(`look-${window.replaceAll(" ", "")}`);
    try {
      await enterAs(other, there(bob));
      await page.goto(`${site()}/confirmations`);
      await page.getByRole("article").waitFor();
      await assertReachable(page, `confirmations on ${window}`);
      await page.getByRole("button", { name: "Confirm…" }).click();
      await page.getByRole("dialog").waitFor();
      await assertReachable(page, `confirm on ${window}`);
    } finally {
      await house.confirmations.withdraw(there(ada).actor, asked.id);
      await other.remove();
    }
  });
}

test("alone, an administrator is told how to find a second one", { skip: noBrowser }, async () => {
  await house.people.remove("ada", operator);
  const { page } = there(bobs);
  await page.goto(`${site()}/confirmations`);
  await page.getByRole("note").getByText("leadglass user add").waitFor();
});

test("no page broke its content security policy or threw", { skip: noBrowser }, () => {
  assert.deepEqual([...there(adas).complaints, ...there(bobs).complaints], []);
});
