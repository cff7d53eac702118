import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemClock } from "#base/clock";
import { decodeEnrolmentCode, dialCloud, encodeEnrolmentCode, linkProtocols } from "#doors/link";
import type { CloudLinkView, EdgeCodeView, EdgeView, ParcelKeyView } from "#formats/api";
import { startConnectProxy } from "../../doors/link/connect-proxy.fixture.ts";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { wholeLog } from "./modality.fixture.ts";

/*
 * A cloud and a box in a facility, each a server of its own, as an operator and an IT person use them: the tests follow on each other.
 */
let cloud: RunningHouse;
let box: RunningHouse;
before(async () => {
  [cloud, box] = await Promise.all([startHouse(), startHouse()]);
});
after(() => Promise.all([cloud?.remove(), box?.remove()]));

const asJson = <T>(house: RunningHouse, ...words: string[]) => JSON.parse(house.command([...words, "--json"])) as T;
const codeFor = (name: string) => asJson<EdgeCodeView>(cloud, "edge", "add", name);
/** Not at once: the proxy and whatever else listens in this process must be able to answer meanwhile. */
const enroll = (...words: string[]) => box.begin(["edge", "enroll", ...words]);
const listed = () => asJson<EdgeView[]>(cloud, "edge", "list");

test("before anybody was invited, nothing is there to come to", async () => {
  assert.match(box.command(["edge", "status"]), /not enrolled in a cloud/);
  const strange = encodeEnrolmentCode(Buffer.alloc(10), Buffer.alloc(32));
  const { status, stderr } = await enroll(`https://localhost:${cloud.https}`, strange);
  assert.equal(status, 1);
  assert.match(stderr, /takes no edges[\s\S]*was an edge added in it/);
});

test("a code that was mistyped, or is for another cloud, is told so, and is not given away", async () => {
  const { url, code } = codeFor("North");
  const mistyped = await enroll(url, code.startsWith("0") ? `1${code.slice(1)}` : `0${code.slice(1)}`);
  assert.match(mistyped.stderr, /mistyped/);
  const { secret } = decodeEnrolmentCode(code);
  const other = await enroll(url, encodeEnrolmentCode(secret, Buffer.alloc(32)));
  assert.equal(other.status, 1);
  assert.match(other.stderr, /not of the cloud that was pinned/);
  assert.deepEqual(
    listed().map(({ state }) => state),
    ["invited"],
  );
});

test("the command that the cloud shows enrols a box through a proxy, whose password is written nowhere", async () => {
  const proxy = await startConnectProxy("ada:rosebud-pass");
  const { url, code } = codeFor("North");
  const straight = `http://127.0.0.1:${proxy.port}`;
  assert.match((await enroll(url, code, "--proxy", straight)).stderr, /another name and password/);
  const named = straight.replace("//", "//ada:rosebud-pass@");
  const done = await enroll(url, ...code.split("-"), "--proxy", named);
  assert.equal(done.status, 0, done.stderr);
  assert.match(done.stdout, /enrolled as North\n.*through the proxy 127\.0\.0\.1/);
  assert.ok(proxy.asked.length >= 3);
  assert.ok(proxy.asked.every((head) => head.startsWith(`CONNECT localhost:${cloud.https} HTTP/1.1\r\n`)));
  const again = await enroll(url, code, "--proxy", named);
  assert.match(again.stderr, /was used, has expired or never was one/);
  for (const path of readdirSync(box.home, { recursive: true, encoding: "utf8" })) {
    const file = join(box.home, path);
    if (!statSync(file).isFile()) continue;
    const bytes = readFileSync(file);
    assert.ok(!bytes.includes("rosebud-pass") && !bytes.includes("PRIVATE KEY"), path);
    if (path === "cloud-link.json") assert.equal(statSync(file).mode & 0o777, 0o600);
  }
  assert.ok(!box.output().includes("rosebud-pass"));
  const renewed = await box.begin(["edge", "renew", "--proxy", "none", "--json"]);
  assert.equal((JSON.parse(renewed.stdout) as CloudLinkView).proxy, "");
  await proxy.close();
});

test("its certificate is of 30 days, and a new key and certificate are taken up before the old end", () => {
  const before = JSON.parse(readFileSync(join(box.home, "cloud-link.json"), "utf8")) as { certificate: string };
  const link = asJson<CloudLinkView>(box, "edge", "renew");
  const [edge] = listed();
  assert.deepEqual([edge?.name, edge?.state, edge?.notAfter], ["North", "enrolled", link.certificateEndsAt]);
  const days = (link.certificateEndsAt - Date.now()) / 86_400_000;
  assert.ok(days > 29 && days <= 30, `${days}`);
  assert.ok(link.renewsAt > Date.now() && link.renewsAt < link.certificateEndsAt - 9 * 86_400_000);
  assert.equal(link.error, null);
  const now = JSON.parse(readFileSync(join(box.home, "cloud-link.json"), "utf8")) as { certificate: string };
  assert.notEqual(now.certificate, before.certificate);
});

test("an edge asks for nothing but itself, and nobody asks as one without its certificate", async () => {
  assert.equal((await cloud.fetch("/api/edges/self")).status, 404);
  assert.equal((await cloud.fetch("/api/edges/self", { anonymous: true })).status, 401);
  const { authority } = JSON.parse(readFileSync(join(box.home, "cloud-link.json"), "utf8")) as { authority: string };
  const at = { host: "localhost", port: cloud.https };
  const way = { cloud: at, clock: systemClock, authority };
  const transfers = dialCloud({ ...way, protocol: linkProtocols.transfer });
  await transfers.then((socket) => socket.destroy()).catch((error) => assert.equal(error.code, "unavailable"));
});

test("edges are told another key to seal to, and those before it are destroyed once they were", () => {
  const changed = asJson<ParcelKeyView>(cloud, "edge", "rotate-key");
  assert.equal(changed.former, 1);
  assert.doesNotMatch(box.command(["edge", "status"]), /ERROR/);
  const left = asJson<ParcelKeyView>(cloud, "edge", "rotate-key", "--destroy-former");
  assert.deepEqual(left, { ...changed, former: 0 });
});

test("who is revoked is refused from then on and told why; a new code lets the box in again", async () => {
  cloud.command(["edge", "revoke", "North"]);
  assert.match(box.command(["edge", "status"]), /ERROR +this edge was revoked\n +make a new code in the cloud/);
  const { status, stderr } = await box.begin(["edge", "renew"]);
  assert.deepEqual([status, /revoked/.test(stderr)], [1, true]);
  const { url, code } = codeFor("North");
  assert.equal((await enroll(url, code)).status, 0);
  assert.deepEqual(
    listed().map(({ name, state }) => [name, state]),
    [["North", "enrolled"]],
  );
});

test("all of it stands in the cloud's log, and the box's", async () => {
  const entriesOf = async (house: RunningHouse) => {
    const entries = await wholeLog(house);
    return new Set(entries.map(({ act, outcome, actor }) => `${actor.replace(/:.*/, "")} ${act} ${outcome}`));
  };
  const inCloud = await entriesOf(cloud);
  for (const entry of [
    "operator edge.write done",
    "anonymous edge.enrol refused",
    "edge edge.enrol done",
    "edge edge.connect done",
    "edge edge.renew done",
    "operator edge.change-key done",
    "operator edge.revoke done",
  ]) {
    assert.ok(inCloud.has(entry), `${entry} in ${[...inCloud]}`);
  }
  assert.ok((await entriesOf(box)).has("operator link.enrol done"));
});
