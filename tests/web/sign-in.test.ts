import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { operator } from "#trust/access";
import { startConfirmingHouse } from "../house/confirming-house.ts";
import { type Browser, noBrowser, openBrowser, password } from "./browser.fixture.ts";

/*
 * Passkeys in a real browser with a virtual authenticator (WebDriver's, by the DevTools protocol): joining, signing in, one's own account.
 * The tests follow on each other in one browser.
 */
let house: Awaited<ReturnType<typeof startConfirmingHouse>>;
let browser: Browser;
/** A window of this name offers no passkeys where the name is typed: the authenticator here would take each offer at once. */
const noOffers = "no-offers";
const site = () => `https://localhost:${house.https}`;
const terms = { role: "radiologist", place: { kind: "tenant" }, purpose: "treatment", endsAt: 0 } as const;

before(async () => {
  if (noBrowser !== false) return;
  house = await startConfirmingHouse({});
  await house.signIn.createAccount("first", password);
  browser = await openBrowser();
  await addAuthenticator(browser.page);
  await browser.page.addInitScript((none) => {
    if (window.name === none) PublicKeyCredential.isConditionalMediationAvailable = async () => false;
  }, noOffers);
});
after(async () => {
  await browser?.remove();
  await house?.remove();
});

/** One that keeps passkeys in itself and always verifies its user. */
async function addAuthenticator(page: Page): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable", { enableUI: false });
  await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}

async function signOut(windowName: string): Promise<void> {
  const { page } = browser;
  await page.evaluate((name) => {
    window.name = name;
  }, windowName);
  await page.getByRole("button", { name: /^Account/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
}

async function invited(name: string): Promise<string> {
  const { secret } = await house.people.invite(name, [terms], operator);
  return `${site()}/#setup=${secret}`;
}

test("who is invited makes a passkey and is in, without a password", { skip: noBrowser }, async () => {
  const { page } = browser;
  await page.goto(await invited("ada"));
  await page.getByRole("heading", { name: "Make your account" }).waitFor();
  await page.getByRole("button", { name: "Make a passkey" }).click();
  await page.getByRole("heading", { name: "Save the recovery kit" }).waitFor();
  await page.getByLabel("I have saved the recovery kit").check();
  await page.getByRole("button", { name: "Continue" }).click();

  await page.getByRole("button", { name: "Account: ada" }).waitFor();
});

test("signed out, one press of a passkey leads back in, with nothing typed", { skip: noBrowser }, async () => {
  const { page } = browser;
  await signOut(noOffers);
  await page.getByRole("heading", { name: "Sign in to Leadglass" }).waitFor();
  await page.getByRole("button", { name: "Use a passkey" }).click();

  await page.getByRole("button", { name: "Account: ada" }).waitFor();
});

test("a passkey is offered where the name is typed, and taking it is enough", { skip: noBrowser }, async () => {
  const { page } = browser;
  await signOut("");
  await page.waitForURL(`${site()}/`);
  await page.getByRole("button", { name: "Account: ada" }).waitFor();
});

test("My account shows the passkey, and renames it", { skip: noBrowser }, async () => {
  const { page } = browser;
  await page.getByRole("button", { name: /^Account/ }).click();
  await page.getByRole("menuitem", { name: "My account" }).click();
  await page.getByRole("heading", { name: "My account" }).waitFor();
  await page.getByRole("button", { name: /^Rename/ }).click();
  await page.getByLabel("Name of the passkey").fill("Reading room");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Reading room").waitFor();
  assert.equal(await page.getByRole("button", { name: "Remove Reading room" }).isDisabled(), true, "the last way in");
});

test("after five minutes a change asks again who it is, and goes on when that was shown", {
  skip: noBrowser,
}, async () => {
  const { page } = browser;
  const [session] = house.sessions.list().filter(({ userAgent }) => userAgent !== "");
  const cookies = await browser.context.cookies();
  const secret = cookies.find(({ name }) => name === "__Host-leadglass")?.value ?? "";
  const held = house.sessions.of(secret)?.session ?? assert.fail("no session");
  assert.equal(held.digest, session?.id);
  Object.assign(held, { authenticatedAt: held.authenticatedAt - 6 * 60_000 });
  await page.getByRole("button", { name: "Make new codes" }).click();
  await page.getByRole("dialog", { name: "Show that it is you" }).waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Use a passkey" }).click();
  await page.getByRole("heading", { name: "Save the recovery kit" }).waitFor();
  await page.getByLabel("I have saved the recovery kit").check();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("8 codes left").waitFor();
});

test("a password comes with an authenticator, never alone", { skip: noBrowser }, async () => {
  const { page } = browser;
  await page.getByRole("button", { name: "Add a password" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("New password").fill("password1234");
  await dialog.getByRole("button", { name: "Continue" }).click();
  await dialog
    .getByRole("alert")
    .getByText(/guessed first/)
    .waitFor();
  await dialog.getByLabel("New password").fill(password);
  await dialog.getByRole("button", { name: "Continue" }).click();
  await dialog.getByRole("img", { name: "QR code of the authenticator key" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Add a password" }).waitFor();
});

test("a recovery code of who has passkeys alone leads to a new way in", { skip: noBrowser }, async () => {
  const { page } = browser;
  await page.getByRole("button", { name: "Make new codes" }).click();
  const code = (await page.getByRole("region", { name: "Recovery kit" }).locator("li").first().textContent()) ?? "";
  await page.getByLabel("I have saved the recovery kit").check();
  await page.getByRole("button", { name: "Continue" }).click();
  await signOut(noOffers);
  await page.getByRole("button", { name: /Use a recovery code/ }).click();
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("Recovery code").fill(code);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Set a new way in" }).waitFor();
  await page.getByRole("button", { name: "Make a passkey" }).click();
  await page.getByRole("heading", { name: "Save the recovery kit" }).waitFor();
});

test("nothing was refused by the content security policy, nothing was thrown", { skip: noBrowser }, () => {
  assert.deepEqual(browser.complaints, []);
});
