import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import type { AsideView, EdgeCodeView, EdgeHistoryView, EdgeReport } from "#formats/api";
import { soundReport } from "../../formats/api/edge-report.fixture.ts";
import { type RunningHouse, startHouse } from "../house/index.ts";
import {
  type Administrator,
  type Browser,
  type BrowserOptions,
  enter,
  makeAdministrator,
  noBrowser,
  openBrowser,
  settled,
  siteOf,
} from "./browser.fixture.ts";
import { assertReachable } from "./reach.fixture.ts";

/* A box and its cloud, each with its page; where a box has trouble, what its server answers is put in its place. */
let cloud: RunningHouse;
let box: RunningHouse;
const administrators = new Map<RunningHouse, Administrator>();
const options = { skip: noBrowser };

before(async () => {
  if (noBrowser !== false) return;
  [cloud, box] = await Promise.all([startHouse(), startHouse({ environment: { LEADGLASS_ROLE: "edge" } })]);
  for (const house of [cloud, box]) administrators.set(house, await makeAdministrator(house));
});
after(() => Promise.all([cloud?.remove(), box?.remove()]));

async function opened(t: TestContext, house: RunningHouse, size: BrowserOptions = {}): Promise<Browser> {
  const browser = await openBrowser(size);
  t.after(() => browser.remove());
  await enter(browser, administrators.get(house) as Administrator, house);
  return browser;
}

/** A bad morning: the link went down, images wait, one was refused, a stranger calls. */
function troubled(now: number): EdgeReport {
  const sound = soundReport(now);
  const minute = 60_000;
  const device = (name: string, storedToday: number, failedToday: number) => {
    return { name, storedToday, failedToday, lastSeenAt: now - minute };
  };
  return {
    ...sound,
    queue: { parcels: 1_204, bytes: 6.2e9, oldestAt: now - 95 * minute, aside: 1 },
    link: { ...sound.link, state: "down", since: now - 95 * minute, streams: 0, clockAheadMs: 240_000 },
    disk: { freeBytes: 2.6e9, reservedBytes: 0.5e9 },
    receivedPerMinute: 112,
    devices: [device("CT_HALL", 2_204, 0), device("MR1", 610, 12), device("US_ROOM_3", 48, 0)],
    callers: [{ name: "DX_NEW", address: "10.1.2.3", lastAt: now - 5 * minute }],
    error: { at: now - 90 * minute, message: "the cloud cannot be reached", remedy: "look at the firewall" },
  };
}

function troubledHistory(now: number): EdgeHistoryView {
  const stepMs = 120_000;
  const first = Math.floor((now - 720 * stepMs) / stepMs) * stepMs;
  const of = (valueAt: (step: number) => number) =>
    Array.from({ length: 720 }, (_, step) => (step > 300 && step < 340 ? null : valueAt(step)));
  const isDown = (step: number) => step > 672;
  return {
    ...{ stepMs, at: Array.from({ length: 720 }, (_, step) => first + step * stepMs) },
    parcels: of((step) => (isDown(step) ? (step - 672) * 25 : 8 * (1 + Math.sin(step / 20)))),
    bytes: of(() => 1e6),
    oldestMs: of((step) => (isDown(step) ? (step - 672) * stepMs : 20_000)),
    sentBytesPerSecond: of((step) => (isDown(step) ? 0 : 11e6 * (1 + Math.sin(step / 30)))),
    receivedPerMinute: of((step) => 60 * (1 + Math.sin(step / 30))),
    freeBytes: of((step) => (isDown(step) ? 9e9 - (step - 672) * 1.3e8 : 9e9)),
    up: of((step) => (isDown(step) ? 0 : 1)),
  };
}

async function inTrouble({ page }: Browser, asides: AsideView[]): Promise<string[]> {
  const now = Date.now();
  const asked: string[] = [];
  await page.route(/\/api\/edge\//, async (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname.endsWith("/report")) return route.fulfill({ json: troubled(now) });
    if (pathname.endsWith("/history")) return route.fulfill({ json: troubledHistory(now) });
    if (route.request().method() === "GET") return route.fulfill({ json: asides });
    asked.push(`${route.request().method()} ${pathname}`);
    asides.length = 0;
    return route.request().method() === "DELETE"
      ? route.fulfill({ status: 204 })
      : route.fulfill({ json: { again: 1 } });
  });
  return asked;
}

