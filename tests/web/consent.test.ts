import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { newPkce, send } from "../house/oauth-browser.ts";
import { type OauthHouse, startOauthHouse, studyToken } from "../house/oauth-house.ts";
import { type Browser, noBrowser, openBrowser } from "./browser.fixture.ts";
import { assertReachable, windows } from "./reach.fixture.ts";

/*
 * A viewer on another origin, as OHIF is one: its page asks for a code, gets a token by fetch, and calls with it.
 */
let house: OauthHouse;
let ada: Awaited<ReturnType<OauthHouse["person"]>>;
let browser: Browser;
let viewer = "";
const pages = createServer((_request, response) => {
  response.setHeader("content-type", "text/html").end("<!doctype html><title>viewer</title><h1>viewer</h1>");
});

const there = <T>(value: T | undefined): T => value ?? assert.fail("not there");

before(async () => {
  if (noBrowser !== false) return;
  house = await startOauthHouse();
  ada = await house.person("ada");
  await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
  viewer = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  browser = await openBrowser();
  await enterAs(browser, ada.secret);
});
after(async () => {
  await browser?.remove();
  await house?.remove();
  pages.close();
});

const enterAs = (one: Browser, value: string) =>
  one.context.addCookies([
    { name: "__Host-leadglass", value, url: house.pageUrl(), httpOnly: true, secure: true, sameSite: "Strict" },
  ]);

function ask(clientId: string, scope: string) {
  const { verifier, challenge } = newPkce();
  const asked = { client_id: clientId, response_type: "code", redirect_uri: `${viewer}/callback`, scope, state: "s" };
  const query = new URLSearchParams({ ...asked, code_challenge: challenge, code_challenge_method: "S256" });
  return { verifier, url: `${house.issuer()}/auth?${query}` };
}

/** The page of the viewer goes where its script says, as a person's click there would have it. */
async function follow(one: Browser, url: string): Promise<void> {
  await one.page.goto(`${viewer}/`);
  await one.page.evaluate((to) => {
    window.location.href = to;
  }, url);
}

/** What the viewer's page does with the code: by fetch, from its own origin. */
const redeem = (one: Browser, form: Record<string, string>) =>
  one.page.evaluate(
    async ([issuer, house, fields]) => {
      const body = new URLSearchParams(fields as Record<string, string>);
      const answer = await fetch(`${issuer}/token`, { method: "POST", body });
      const { access_token: token } = (await answer.json()) as { access_token: string };
      const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
      const me = await fetch(`${issuer}/me`, { headers });
      const foreign = await fetch(`${house}api/session`, { headers }).then(
        ({ status }) => status,
        () => "blocked",
      );
      return { status: answer.status, token, me: ((await me.json()) as { sub: string }).sub, foreign };
    },
    [house.issuer(), house.pageUrl(), form] as const,
  );

test("a viewer on another origin is let in once by a person, gets its token by fetch, and is not asked for again", {
  skip: noBrowser,
}, async () => {
  const client = await house.add("Viewer", { redirectUris: [`${viewer}/callback`] });
  const { page } = browser;
  const { url, verifier } = ask(client.id, "openid user/ImagingStudy.rs");
  await follow(browser, url);
  const card = page.getByRole("region", { name: "Viewer asks" });
  await card.waitFor();
  for (const words of ["look at the images that you may see", "Never more than you may yourself", viewer]) {
    await card.getByText(words).waitFor();
  }
  await card.getByRole("button", { name: "Allow", exact: true }).click();
  await page.getByRole("heading", { name: "viewer" }).waitFor();
  const back = new URL(page.url());
  assert.equal(back.searchParams.get("iss"), house.issuer());
  const code = back.searchParams.get("code") ?? "";
  const fields = { grant_type: "authorization_code", client_id: client.id, code, redirect_uri: `${viewer}/callback` };
  const redeemed = await redeem(browser, { ...fields, code_verifier: verifier });
  assert.deepEqual([redeemed.status, redeemed.me, redeemed.foreign], [200, ada.id, "blocked"]);
  const headers = { authorization: `Bearer ${redeemed.token}` };
  assert.equal((await send(house, "/who/study.view", { headers })).status, 200);
  await follow(browser, ask(client.id, "openid user/ImagingStudy.rs").url);
  await page.waitForURL((reached) => reached.origin === viewer && reached.searchParams.has("code"));
});

