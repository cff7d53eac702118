import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { type BrowserOptions, settled } from "./browser.fixture.ts";

/** The windows in which every page is looked at, each in light and in dark. */
export const windows: readonly (readonly [name: string, BrowserOptions])[] = [
  ["a desk", {}],
  ["a phone", { width: 390, height: 844, touch: true }],
];

/**
 * Once nothing on it moves any more: in contrast in light and in dark, controls named and large enough, no wider than the window. With a
 * picture of it where one is asked for.
 */
export async function assertReachable(page: Page, name: string): Promise<void> {
  const folder = process.env.LEADGLASS_PICTURES;
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    await settled(page);
    if (folder !== undefined) {
      await page.screenshot({ path: `${folder}/${name.replaceAll(/[^a-z0-9]+/gi, "-")}-${colorScheme}.png` });
    }
    assert.deepEqual(await faintTexts(page), [], `${name}, ${colorScheme}`);
  }
  assert.deepEqual(await poorControls(page), [], name);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 0, `${name} is ${overflow} px too wide`);
}

interface Faint {
  readonly text: string;
  readonly ratio: number;
}

/** Texts in sight whose contrast is under WCAG 2.2's 4.5:1 (3:1 when large, §1.4.3). Disabled controls are exempt. */
function faintTexts(page: Page): Promise<readonly Faint[]> {
  return page.evaluate(() => {
    type Colour = [number, number, number, number];
    const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const colourOf = (css: string): Colour => {
      if (context === null) return [0, 0, 0, 1];
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = css;
      context.fillRect(0, 0, 1, 1);
      const [red = 0, green = 0, blue = 0, alpha = 0] = context.getImageData(0, 0, 1, 1).data;
      return [red, green, blue, alpha / 255];
    };
    const over = (top: Colour, below: Colour): Colour => {
      const mix = (index: 0 | 1 | 2) => top[index] * top[3] + below[index] * (1 - top[3]);
      return [mix(0), mix(1), mix(2), 1];
    };
    const behind = (element: Element | null): Colour => {
      if (element === null) return [255, 255, 255, 1];
      const own = colourOf(getComputedStyle(element).backgroundColor);
      return own[3] >= 1 ? own : over(own, behind(element.parentElement));
    };
    const light = ([red, green, blue]: Colour) => {
      const linear = [red, green, blue].map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * (linear[0] ?? 0) + 0.7152 * (linear[1] ?? 0) + 0.0722 * (linear[2] ?? 0);
    };
    const faint: { text: string; ratio: number }[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const element = node.parentElement;
      const text = node.textContent?.trim() ?? "";
      if (
        element === null ||
        text === "" ||
        !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
      )
        continue;
      if (
        element.closest(
          ":disabled, [aria-disabled=true], [data-disabled], script, style, noscript, .visually-hidden",
        ) !== null
      )
        continue;
      const box = element.getBoundingClientRect();
      if (box.width < 2 || box.height < 2) continue;
      const style = getComputedStyle(element);
      const ground = behind(element);
      const [one, other] = [light(over(colourOf(style.color), ground)), light(ground)];
      const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      const size = Number.parseFloat(style.fontSize);
      const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (ratio < (isLarge ? 3 : 4.5)) faint.push({ text: text.slice(0, 40), ratio: Math.round(ratio * 100) / 100 });
    }
    return faint;
  });
}

/** Controls in sight that are smaller than 24 × 24 CSS pixels (WCAG 2.2 §2.5.8) or without a name (§4.1.2). */
function poorControls(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const poor: string[] = [];
    for (const element of document.querySelectorAll<HTMLElement>(
      "button, a[href], input, select, [role=button], [tabindex='0']",
    )) {
      const box = element.getBoundingClientRect();
      if (box.width < 2 || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      if (element.closest("[aria-hidden=true], .visually-hidden") !== null || box.bottom < 0) continue;
      const labels =
        "labels" in element
          ? [...((element as HTMLInputElement).labels ?? [])].map((label) => label.textContent).join("")
          : "";
      const labelled = element.getAttribute("aria-labelledby");
      const name =
        element.getAttribute("aria-label") || labelled || labels || element.textContent?.trim() || element.title;
      const target =
        labels !== "" && box.height < 24
          ? ((element as HTMLInputElement).labels?.[0]?.getBoundingClientRect() ?? box)
          : box;
      if (!name) poor.push(`${element.outerHTML.slice(0, 80)} has no name`);
      if (target.width < 24 || target.height < 24)
        poor.push(`${name} is ${Math.round(target.width)} × ${Math.round(target.height)}`);
    }
    return poor;
  });
}

export interface Stop {
  readonly name: string;
  /** Whether the focus can be seen. */
  readonly isSeen: boolean;
}

/** Where the Tab key stops, from the top of the page until it comes round. */
export async function tabStops(page: Page, most = 80): Promise<readonly Stop[]> {
  const stops: Stop[] = [];
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  for (let presses = 0; presses < most; presses += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === null || element === document.body) return null;
      const outlined = [element, element.parentElement].some((each) => {
        if (each === null) return false;
        const style = getComputedStyle(each);
        return style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 1;
      });
      const bordered = element.matches("input") && getComputedStyle(element).borderColor !== "";
      return {
        name: element.getAttribute("aria-label") || element.textContent?.trim().slice(0, 40) || element.tagName,
        isSeen: outlined || bordered,
      };
    });
    if (stop === null || (stops.length > 1 && stop.name === stops[0]?.name)) break;
    stops.push(stop);
  }
  return stops;
}
