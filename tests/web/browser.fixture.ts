import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, type BrowserContextOptions, chromium, type Page, type Request } from "playwright-core";
import type { EnrolledSecondFactor, RecoveryKit, StudyPage, StudyView } from "#formats/api";
import { totpCode } from "#trust/access";
import { type RunningHouse, root } from "../house/index.ts";

const program = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);

/** Why these tests cannot run here, or false. */
export const noBrowser =
  program === undefined
    ? "needs chromium: apt install chromium"
    : existsSync(join(root, "apps", "web", "dist", "index.html"))
      ? false
      : "needs the browser application: npm run build";

/** With fewer of these the canvases stay blank where there is no GPU. */
const flags = [
  "--enable-unsafe-webgpu",
  "--use-angle=swiftshader",
  "--use-vulkan=swiftshader",
  "--enable-features=Vulkan",
  "--ignore-gpu-blocklist",
  "--enable-unsafe-swiftshader",
  "--no-sandbox",
  "--disable-background-networking",
  "--no-first-run",
  "--disable-component-update",
  "--disable-sync",
];

/** A browser of somebody's own: what it keeps, no other has. */
export interface Browser {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What went wrong in the page so far: broken policies, thrown errors. */
  readonly complaints: readonly string[];
  /** Closes it; what it kept is gone. */
  remove(): Promise<void>;
}

export interface BrowserOptions {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: "light" | "dark";
  readonly touch?: boolean;
}

const ofProgram = { executablePath: program ?? "", headless: true, args: flags };

/** Starting the program takes seconds, a window of its own a tenth of one: the browsers of a test file share one. */
let running: ReturnType<typeof chromium.launch> | undefined;
let windows = 0;

export async function openBrowser(options: BrowserOptions = {}): Promise<Browser> {
  running ??= chromium.launch(ofProgram);
  windows++;
  const context = await (await running).newContext(windowOf(options));
  return browserOf(context, async () => {
    await context.close();
    windows--;
    if (windows > 0) return;
    const last = running;
    running = undefined;
    await (await last)?.close();
  });
}

/** A browser that keeps what browsers keep in a folder, which can be looked at when it is closed. */
export async function openBrowserOnDisk(): Promise<Browser & { readonly folder: string; close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "lg-chromium-"));
  const context = await chromium.launchPersistentContext(folder, { ...ofProgram, ...windowOf({}) });
  const close = () => context.close();
  const browser = await browserOf(context, async () => {
    await close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { ...browser, folder, close };
}

function windowOf({ width = 1280, height = 800, scheme = "light", touch = false }: BrowserOptions) {
  const viewport = { width, height };
  return {
    ...{ ignoreHTTPSErrors: true, viewport, colorScheme: scheme, hasTouch: touch, isMobile: touch },
  } satisfies BrowserContextOptions;
}

async function browserOf(context: BrowserContext, remove: () => Promise<void>): Promise<Browser> {
  context.setDefaultTimeout(20_000);
  watchRequests(context);
  const page = context.pages()[0] ?? (await context.newPage());
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to/.test(message.text())) complaints.push(message.text());
  });
  return { context, page, complaints, remove };
}

/** What was asked of a server and is not answered whole. */
const unanswered = new WeakMap<BrowserContext, Set<Request>>();

function watchRequests(context: BrowserContext): void {
  const waiting = new Set<Request>();
  unanswered.set(context, waiting);
  context.on("request", (request) => {
    if (request.resourceType() !== "eventsource") waiting.add(request);
  });
  context.on("requestfinished", (request) => waiting.delete(request));
  context.on("requestfailed", (request) => waiting.delete(request));
}

const restMsMax = 20_000;

/** Until everything that the page asked for is there and shown, and nothing on it moves. */
export async function settled(page: Page): Promise<void> {
  const waiting = unanswered.get(page.context());
  for (const until = performance.now() + restMsMax; ; ) {
    const before = waiting?.size;
    await atRest(page);
    if (before === 0 && waiting?.size === 0) return;
    if (performance.now() > until) throw new Error(`no end to ${[...(waiting ?? [])].map((each) => each.url())}`);
  }
}

