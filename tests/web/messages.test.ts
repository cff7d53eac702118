import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { codeOf, messageOf, type Receiver, receiverAt, senderAt } from "../flows/mllp.fixture.ts";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { type AtBrowsers, administratorAt, type Browser, noBrowser, siteOf } from "./browser.fixture.ts";
import { assertReachable, windows } from "./reach.fixture.ts";

/* Messages as who looks after them sees them: the tests follow on each other. */
let house: RunningHouse;
let administrator: AtBrowsers;
let browser: Browser;
let ris: Receiver;
const options = { skip: noBrowser };

before(async () => {
  if (noBrowser !== false) return;
  [house, ris] = await Promise.all([startHouse({ environment: { LEADGLASS_HL7_PORT: "0" } }), receiverAt()]);
  administrator = await administratorAt(house);
  browser = await administrator.open();
});
after(async () => {
  await browser?.remove();
  await ris?.stop();
  await house?.remove();
});

const dialogIn = (page: Page) => page.getByRole("dialog");
const listIn = (page: Page) => page.getByRole("table", { name: "Messages", exact: true });
async function order(number: string, control: string): Promise<void> {
  const sender = senderAt(house.hl7);
  const message = messageOf("ORM^O01", `${control}${number}`, [
    "PID|1||P1^^^HOSP^MR||Doe^Jane||19700102|F",
    `ORC|${control}|${number}|F${number}||||^^^202603020915`,
    `OBR|1|${number}|F${number}|CTH^CT head^L||||||||||||||A${number}|RP${number}|SPS${number}||||CT`,
  ]);
  assert.equal(codeOf(await sender.send(message)), "AA");
  sender.close();
}

test("where no system is sent messages it is said how one comes to be there", options, async () => {
  const { page } = browser;
  await page.goto(`${siteOf(house)}/messages`);
  await page.getByText("No system is sent messages yet.").waitFor();
  await page.getByText("No message yet.").waitFor();
  await assertReachable(page, "messages-none");
});

test("what came and went is listed; one is opened, read by its segments, and sent again", options, async () => {
  const { page } = browser;
  house.command(["device", "add", "HIS", "--address", "127.0.0.1", "--may", "orders"]);
  house.command(["device", "add", "RIS", "--address", "127.0.0.1", "--port", String(ris.port), "--may", "status"]);
  ris.answering((message) => (message.includes("|200|") ? "AR" : "AA"));
  for (const number of ["100", "200"]) for (const control of ["NW", "CA"]) await order(number, control);
  await ris.until(2);
  await page.getByRole("button", { name: "Look again" }).click();
  await listIn(page).getByText("set aside: it answered AR").waitFor();
  await assertReachable(page, "messages");
  await listIn(page).getByRole("row").filter({ hasText: "sent" }).getByRole("button", { name: "ORM^O01" }).click();
  await dialogIn(page).getByText("Order status").waitFor();
  await dialogIn(page).getByText("Doe^Jane").waitFor();
  await dialogIn(page).getByText("What was answered").waitFor();
  await assertReachable(page, "messages-one");
  assert.ok(!page.url().includes("Doe"), "no value of a patient's in the address");
  await dialogIn(page).getByRole("button", { name: "Send again…" }).click();
  await dialogIn(page).getByRole("button", { name: "Send it again" }).click();
  await dialogIn(page).getByRole("button", { name: "an earlier message" }).waitFor();
  await ris.until(3);
  await page.keyboard.press("Escape");
  await listIn(page).getByText("ORM^O01 again").waitFor();
});

test("a queue is held and goes on, and how a system is written to is changed", options, async () => {
  const { page } = browser;
  await page.getByRole("button", { name: "Hold RIS" }).click();
  await page.getByText("held: nothing is sent").waitFor();
  await page.getByRole("button", { name: "Change how RIS is written to" }).click();
  await dialogIn(page).getByLabel("Receiving application (MSH-5)").fill("EPIC");
  await assertReachable(page, "messages-partner");
  await dialogIn(page).getByRole("button", { name: "Save" }).click();
  await page.getByRole("table", { name: "Systems that take messages" }).getByText("EPIC", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Resume RIS" }).click();
  await page.getByRole("button", { name: "Hold RIS" }).waitFor();
  assert.deepEqual(browser.complaints, []);
});

for (const [window, size] of windows) {
  test(`the page fits ${window}`, options, async () => {
    const other = await administrator.open(size);
    try {
      await other.page.goto(`${siteOf(house)}/messages`);
      await listIn(other.page).getByText("set aside: it answered AR").waitFor();
      await assertReachable(other.page, `messages on ${window}`);
    } finally {
      await other.remove();
    }
  });
}