test("who does not allow it goes back with nothing", { skip: noBrowser }, async () => {
  const client = await house.add("Refused", { redirectUris: [`${viewer}/callback`] });
  await follow(browser, ask(client.id, "openid user/ImagingStudy.rs").url);
  await browser.page.getByRole("button", { name: "Do not allow" }).click();
  await browser.page.waitForURL((reached) => reached.searchParams.get("error") === "access_denied");
});

test("a patient app is given one patient, whom the person chooses", { skip: noBrowser }, async () => {
  const client = await house.add("Patient-app", { redirectUris: [`${viewer}/callback`] });
  const { page } = browser;
  await follow(browser, ask(client.id, "openid launch/patient patient/ImagingStudy.rs").url);
  await page.getByRole("combobox", { name: "Patient" }).click();
  await page.getByRole("option", { name: /Doe Jane/ }).click();
  const sent = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/request"));
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  assert.deepEqual((await sent).postDataJSON(), { allow: true, study: studyToken });
  await page.waitForURL((reached) => reached.origin === viewer && reached.searchParams.has("code"));
});

test("who is not signed in is asked to, at the same address, and no application learns whether there is somebody", {
  skip: noBrowser,
}, async () => {
  const client = await house.add("Nobody", { redirectUris: [`${viewer}/callback`] });
  const stranger = await openBrowser();
  try {
    await follow(stranger, ask(client.id, "openid user/ImagingStudy.rs").url);
    await stranger.page.getByRole("heading", { name: "Sign in to Leadglass" }).waitFor();
    assert.match(stranger.page.url(), /\/consent\//);
    await enterAs(stranger, ada.secret);
    await stranger.page.reload();
    await stranger.page.getByRole("button", { name: "Allow", exact: true }).click();
    await stranger.page.waitForURL((reached) => reached.searchParams.has("code"));
  } finally {
    await stranger.remove();
  }
});

test("a device is let in by the code that it shows", { skip: noBrowser }, async () => {
  const client = await house.add("Edge-box", { redirectUris: [], byCode: true });
  const form = { client_id: client.id, scope: "offline_access dicomweb.write" };
  const { json } = await send(house, "/oauth/device/auth", { form });
  const { page } = browser;
  await page.goto(String(json.verification_uri));
  await page.getByLabel("Code that the device shows").fill("AAAA-AAAA");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("alert").getByText("No device waits with this code").waitFor();
  await page.getByLabel("Code that the device shows").fill(String(json.user_code));
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("send images in your name").waitFor();
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  await page.getByRole("status").getByText("It is let in").waitFor();
});

for (const [window, options] of windows) {
  test(`the question is in contrast, its controls named and large enough, on ${window}`, {
    skip: noBrowser,
  }, async () => {
    const client = await house.add(`Look-${window.replaceAll(" ", "")}`, { redirectUris: [`${viewer}/callback`] });
    const other = await openBrowser(options);
    try {
      await enterAs(other, ada.secret);
      const scope = "openid offline_access launch/patient patient/ImagingStudy.rs dicomweb.write";
      await follow(other, `${ask(client.id, scope).url}&prompt=consent`);
      await other.page.getByRole("button", { name: "Allow", exact: true }).waitFor();
      await assertReachable(other.page, `consent on ${window}`);
    } finally {
      await other.remove();
    }
  });
}

test("no page broke its content security policy or threw", { skip: noBrowser }, () => {
  assert.deepEqual(
    there(browser).complaints.filter((text) => !text.includes(viewer)),
    [],
  );
});
