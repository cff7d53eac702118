import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Caller, OverseenHouse } from "../flows/overseen-house.fixture.ts";
import { type Browser, openBrowser, siteOf } from "./browser.fixture.ts";
import { assertReachable, windows } from "./reach.fixture.ts";

/** Gives the browser the session of that caller. */
export async function enterAs(browser: Browser, { house }: OverseenHouse, caller: Caller): Promise<void> {
  const at = caller.cookie.indexOf("=");
  const cookie = { name: caller.cookie.slice(0, at), value: caller.cookie.slice(at + 1) };
  await browser.context.addCookies([
    { ...cookie, url: siteOf(house), httpOnly: true, secure: true, sameSite: "Strict" },
  ]);
}

/** `assertReachable` on a desk and on a phone; `show` leads there. */
export async function assertReachableEverywhere(
  overseen: OverseenHouse,
  caller: Caller,
  name: string,
  show: (page: Page) => Promise<void>,
): Promise<void> {
  for (const [window, options] of windows) {
    const browser = await openBrowser(options);
    try {
      await enterAs(browser, overseen, caller);
      await show(browser.page);
      await assertReachable(browser.page, `${name} on ${window}`);
      assert.deepEqual(browser.complaints, []);
    } finally {
      await browser.remove();
    }
  }
}
