// Rows 65, 70 and 71 of the attack table in a real browser: what hostile values and hostile pages get out of it.
import assert from "node:assert/strict";
import { createServer } from "node:https";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { fileOf, type Slice, slicesOf } from "../flows/modality.fixture.ts";
import {
  type Administrator,
  type Browser,
  enter,
  listStudies,
  makeAdministrator,
  noBrowser,
  openBrowser,
  siteOf,
} from "../web/browser.fixture.ts";
import { type AttackedHouse, startAttackedHouse } from "./attacked-house.fixture.ts";
import { makeBadCertificates } from "./bad-certificates.fixture.ts";
import { payloads } from "./script-payloads.fixture.ts";

let house: AttackedHouse;
let administrator: Administrator;
let browser: Browser;
before(async () => {
  if (noBrowser !== false) return;
  house = await startAttackedHouse();
  administrator = await makeAdministrator(house);
  browser = await openBrowser();
  await enter(browser, administrator, house);
  await browser.context.addInitScript(() => {
    const seen: string[] = [];
    Object.assign(globalThis, { attackRan: (what: string) => seen.push(`ran: ${what}`), seen });
    for (const name of ["alert", "confirm", "prompt"] as const)
      window[name] = (() => seen.push(`ran: ${name}`)) as never;
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective, sample }) =>
      seen.push(`refused: ${effectiveDirective} ${sample}`),
    );
  });
});
after(async () => {
  await browser?.remove();
  await house?.remove();
});

const pages = ["/", "/devices", "/confirmations", "/log", "/status"];
const seenIn = (page: Page) => page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen);
const settled = (page: Page) => page.waitForLoadState("networkidle");

/** Values of an image that pages show, each with a payload in its place. */
function poisoned(payload: string, index: number): Slice {
  const [slice] = slicesOf({ kind: "mr-brain", slices: 1, size: 16, seed: 6_500 + index }, (attributes) => ({
    ...attributes,
    SpecificCharacterSet: "ISO_IR 192",
    PatientName: payload.slice(0, 60),
    PatientID: `P${index}${payload}`.replace(/\\/g, "/").slice(0, 64),
    StudyDescription: payload.replace(/\\/g, "/").slice(0, 64),
    SeriesDescription: payload.replace(/\\/g, "/").slice(0, 64),
    AccessionNumber: payload.replace(/\\/g, "/").slice(0, 16),
    ReferringPhysicianName: payload.slice(0, 60),
    InstitutionName: payload.replace(/\\/g, "/").slice(0, 64),
    StationName: payload.replace(/\\/g, "/").slice(0, 16),
    PatientComments: payload,
    ImageComments: payload,
  }));
  assert.ok(slice);
  return slice;
}

/** The text of a report, which the viewer shows as a document. */
function poisonedReport(text: string, index: number): Slice {
  const item = (name: string, value: string) => ({
    RelationshipType: "CONTAINS",
    ValueType: "TEXT",
    ConceptNameCodeSequence: [
      { CodeValue: "1", CodingSchemeDesignator: "99", CodeMeaning: name.replace(/\\/g, "/").slice(0, 64) },
    ],
    TextValue: value,
  });
  const [slice] = slicesOf({ kind: "mr-brain", slices: 1, size: 16, seed: 7_500 + index }, (attributes) => {
    const { PixelData: _, ...rest } = attributes as Record<string, unknown>;
    return {
      ...rest,
      SOPClassUID: "1.2.840.10008.5.1.4.1.1.88.11",
      Modality: "SR",
      SpecificCharacterSet: "ISO_IR 192",
      PatientName: "Report^Reader",
      ValueType: "CONTAINER",
      ContinuityOfContent: "SEPARATE",
      CompletionFlag: "COMPLETE",
      VerificationFlag: "UNVERIFIED",
      ConceptNameCodeSequence: [{ CodeValue: "1", CodingSchemeDesignator: "99", CodeMeaning: "Report" }],
      ContentSequence: payloads.map((payload) => item(payload, payload)).concat(item("end", text)),
    };
  });
  assert.ok(slice);
  return slice;
}

async function stored(slices: readonly Slice[]): Promise<void> {
  const part = (slice: Slice, index: number) =>
    Buffer.concat([
      Buffer.from("--b\r\nContent-Type: application/dicom\r\n"),
      // A file's name, where a client gives one.
      Buffer.from(
        `Content-Disposition: attachment; filename="${(payloads[index] ?? "x").replace(/[\r\n"]/g, "")}.dcm"\r\n\r\n`,
      ),
      fileOf(slice),
      Buffer.from("\r\n"),
    ]);
  const body = Buffer.concat([...slices.map(part), Buffer.from("--b--\r\n")]);
  const headers = { "content-type": 'multipart/related; type="application/dicom"; boundary=b' };
  const answer = await house.fetch("/dicom-web/studies", { method: "POST", headers, body });
  assert.equal(answer.status, 200, await answer.text());
}

