import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { request } from "node:https";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import type { AuditPage, LogEntryView } from "#formats/api";
import type { Route } from "../../apps/server/index.ts";
import { storeAll } from "../flows/modality.fixture.ts";
import { has } from "../house/index.ts";
import { type Asking, asking } from "./route-questions.fixture.ts";
import { type Customer, type Installation, startInstallation } from "./tenants.fixture.ts";

/*
 * No way in without an entry in the log: the questions are made from the route table, so that a new route is asked too.
 */
let installation: Installation;
let a: Customer;
before(async () => {
  installation = await startInstallation();
  ({ a } = installation);
});
after(() => installation?.remove());

/** Pages hold nothing; these say how the server is, how to begin, and by which keys to know it. */
const withoutData = new Set([
  "GET /healthz",
  "GET /readyz",
  "GET /api/setup",
  "GET /api/sign-in",
  "POST /api/session/passkey/options",
  "GET /oauth/jwks",
  "GET /oauth/.well-known/openid-configuration",
  "GET /oauth/.well-known/smart-configuration",
  "GET /fhir/R4/.well-known/smart-configuration",
  "GET /.well-known/oauth-authorization-server/oauth",
  "GET /fhir/R4/metadata",
  "GET /oauth/device",
  "GET /oauth/session/end",
  "GET /oauth/session/end/success",
]);

/** Of the main home alone: tests/flows/tenants.test.ts reads its log. */
const isOfMainHome = ({ url }: Route) => url.startsWith("/api/tenants");

const reason = { code: "CORRECT", text: "as the order says" };
/** Where the schema says less than the route asks for. */
const bodies: Readonly<Record<string, (ids: Customer["ids"]) => object>> = {
  "POST /api/break-glass": ({ patientId }) => ({ patientId, reason: "unconscious after a fall, nobody else knows" }),
  "POST /api/launches": ({ study }) => ({ study }),
  "POST /api/corrections/study": ({ study }) => ({ study, changes: { StudyDescription: "HEAD" }, reason }),
  "POST /api/corrections/patient": ({ patientId }) => ({
    patient: { PatientID: patientId },
    changes: { PatientSex: "O" },
    reason,
  }),
  "POST /api/corrections/merge": ({ patientId }) => ({
    from: { PatientID: patientId },
    into: { PatientID: "NOBODY" },
    reason,
  }),
};

/** What goes beyond the schema of a route: a body of its own form, an address with what it needs. */
function sentTo(name: string, { headers, path }: Asking): Partial<Asking> {
  if (name === "GET /api/audit/checkpoints") return { path: `${path}?to=1` };
  if (name === "GET /api/audit/entries/:index/proof") return { path: "/api/audit/entries/0/proof" };
  const body = bodies[name]?.(a.ids);
  if (body !== undefined) return { body: JSON.stringify(body) };
  if (/^(POST|PUT) \/dicom-web\/workitems/.test(name)) {
    const workItem = { "00741000": { vr: "CS", Value: ["SCHEDULED"] }, "00081195": { vr: "UI", Value: ["2.25.2"] } };
    return { body: JSON.stringify(workItem), headers: { ...headers, "content-type": "application/dicom+json" } };
  }
  if (!/^POST \/dicom-web\/studies/.test(name)) return {};
  return { body: "DICM", headers: { ...headers, "content-type": "application/dicom" } };
}

const isPage = ({ method, url, anonymous }: Route) =>
  method === "GET" &&
  anonymous &&
  url !== "/oauth/auth" &&
  !/^\/(api|oauth\/|fhir|dicom-web|\.well-known|sign-in-with)/.test(url);

const streamMs = 300;

function ask({ method, path, body, headers }: Asking): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({
      ...{ host: "127.0.0.1", port: installation.https, servername: a.host, ca: [...installation.trusted] },
      ...{ method, path },
      headers: { host: a.host, ...headers, ...(body !== undefined && { "content-length": Buffer.byteLength(body) }) },
    });
    sent.on("error", reject);
    sent.on("response", (answer) => {
      const done = () => {
        clearTimeout(timer);
        resolve(answer.statusCode ?? 0);
        answer.destroy();
      };
      const timer = setTimeout(done, streamMs);
      answer.resume();
      answer.on("end", done);
      answer.on("error", done);
    });
    sent.end(body);
  });
}

/** Reads the log; each reading is an entry itself, and stands in the next. */
function entriesFrom(from: number): Promise<AuditPage> {
  return a.operator<AuditPage>("GET", `/api/audit?from=${from}&to=${from + 500}`);
}

async function entriesOf(work: () => Promise<unknown>): Promise<readonly LogEntryView[]> {
  const { size } = await entriesFrom(Number.MAX_SAFE_INTEGER - 1_000);
  await work();
  for (let tries = 0; ; tries++) {
    const { entries } = await entriesFrom(size);
    // Each reading so far is there, but for the newest.
    const others = entries.filter(
      ({ actor, act }) => actor !== "system" && `${actor} ${act}` !== "operator audit.read",
    );
    if (others.length > 0 || tries === 50) return others;
    // A refusal of the provider is written down while it is answered.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What ends the session that it comes with. */
const endsItself = ({ method, url }: Route) =>
  (method === "DELETE" && url === "/api/session") || (method === "DELETE" && url === "/api/account/sessions");

/** What removes something is asked last, the account of who asks last of all. */
const turnOf = ({ method, url }: Route) =>
  url === "/api/accounts" ? 2 : method === "DELETE" || url.includes("/reject/") ? 1 : 0;

test("every route of the route table leaves an entry in the log, whoever asks and whatever comes of it", async () => {
  const routes = installation.server.routes.filter(
    ({ method, url }) => method !== "HEAD" && method !== "OPTIONS" && !url.startsWith("/assets"),
  );
  const silent: string[] = [];
  let audited = 0;
  const inOrder = routes.toSorted((one, other) => turnOf(one) - turnOf(other));
  for (const route of inOrder.filter((each) => !endsItself(each) && !isPage(each) && !isOfMainHome(each))) {
    const name = `${route.method} ${route.url}`;
    if (withoutData.has(name)) continue;
    let status = 0;
    const left = await entriesOf(async () => {
      const question = asking(route, a.ids, a.ids.study ?? "", { cookie: a.cookie, "x-leadglass": "1" });
      status = await ask({ ...question, ...sentTo(name, question) });
    });
    if (left.length > 0) audited++;
    else silent.push(`${name} ${status}`);
  }
  assert.deepEqual(silent, []);
  assert.ok(audited > 60, `${audited} routes`);
});

test("every DICOM service leaves an entry too, and a caller who is not known", async (t) => {
  if (!has("echoscu")) return t.skip("needs dcmtk: apt install dcmtk");
  const at = { dicom: installation.dicom, aeTitle: a.view.aeTitle };
  const echo = (callingAe: string) =>
    promisify(execFile)("echoscu", ["-aet", callingAe, "-aec", at.aeTitle, "127.0.0.1", String(at.dicom)]);
  const actsOf = async (work: () => Promise<unknown>) => (await entriesOf(work)).map(({ act }) => act);
  assert.deepEqual(await actsOf(() => echo(a.callingAe)), ["association.open", "dicom.echo"]);
  const stored = await actsOf(() => storeAll(at, a.slices.slice(0, 1), a.callingAe));
  assert.deepEqual([...new Set(stored)], ["association.open", "instance.store"]);
  assert.deepEqual(await actsOf(() => echo("NOBODY").catch(() => {})), ["association.open"]);
});
