import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { slicesOf, stow } from "../flows/modality.fixture.ts";
import { type RunningHouse, startHouse } from "../house/index.ts";
import {
  type Administrator,
  type Browser,
  enter,
  joinBy,
  makeAdministrator,
  noBrowser,
  openBrowser,
  siteOf,
} from "./browser.fixture.ts";
import { assertReachable, tabStops, windows } from "./reach.fixture.ts";

/*
 * An administrator in one browser, whoever she lets in in another: the tests follow on each other.
 */
let house: RunningHouse;
let administrator: Administrator;
let [adas, miras]: Browser[] = [];

const there = <T>(value: T | undefined): T => value ?? assert.fail("not there");
const options = { skip: noBrowser };
const slicesOfPatient = (name: string, id: string, seed: number) =>
  slicesOf({
    ...{ kind: "mr-brain", slices: 1, size: 64, seed },
    patient: { name, id, birthDate: "19700102", sex: "F" },
    accessionNumber: `A-${seed}`,
  });

before(async () => {
  if (noBrowser !== false) return;
  house = await startHouse();
  administrator = await makeAdministrator(house);
  for (const [name, id, seed] of [
    ["Abel^Anna", "P-1", 71],
    ["Abel^Anna", "P-1", 72],
    ["Baker^Bruno", "P-2", 73],
  ] as const)
    assert.equal((await stow(house, slicesOfPatient(name, id, seed))).status, 200);
  adas = await openBrowser();
  await adas.context.grantPermissions(["clipboard-write"]);
  await enter(adas, administrator, house);
});
after(async () => {
  await adas?.remove();
  await miras?.remove();
  await house?.remove();
});

const go = (page: Page, path: string) => page.goto(siteOf(house) + path);
const placesIn = (page: Page) => page.getByRole("navigation", { name: "Pages" }).getByRole("link").allTextContents();
const hasNoAdministration = async (page: Page) => {
  const shown = await placesIn(page);
  assert.deepEqual([shown.includes("Studies"), shown.includes("Administration")], [true, false], shown.join());
};
const notForYou = (page: Page) => page.getByRole("heading", { name: "There is no such page" }).waitFor();

/** Invites in the page that is open; gives the link. */
async function invite(page: Page, name: string, role: string): Promise<string> {
  await page.getByRole("button", { name: "Invite a person" }).click();
  const dialog = page.getByRole("dialog", { name: "Invite a person" });
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByLabel(role).check();
  await dialog.getByRole("button", { name: "Make the link" }).click();
  const link = (await page.getByTestId("issued-link").textContent()) ?? "";
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Close it" }).click();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  return link;
}

async function enterBy(link: string, name: string): Promise<Browser> {
  const person = await joinBy(house, link, name);
  const browser = await openBrowser();
  await enter(browser, person, house);
  return browser;
}

async function endGrant(page: Page, words: RegExp): Promise<void> {
  await page.getByRole("button", { name: words }).click();
  await page.getByRole("group", { name: "End this grant?" }).getByRole("button", { name: "End it" }).click();
}