test("attack 65: 100 payloads in names, descriptions, comments, file names and reports run nowhere", {
  skip: noBrowser,
  timeout: 240_000,
}, async () => {
  assert.ok(payloads.length >= 100);
  const slices = [...payloads.map(poisoned), poisonedReport("the end", 0)];
  await house.under({ studies: slices.length, inputBytes: slices.length * 4_096 }, async () => {
    await stored(slices);
    for (let tries = 0; tries < 1_200 && (await listStudies(house)).length < slices.length; tries++)
      await new Promise((resolve) => setTimeout(resolve, 50));
  });
  const studies = await listStudies(house);
  const { page } = browser;
  await page.goto(siteOf(house));
  await page.getByText(`${slices.length} studies`).waitFor();
  // The list is virtual: every row is brought into sight.
  await page.getByRole("grid", { name: "Studies" }).focus();
  for (let screens = 0; screens < 12; screens++) {
    await page.keyboard.press("PageDown");
    await page.waitForTimeout(60);
  }
  assert.deepEqual(await seenIn(page), [], "in the list");
  const shown = await page.locator('[role="row"]').allTextContents();
  assert.ok(
    shown.some((text) => /[<>]/.test(text)),
    "the payloads are shown as what they are",
  );
  for (const search of payloads.slice(0, 5)) {
    await page.getByLabel(/^Search studies/).fill(search.slice(0, 60));
    await page.waitForTimeout(80);
  }
  assert.deepEqual(await seenIn(page), [], "in a search");
  await page.goto(siteOf(house));
  await page.getByRole("grid", { name: "Studies" }).focus();
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder(/Patient, ID/).fill("img");
  await page.waitForTimeout(300);
  assert.deepEqual(await seenIn(page), [], "in the palette");
  const report = studies.find(({ modalities }) => modalities.includes("SR"));
  assert.ok(report);
  for (const { token } of [...studies.filter((_, index) => index % 20 === 0), report]) {
    await page.goto(`${siteOf(house)}/studies/${token}`);
    await page.locator('[data-testid="viewport-0"]').waitFor();
    await settled(page);
    await page.waitForTimeout(200);
    assert.deepEqual(await seenIn(page), [], `in the viewer of ${token}`);
  }
  for (const path of pages) {
    await page.goto(`${siteOf(house)}${path}`);
    await settled(page);
    assert.deepEqual(await seenIn(page), [], path);
  }
});

test("attack 65: payloads in what machines and people call themselves are refused or run nowhere", {
  skip: noBrowser,
}, async () => {
  const { page } = browser;
  const asPage = (path: string, body: object) =>
    house.fetch(path, {
      method: "POST",
      headers: {
        cookie: `${administrator.cookie.name}=${administrator.cookie.value}`,
        authorization: "",
        "x-leadglass": "1",
        "content-type": "application/json",
      },
      body: JSON.stringify(body),
    });
  for (const payload of payloads) {
    const answer = await asPage("/api/devices", { ae: payload.slice(0, 16), address: payload });
    assert.ok(answer.status >= 400 && answer.status < 500, payload);
    assert.doesNotMatch(answer.headers.get("content-type") ?? "", /html/);
    await answer.text();
  }
  await page.goto(`${siteOf(house)}/devices`);
  await settled(page);
  assert.deepEqual(await seenIn(page), []);
});

test("attack 65: what is downloaded is never shown as a page of ours", { skip: noBrowser }, async () => {
  const [study] = (await (await house.fetch("/dicom-web/studies?limit=1")).json()) as Record<
    string,
    { Value: string[] }
  >[];
  const uid = study?.["0020000D"]?.Value[0];
  for (const path of [
    `/dicom-web/studies/${uid}`,
    `/dicom-web/studies/${uid}/metadata`,
    "/dicom-web/studies",
    "/api/nothing<script>",
  ]) {
    const answer = await house.fetch(path);
    await answer.arrayBuffer();
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff", path);
    assert.match(answer.headers.get("content-security-policy") ?? "", /default-src 'none'/, path);
    assert.doesNotMatch(answer.headers.get("content-type") ?? "", /html|svg|xml/, path);
  }
});

