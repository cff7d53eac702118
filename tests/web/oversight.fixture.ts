import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Caller, OverseenHouse } from "../flows/overseen-house.fixture.ts";
import { type Browser, openBrowser, siteOf } from "./browser.fixture.ts";
import { faintTexts, poorControls } from "./reach.fixture.ts";

/** Gives the browser the session of that caller. */
export async function enterAs(browser: Browser, { house }: OverseenHouse, caller: Caller): Promise<void> {
  const at = caller.cookie.indexOf("=");
  const cookie = { name: caller.cookie.slice(0, at), value: caller.cookie.slice(at + 1) };
  await browser.context.addCookies([
    { ...cookie, url: siteOf(house), httpOnly: true, secure: true, sameSite: "Strict" },
  ]);
}

export const looks = [
  ["light", { scheme: "light" }],
  ["dark", { scheme: "dark" }],
  ["phone", { width: 390, height: 844, touch: true, scheme: "light" }],
] as const;

/** In contrast, controls named and large enough, no wider than the window; a picture of it where one is asked for. */
export async function assertReachable(page: Page, name: string): Promise<void> {
  await page.waitForTimeout(400);
  const pictures = process.env.LEADGLASS_PICTURES;
  if (pictures !== undefined) await page.screenshot({ path: `${pictures}/${name}.png` });
  assert.deepEqual(await faintTexts(page), [], name);
  assert.deepEqual(await poorControls(page), [], name);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 0, `${name} is ${overflow} px too wide`);
}

/** The same in light, dark and on a phone; `show` leads there. */
export async function assertReachableEverywhere(
  overseen: OverseenHouse,
  caller: Caller,
  name: string,
  show: (page: Page) => Promise<void>,
): Promise<void> {
  for (const [look, options] of looks) {
    const browser = await openBrowser(options);
    try {
      await enterAs(browser, overseen, caller);
      await show(browser.page);
      await assertReachable(browser.page, `${name}-${look}`);
      assert.deepEqual(browser.complaints, []);
    } finally {
      await browser.remove();
    }
  }
}