test(
  "who is invited is shown with the end of the link; who follows it is a person with a role, and the invitation is gone",
  options,
  async () => {
    const { page } = there(adas);
    await go(page, "/people");
    const link = await invite(page, "Mira", "Technologist");
    assert.match(link, /^https:\/\/localhost:\d+\/#setup=\S{20,}$/);
    await page.getByRole("row", { name: /mira Technologist (tomorrow|in 2[34] hr)/ }).waitFor();
    miras = await enterBy(link, "mira");
    await page.reload();
    await page.getByRole("row", { name: /mira Technologist Everywhere Password and authenticator just now/ }).waitFor();
    await page.getByText("Nobody. Who is invited").waitFor();
  },
);

test("a link that is shown once, and what was typed, are not lost by a slip: the dialog asks", options, async () => {
  const { page } = there(adas);
  await page.keyboard.press("n");
  const dialog = page.getByRole("dialog", { name: "Invite a person" });
  await dialog.getByLabel("Name").fill("nobody");
  await page.keyboard.press("Escape");
  await dialog.getByRole("alert").getByText("throw away what you typed").waitFor();
  await dialog.getByRole("button", { name: "Go on here" }).click();
  assert.equal(await dialog.getByLabel("Name").inputValue(), "nobody");
  await dialog.getByRole("button", { name: "Not now" }).click();
  await dialog.getByRole("button", { name: "Close it" }).click();
  await dialog.waitFor({ state: "hidden" });
});

test(
  "a technologist sees studies, devices and the status, and no administration: not by address, not in the palette",
  options,
  async () => {
    const { page } = there(miras);
    await go(page, "/");
    await page.getByText("3 studies").waitFor();
    await hasNoAdministration(page);
    for (const path of [
      "/people",
      `/people/${"a".repeat(32)}`,
      "/grants",
      "/roles",
      "/programs",
      "/confirmations",
      "/log",
    ]) {
      await go(page, path);
      await notForYou(page);
    }
    await page.keyboard.press("Control+k");
    const palette = page.getByPlaceholder(/Patient, ID/);
    await palette.fill("Device");
    await page.getByText("Devices", { exact: true }).last().waitFor();
    await palette.fill("Grants");
    await page.locator("[data-action]", { hasText: "Devices" }).waitFor({ state: "hidden" });
    assert.equal(await page.locator("[data-action]", { hasText: "Grants" }).count(), 0);
    await page.keyboard.press("Escape");
    await go(page, "/devices");
    await page.getByText("No device is admitted yet").waitFor();
    assert.equal(await page.getByRole("button", { name: /Add device|Add facility/ }).count(), 0);
  },
);

test("the grant that ends takes the page from the other browser at once, without a word from it", options, async () => {
  const [ada, mira] = [there(adas).page, there(miras).page];
  await ada.getByRole("link", { name: "mira", exact: true }).click();
  await ada.getByRole("button", { name: "Give a grant" }).click();
  const dialog = ada.getByRole("dialog", { name: "Give mira a grant" });
  await dialog.getByLabel("As", { exact: true }).selectOption("auditor");
  await dialog.getByRole("button", { name: "Give" }).click();
  await ada.getByRole("row", { name: /Auditor Everywhere Running the facility ada just now/ }).waitFor();
  await go(mira, "/grants");
  const own = mira.getByRole("row", { name: /mira Auditor Everywhere/ });
  await own.waitFor();
  await endGrant(ada, /^End: mira, Auditor/);
  await notForYou(mira);
  await hasNoAdministration(mira);
  assert.equal(await own.count(), 0);
  await ada.getByRole("button", { name: "Show 1 ended one" }).click();
  await ada.getByRole("row", { name: /Auditor .* ended/ }).waitFor();
});

test("with the last grant goes the session: the other browser is at the sign-in", options, async () => {
  const [ada, mira] = [there(adas).page, there(miras).page];
  await endGrant(ada, /^End: mira, Technologist/);
  await mira.getByRole("heading", { name: /Sign in/ }).waitFor();
  await ada.getByText("mira cannot sign in until something is granted").waitFor();
});

test(
  "the last administrator stays one, whichever way it is tried, and the page says what to do first",
  options,
  async () => {
    const { page } = there(adas);
    await go(page, "/people");
    await page.getByRole("link", { name: "ada", exact: true }).click();
    await endGrant(page, /^End: ada, Administrator/);
    await page.getByRole("alert").getByText("Make somebody else an administrator first").waitFor();
    await page.getByRole("button", { name: "Keep" }).click();
    await page.getByRole("button", { name: "Remove the account…" }).click();
    const dialog = page.getByRole("dialog", { name: "Remove ada?" });
    const remove = dialog.getByRole("button", { name: "Remove" });
    assert.equal(await remove.isDisabled(), true, "the name is typed first");
    await dialog.getByLabel("Type ada to remove it").fill("ada");
    await remove.click();
    await dialog.getByRole("alert").getByText("last administrator").waitFor();
    await dialog.getByRole("button", { name: "Keep it" }).click();
  },
);

test("a researcher holds no other role, and is told why", options, async () => {
  const { page } = there(adas);
  await page.getByRole("button", { name: "Give a grant" }).click();
  const dialog = page.getByRole("dialog", { name: "Give ada a grant" });
  await dialog.getByLabel("As", { exact: true }).selectOption("researcher");
  assert.equal(await dialog.getByLabel("What for").inputValue(), "research", "what the role is for stands there");
  await dialog.getByRole("button", { name: "Give" }).click();
  await dialog.getByRole("alert").getByText("a second account for the research").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
});

test("what may not be hit by mistake comes once nothing above it moves it any more", options, async () => {
  const { page } = there(adas);
  const arrives = Promise.withResolvers<void>();
  await page.route("**/api/sessions/everybody", async (route) => {
    await arrives.promise;
    await route.continue();
  });
  await go(page, "/people");
  await page.getByRole("link", { name: "mira", exact: true }).click();
  await page.getByRole("table", { name: "Grants of mira" }).or(page.getByText("Nothing: mira cannot")).waitFor();
  const remove = page.getByRole("button", { name: "Remove the account…" });
  assert.equal(await remove.count(), 0);
  arrives.resolve();
  await remove.waitFor();
  await page.unroute("**/api/sessions/everybody");
});

test(
  "who lost their ways in is given new ones by another administrator, with a reason; nobody vouches for themselves",
  options,
  async () => {
    const { page } = there(adas);
    await go(page, "/people");
    await page.getByRole("link", { name: "ada", exact: true }).click();
    await page.getByRole("button", { name: "Remove the account…" }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Give new ways in…" }).count(), 0);
    await go(page, "/people");
    await page.getByRole("link", { name: "mira", exact: true }).click();
    await page.getByRole("button", { name: "Give new ways in…" }).click();
    await page.getByLabel("Reason").fill("Lost the phone; came to the office");
    await page.getByRole("button", { name: "Make the link" }).click();
    assert.match((await page.getByTestId("issued-link").textContent()) ?? "", /#setup=\S{20,}$/);
    await page.getByRole("button", { name: "Copy the link" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("dialog").waitFor({ state: "hidden" });
  },
);

test("an account is removed after its name was typed", options, async () => {
  const { page } = there(adas);
  await go(page, "/people");
  await page.getByRole("link", { name: "mira", exact: true }).click();
  await page.getByRole("button", { name: "Remove the account…" }).click();
  await page.getByLabel("Type mira to remove it").fill("mira");
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await page.getByRole("heading", { name: "People" }).waitFor();
  await page.getByText("1 account", { exact: true }).waitFor();
});

test("the filters of the grants are in the address and come back with it; a name is not in it", options, async () => {
  const { page } = there(adas);
  await go(page, "/grants?role=radiologist&place=tenant&who=somebody");
  await page.getByText("1 grant", { exact: true }).waitFor();
  assert.equal(await page.getByRole("combobox", { name: "Role" }).inputValue(), "Radiologist");
  await page.locator('[aria-label="Any role"]').click();
  await page.getByLabel("Ended ones too").check();
  await page.getByRole("row", { name: /a removed account Technologist/ }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByLabel("Search grants by name").fill("ada");
  await page
    .getByRole("row", { name: /a removed account/ })
    .first()
    .waitFor({ state: "hidden" });
  const { search } = new URL(page.url());
  assert.match(search, /place=tenant/);
  assert.match(search, /ended=true/);
  assert.doesNotMatch(search, /\bada\b|somebody|role/);
  await page.getByLabel("Search grants by name").fill("zzz");
  await page.getByRole("button", { name: "Show all that hold" }).click();
  await page.getByRole("row", { name: /ada Administrator Everywhere/ }).waitFor();
  assert.equal(new URL(page.url()).search, "");
});

test("what each role may do stands in words, by role and as a whole", options, async () => {
  const { page } = there(adas);
  await go(page, "/roles");
  const matrix = page.getByRole("table", { name: "Acts and roles" });
  await matrix.getByRole("row", { name: "Look at images" }).getByLabel("Radiologist: where granted").waitFor();
  assert.equal(
    await matrix
      .getByRole("row", { name: "Look at images" })
      .getByLabel(/^Administrator/)
      .count(),
    0,
  );
  const words = await matrix.locator("tbody th[scope=row]").allTextContents();
  assert.deepEqual(
    words.filter((text) => /^[a-z-]+\.[a-z-.]+$/.test(text)),
    [],
  );
  await page.getByRole("combobox", { name: "Role" }).click();
  await page.getByRole("option", { name: "Front desk" }).click();
  await page.getByRole("list", { name: "Front desk: Patients" }).getByText("Merge two patients").waitFor();
  assert.equal(new URL(page.url()).search, "?role=front-desk");
});

test(
  "a program is added, shows the id that it asks with, and is removed; an address that is none is refused",
  options,
  async () => {
    const { page } = there(adas);
    await go(page, "/programs");
    await page.getByRole("button", { name: "Add a program" }).click();
    const dialog = page.getByRole("dialog", { name: "Add a program" });
    await dialog.getByLabel("Name").fill("viewer");
    await dialog.getByLabel("Sends people back to").fill("http://viewer.example.org/callback");
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await dialog.getByRole("alert").getByText("http is taken for localhost only").waitFor();
    await dialog.getByLabel("Sends people back to").fill("https://viewer.example.org/callback");
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await page
      .getByRole("row", { name: /viewer App of people [0-9a-f]{32} https:\/\/viewer\.example\.org\/callback nothing/ })
      .waitFor();
    await page.getByRole("row", { name: /test Script, by a token Program, everywhere/ }).waitFor();
    await page.getByRole("button", { name: "Remove viewer" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByRole("row", { name: /viewer/ }).waitFor({ state: "hidden" });
  },
);

test(
  "a facility is added and renamed, a device is put into it, and a person is given that place",
  options,
  async () => {
    const { page } = there(adas);
    await go(page, "/devices");
    await page.getByLabel("Name of a new facility").fill("North");
    await page.getByRole("button", { name: "Add facility" }).click();
    await page.getByRole("button", { name: "Rename North" }).click();
    await page.getByLabel("New name of North").fill("North clinic");
    await page.keyboard.press("Enter");
    await page.getByRole("table", { name: "Facilities" }).getByText("North clinic").waitFor();
    await page.getByLabel("AE title").fill("MR7");
    await page.getByLabel("Address").fill("192.0.2.7");
    await page.getByLabel("Facility", { exact: true }).selectOption({ label: "North clinic" });
    await page.getByRole("button", { name: "Add device" }).click();
    const facility = page.getByLabel("Facility of MR7 at 192.0.2.7");
    await facility.waitFor();
    const north = await facility.inputValue();
    assert.match(north, /^[0-9a-f]{32}$/);
    await facility.selectOption("");
    await page.waitForFunction(() => document.querySelector<HTMLSelectElement>("td select")?.value === "");
    await go(page, "/grants");
    await page.getByRole("button", { name: "Give a grant" }).click();
    await page.getByRole("combobox", { name: "Who" }).fill("ada");
    await page.getByLabel("As", { exact: true }).selectOption("referrer");
    await page.getByLabel("Where", { exact: true }).selectOption({ label: "North clinic" });
    await page.getByRole("button", { name: "Give", exact: true }).click();
    await page.getByRole("row", { name: /ada Referring physician North clinic Treatment/ }).waitFor();
    await go(page, `/grants?place=${north}`);
    await page.getByText("1 grant", { exact: true }).waitFor();
  },
);

test("from a study, somebody new is let in to all of its patient and sees nobody else", options, async () => {
  const { page } = there(adas);
  await go(page, "/");
  await page
    .getByRole("row", { name: /Abel, Anna/ })
    .first()
    .click({ button: "right" });
  await page.getByRole("menuitem", { name: "Give access…" }).click();
  const dialog = page.getByRole("dialog", { name: /^Give access: Abel, Anna, MR/ });
  await dialog.getByText("Is new here").click();
  await dialog.getByLabel("Who").fill("rita");
  await dialog.getByLabel("Where").selectOption({ label: "All studies of this patient" });
  await dialog.getByRole("button", { name: "Make the link" }).click();
  const link = (await page.getByTestId("issued-link").textContent()) ?? "";
  const ritas = await enterBy(link, "rita");
  try {
    await go(ritas.page, "/");
    await ritas.page.getByText("2 studies").waitFor();
    assert.equal(await ritas.page.getByText("Baker").count(), 0);
    await hasNoAdministration(ritas.page);
    assert.equal((await placesIn(ritas.page)).includes("Devices"), false);
    assert.deepEqual(ritas.complaints, []);
  } finally {
    await ritas.remove();
  }
});

for (const [window, more] of windows) {
  test(
    `every page of administration is in contrast, its controls named and large enough, on ${window}`,
    options,
    async () => {
      const other = await openBrowser(more);
      const { page } = other;
      try {
        await enter(other, administrator, house);
        await go(page, "/people");
        const person = (await page.getByRole("link", { name: "ada", exact: true }).getAttribute("href")) ?? "";
        for (const path of [
          "/people",
          person,
          "/grants?ended=true",
          "/roles",
          "/roles?role=auditor",
          "/programs",
          "/devices",
        ]) {
          await go(page, path);
          await page.getByRole("heading", { level: 1 }).waitFor();
          await assertReachable(page, `${path} on ${window}`);
        }
        await go(page, "/people");
        await page.getByRole("button", { name: "Invite a person" }).click();
        await page.getByRole("dialog").waitFor();
        await assertReachable(page, `inviting on ${window}`);
      } finally {
        await other.remove();
      }
    },
  );
}

test("everything on the pages of people and grants is reached by Tab, with the focus in sight", options, async () => {
  const { page } = there(adas);
  for (const [path, wanted] of [
    ["/people", ["People", "Grants", "Log", "Search people by name", "Role", "Invite a person", "ada", "rita"]],
    ["/grants", ["Search grants by name", "Role", "Place", "Give a grant", "rita", "End: rita"]],
  ] as const) {
    await go(page, path);
    await page.getByRole("link", { name: "rita", exact: true }).waitFor();
    const stops = await tabStops(page);
    for (const name of wanted)
      assert.ok(
        stops.some((stop) => stop.name.startsWith(name)),
        `${name} is reached: ${stops.map((stop) => stop.name).join(", ")}`,
      );
    assert.deepEqual(
      stops.filter((stop) => !stop.isSeen),
      [],
    );
  }
});

test("no page broke its content security policy or threw", options, () => {
  assert.deepEqual([...there(adas).complaints, ...there(miras).complaints], []);
});