test("every page in Chromium breaks no policy, and none of them lets text become markup or code", {
  skip: noBrowser,
}, async () => {
  const { page } = browser;
  for (const path of pages) {
    const answer = await page.goto(`${siteOf(house)}${path}`);
    await settled(page);
    assert.deepEqual(await seenIn(page), [], path);
    assert.doesNotMatch((await page.locator("body").textContent()) ?? "", /Something went wrong/, path);
    const policy = answer?.headers()["content-security-policy"] ?? "";
    assert.doesNotMatch(policy, /'unsafe-(inline|eval|hashes)'|\*|https?:/, path);
    assert.match(policy, /require-trusted-types-for 'script'/, path);
  }
  const outcomes = await page.evaluate(() => {
    const tried = (what: () => unknown): string => {
      try {
        what();
        return "taken";
      } catch (error) {
        return (error as Error).name;
      }
    };
    const element = document.createElement("div");
    document.body.append(element);
    return {
      html: tried(() => (element.innerHTML = "<img src=x onerror=attackRan(1)>")),
      script: tried(() => document.createElement("script").setAttribute("src", "https://evil.example/x.js")),
      worker: tried(() => new Worker("https://evil.example/x.js")),
      timed: tried(() => setTimeout("attackRan(1)")),
      style: tried(() => element.setAttribute("style", "background: url(https://evil.example/x)")),
    };
  });
  assert.deepEqual(outcomes, {
    html: "TypeError",
    script: "TypeError",
    worker: "TypeError",
    timed: "TypeError",
    style: "taken",
  });
  const seen = await seenIn(page);
  assert.ok(
    seen.some((what) => what.startsWith("refused: style-src-attr")),
    "a style attribute has no effect",
  );
  assert.ok(!seen.some((what) => what.startsWith("ran:")));
});

/**
 * A server of somebody else's on this machine. Chromium lets no page from elsewhere reach a server on this machine at all, so only one from
 * here shows what the server itself refuses.
 */