/** Until a page has not changed for a while, and says of nothing that it is still being read. */
function atRest(page: Page): Promise<void> {
  return page.evaluate(
    ([quietMs, msMax]) =>
      new Promise<void>((resolve, reject) => {
        const begun = performance.now();
        let since = begun;
        const observer = new MutationObserver(() => {
          since = performance.now();
        });
        observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
        const isMoving = () =>
          document.getAnimations().some(({ playState, effect }) => {
            return playState === "running" && effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY;
          });
        const isReading = () =>
          document.querySelector(".mantine-Loader-root, [aria-busy=true]") !== null ||
          /Reading (the|what)|Loading…/.test(document.body.textContent ?? "");
        const look = () => {
          const now = performance.now();
          if (isMoving() || isReading()) since = now;
          if (now - begun > msMax) reject(new Error("the page does not come to rest"));
          else if (now - since < quietMs) requestAnimationFrame(look);
          else resolve();
        };
        look();
      }),
    [120, restMsMax] as const,
  );
}

export const password = "four unrelated words here";

/** The address of the first page, without the secret. */
export const siteOf = (house: RunningHouse) => `https://localhost:${house.https}`;

/** The one-use link that the server printed; what it prints arrives through a pipe, some time after it is ready. */
export async function setupLink(house: RunningHouse): Promise<string> {
  for (let tries = 0; tries < 400; tries++) {
    const link = /https:\/\/\S+#setup=\S+/.exec(house.output())?.[0];
    if (link !== undefined) return link;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no one-use link in:\n${house.output()}`);
}

/** RFC 4648 base32, as an authenticator app reads the typed key. */
export function seedOf(base32: string): Uint8Array {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...base32.replaceAll(/[\s=]/g, "")]
    .map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0"))
    .join("");
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

/** What an authenticator shows now. */
export function codeNow(base32: string): string {
  return totpCode(seedOf(base32), Date.now());
}

/** Somebody who has just made an account. */
export interface Administrator {
  readonly kit: RecoveryKit;
  /** The session cookie that confirming brought. */
  readonly cookie: { readonly name: string; readonly value: string };
}

/** Makes the administrator without a browser, for tests that are about something else. */
export async function makeAdministrator(house: RunningHouse): Promise<Administrator> {
  return joinBy(house, await setupLink(house), "ada");
}

/** Makes the account that a one-use link is for, without a browser. */
export async function joinBy(house: RunningHouse, link: string, name: string): Promise<Administrator> {
  const secret = new URL(link).hash.replace("#setup=", "");
  const post = (path: string, body: object) =>
    house.fetch(path, {
      anonymous: true,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const enrolled = (await (
    await post("/api/setup/account", { secret, name, password })
  ).json()) as EnrolledSecondFactor;
  const confirmed = await post("/api/setup/confirm", { secret, code: codeNow(enrolled.totpSecret) });
  if (!confirmed.ok) throw new Error(`confirming was refused: ${await confirmed.text()}`);
  const [pair = ""] = (confirmed.headers.get("set-cookie") ?? "").split(";");
  const at = pair.indexOf("=");
  return {
    kit: (await confirmed.json()) as RecoveryKit,
    cookie: { name: pair.slice(0, at), value: pair.slice(at + 1) },
  };
}

/** Gives the browser that session. */
export function enter(browser: Browser, { cookie }: Administrator, house: RunningHouse): Promise<void> {
  return browser.context.addCookies([
    { ...cookie, url: siteOf(house), httpOnly: true, secure: true, sameSite: "Strict" },
  ]);
}

export async function listStudies(house: RunningHouse): Promise<readonly StudyView[]> {
  const answer = await house.fetch("/api/studies?limit=200");
  return ((await answer.json()) as StudyPage).studies;
}

/** Opens a study and waits until its first picture is drawn. */
export async function openStudy(page: Page, house: RunningHouse, token: string): Promise<void> {
  await page.goto(`${siteOf(house)}/studies/${token}`);
  await page.waitForSelector('[data-testid="viewport-0"][data-status="ready"]');
  await drawn(page);
}

/** Two frames of the display after the last change: what was asked for is on the canvas. */
export async function drawn(page: Page): Promise<void> {
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 60)))),
  );
}

/** Somebody who signs in at as many browsers as a test wants. */
export interface AtBrowsers {
  open(options?: BrowserOptions): Promise<Browser>;
}

/** The administrator of a house that has none yet. */
export async function administratorAt(house: RunningHouse): Promise<AtBrowsers> {
  const administrator = await makeAdministrator(house);
  return {
    async open(options) {
      const browser = await openBrowser(options);
      await enter(browser, administrator, house);
      return browser;
    },
  };
}