test("a box that belongs to no cloud says so on its own page, which only a box has", options, async (t) => {
  const browser = await opened(t, box);
  const { page } = browser;
  await page.goto(siteOf(box));
  await page.getByRole("link", { name: "This box" }).click();
  await page.getByRole("status").getByText("Not enrolled in a cloud").waitFor();
  await page.getByText("Add an edge shows the command").waitFor();
  await settled(page);
  assert.deepEqual(browser.complaints, []);
  const other = await opened(t, cloud);
  await other.page.goto(siteOf(cloud));
  await other.page.getByRole("link", { name: "Status" }).waitFor();
  await settled(other.page);
  assert.equal(await other.page.getByRole("link", { name: "This box" }).count(), 0);
});

for (const width of [1280, 800]) {
  test(`what is wrong stands first, with what to do, and plots under it: ${width} wide`, options, async (t) => {
    const browser = await opened(t, box, { width });
    const { page } = browser;
    const aside = { id: "a".repeat(32), length: 530_000, putAt: Date.now() - 9e6, asideAt: Date.now() - 8e6 };
    const asked = await inTrouble(browser, [{ ...aside, why: "the object cannot be read" }]);
    await page.goto(`${siteOf(box)}/this-box`);
    await page.getByText(/^No link since .*: 1,204 items wait; the oldest since/).waitFor();
    const [first] = await page.getByRole("list", { name: "What to do" }).getByRole("listitem").allTextContents();
    assert.match(first ?? "", /^Act nowNo link to the cloud since.*Look at the firewall\.$/);
    const plot = page.getByRole("img", { name: /^Waiting: .* at the end, between/ });
    await plot.waitFor();
    assert.equal(await page.getByRole("img", { name: /at the end, between/ }).count(), 5);
    await assertReachable(page, `edge-status ${width}`);
    if (width === 1280) {
      await plot.focus();
      await page.keyboard.press("ArrowLeft");
      await page.getByText(/\d{4}-\d\d-\d\d \d\d:\d\d\s+1,1\d\d items/).waitFor();
      await page.getByRole("button", { name: "Show as a table" }).click();
      await page.getByRole("table", { name: "History" }).getByText("not known").first().waitFor();
      await page.getByRole("button", { name: "Give up" }).click();
      await page.getByRole("dialog").getByText("will not be in the cloud").waitFor();
      await page.getByRole("dialog").getByRole("button", { name: "Give up" }).click();
      await page.getByRole("heading", { name: "Refused by the cloud" }).waitFor({ state: "detached" });
      assert.deepEqual(asked, [`DELETE /api/edge/asides/${"a".repeat(32)}`]);
    }
    assert.deepEqual(browser.complaints, []);
  });
}

test("in the cloud the list and a page for each edge say how it does, as it told last", options, async (t) => {
  const browser = await opened(t, cloud);
  const { page } = browser;
  const { url, code, edge } = JSON.parse(cloud.command(["edge", "add", "North", "--json"])) as EdgeCodeView;
  await page.goto(`${siteOf(cloud)}/edges`);
  await page.getByRole("link", { name: "North" }).waitFor();
  await page.goto(`${siteOf(cloud)}/edges/${edge.id}`);
  await page.getByText("its code waits to be typed").waitFor();
  assert.equal((await box.begin(["edge", "enroll", url, code])).status, 0);
  await page.getByText("Everything has reached the cloud").waitFor();
  await page.getByText(/^As it told at \d{4}/).waitFor();
  await settled(page);
  await assertReachable(page, "edge-page");
  await page.getByRole("link", { name: "Edges" }).first().click();
  await page.getByRole("row").filter({ hasText: "North" }).getByText("well").waitFor();
  await settled(page);
  await assertReachable(page, "edges with reports");
  assert.deepEqual(browser.complaints, []);
});