async function openEvilServer() {
  const { good } = await makeBadCertificates();
  const referers: (string | undefined)[] = [];
  const server = createServer(good, (request, response) => {
    if (request.url === "/landing") referers.push(request.headers.referer);
    response.setHeader("content-type", "text/html");
    response.end('<!doctype html><meta charset="utf-8"><title>evil</title><p>hello');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    referers,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** What pages of other origins try; `site` is the server, the result is what they got to read. */
const attempts = async (site: string): Promise<Record<string, string>> => {
  const outcome = async (work: () => Promise<unknown>) => {
    const late = new Promise((resolve) => setTimeout(() => resolve("nothing"), 3_000));
    try {
      return String(await Promise.race([work(), late]));
    } catch (error) {
      return `refused: ${(error as Error).name}`;
    }
  };
  const json = {
    method: "POST",
    credentials: "include",
    headers: { "content-type": "application/json", "x-leadglass": "1" },
  } as const;
  const device = JSON.stringify({ ae: "EVIL", address: "192.0.2.1" });
  const loaded = (name: "img" | "script" | "iframe" | "link", path: string) =>
    new Promise((resolve) => {
      const element = document.createElement(name) as HTMLImageElement;
      element.onload = () => {
        if (name !== "iframe") return resolve("loaded");
        const frame = (element as unknown as HTMLIFrameElement).contentWindow;
        try {
          resolve(`read ${frame?.document.body.textContent?.slice(0, 40)}`);
        } catch {
          resolve(`${frame?.length} frames`);
        }
      };
      element.onerror = () => resolve("refused");
      if (name === "link") Object.assign(element, { rel: "stylesheet", href: site + path });
      else element.src = site + path;
      document.body.append(element);
    });
  const submitted = (enctype: string) => {
    const form = document.createElement("form");
    Object.assign(form, { method: "POST", action: `${site}/api/devices`, enctype, target: "sink" });
    const input = document.createElement("input");
    // As text/plain this is JSON with an equals sign in a value.
    Object.assign(input, { name: '{"ae":"EVIL","address":"192.0.2.1","x":"', value: '"}' });
    form.append(input);
    const sink = document.createElement("iframe");
    sink.name = "sink";
    document.body.append(sink, form);
    form.submit();
    return new Promise((resolve) => setTimeout(() => resolve("sent"), 500));
  };
  return {
    read: await outcome(async () => (await fetch(`${site}/api/session`, { credentials: "include" })).text()),
    list: await outcome(async () => (await fetch(`${site}/api/studies`, { credentials: "include" })).text()),
    opaque: await outcome(async () =>
      (await fetch(`${site}/api/studies`, { mode: "no-cors", credentials: "include" })).text(),
    ),
    write: await outcome(async () => (await fetch(`${site}/api/devices`, { ...json, body: device })).status),
    simple: await outcome(
      async () =>
        (await fetch(`${site}/api/devices`, { method: "POST", mode: "no-cors", credentials: "include", body: device }))
          .status,
    ),
    remove: await outcome(
      async () => (await fetch(`${site}/api/session`, { method: "DELETE", credentials: "include" })).status,
    ),
    beacon: await outcome(async () =>
      navigator.sendBeacon(`${site}/api/devices`, new Blob([device], { type: "text/plain" })),
    ),
    stream: await outcome(
      () =>
        new Promise((resolve) => {
          const source = new EventSource(`${site}/api/events`, { withCredentials: true });
          source.onopen = () => resolve("open");
          source.onerror = () => resolve("refused");
        }),
    ),
    image: await outcome(() => loaded("img", "/api/studies")),
    script: await outcome(() => loaded("script", "/api/studies")),
    style: await outcome(() => loaded("link", "/api/studies")),
    asset: await outcome(() => loaded("script", "/assets/x.js")),
    frame: await outcome(() => loaded("iframe", "/")),
    form: await outcome(() => submitted("text/plain")),
    encoded: await outcome(() => submitted("application/x-www-form-urlencoded")),
    opened: await outcome(async () => {
      const other = window.open(`${site}/status`, "_blank");
      await new Promise((resolve) => setTimeout(resolve, 800));
      return other === null || other.closed ? "cut off" : other.document.title;
    }),
  };
};

test("attack 70: pages of other origins and of other ports read nothing, change nothing and frame nothing", {
  skip: noBrowser,
  timeout: 120_000,
}, async (t) => {
  const { context } = browser;
  const evil = await openEvilServer();
  t.after(evil.close);
  const devices = async () =>
    ((await (await house.fetch("/api/devices")).json()) as { devices: unknown[] }).devices?.length ?? 0;
  const session = async () =>
    (
      await house.fetch("/api/session", {
        headers: { cookie: `${administrator.cookie.name}=${administrator.cookie.value}`, authorization: "" },
      })
    ).status;
  const before = await devices();
  // The first sends no cookie along (SameSite); the second is the same site on another port, which does.
  for (const origin of [`https://127.0.0.1:${evil.port}`, `https://localhost:${evil.port}`]) {
    const page = await context.newPage();
    await page.goto(`${origin}/`);
    const got = await page.evaluate(attempts, siteOf(house));
    for (const what of ["read", "list", "write", "remove", "stream", "image", "script", "style", "asset"] as const)
      assert.match(String(got[what]), /^refused/, `${origin} ${what}`);
    for (const what of ["opaque", "simple"] as const)
      assert.match(String(got[what]), /^(refused|$|0$)/, `${origin} ${what}`);
    assert.doesNotMatch(String(got.frame), /read/, origin);
    assert.match(String(got.opened), /cut off|refused/, `${origin}: a window that it opened`);
    assert.doesNotMatch(JSON.stringify(got), /administrator|\bada\b|EVIL/, origin);
    for (const frame of page.frames().filter((each) => each.url().startsWith(siteOf(house))))
      assert.equal(await frame.locator("#root").count(), 0, "the application is in no frame");
    await page.close();
  }
  assert.equal(await devices(), before, "no device was made");
  assert.equal(await session(), 200, "nobody was signed out");
  assert.match(house.output(), /a session's request from a page that is not ours/);
});

test("attack 71: who goes on from our pages does not tell where they were, and a one-use link is used once", {
  skip: noBrowser,
}, async (t) => {
  const { page } = browser;
  const evil = await openEvilServer();
  t.after(evil.close);
  const [study] = await listStudies(house);
  await page.goto(`${siteOf(house)}/studies/${study?.token ?? "0".repeat(32)}`);
  const landing = `https://127.0.0.1:${evil.port}/landing`;
  await page.evaluate((href) => {
    const link = Object.assign(document.createElement("a"), { href });
    document.body.append(link);
    link.click();
  }, landing);
  await page.waitForURL(landing);
  assert.deepEqual(evil.referers, [undefined]);
  assert.equal(await page.evaluate(() => document.referrer), "");
  assert.equal(await page.evaluate(() => window.opener), null);
  const secret = /#setup=(\S+)/.exec(house.output())?.[1];
  const again = await house.fetch("/api/setup/account", {
    anonymous: true,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ secret, name: "mallory", password: "four unrelated words here" }),
  });
  assert.ok(again.status >= 400 && again.status < 500, `${again.status}`);
  assert.equal(
    (await house.fetch(`/api/setup?secret=${secret}`, { anonymous: true })).status,
    200,
    "it is no part of an address",
  );
});
