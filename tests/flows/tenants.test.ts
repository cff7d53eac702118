import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { StatusView, StudyPage, TenantView } from "#formats/api";
import { has, type RunningHouse, startHouse } from "../house/index.ts";
import { addTenant, type TenantHouse, tenantHouse } from "../house/tenant-house.ts";
import {
  associate,
  fileOf,
  retrieve,
  type Slice,
  search,
  sha256,
  slicesOf,
  store,
  storeAll,
  storescu,
  stow,
  wholeLog,
} from "./modality.fixture.ts";
import { enrol } from "./second-person.fixture.ts";

/* A server with three customers: the main home and two further tenants, which share its ports and nothing else. */
const noDcmtk = has("storescu") ? false : "needs dcmtk: apt install dcmtk";
let folder: string;
let house: RunningHouse;
let a: TenantHouse;
let b: TenantHouse;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "lg-tenants-"));
  house = await startHouse();
  a = addTenant(house, "clinic-a");
  b = addTenant(house, "clinic-b");
});
after(async () => {
  await house?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const listed = (of = house): TenantView[] => JSON.parse(of.command(["tenant", "list", "--json"]));
const studyUids = async (of: RunningHouse) =>
  (await search(of, "/studies")).map((json) => json["0020000D"]?.Value?.[0] as string).sort();

/** The same UIDs in each of them, other pixels and another patient. */
const slicesFor = (patient: string, size: number): Slice[] =>
  slicesOf({ kind: "mr-brain", slices: 2, size, seed: 8 }, (attributes) => ({
    ...attributes,
    PatientName: { Alphabetic: patient },
    PatientID: `ID ${patient}`,
  }));

test("a running server takes a new tenant up: its host is answered under its own certificate, by itself alone", async () => {
  for (const tenant of [a, b]) {
    const ready = await tenant.fetch("/readyz", { anonymous: true });
    assert.deepEqual([ready.status, await ready.json()], [200, { ready: true }]);
  }
  const status = JSON.parse(a.command(["status", "--json"])) as StatusView;
  assert.deepEqual([status.ports.https, status.dicomAeTitle], [house.https, "CLINIC-A"]);
  const states = listed().map(({ name, hosts, aeTitle, state }) => [name, hosts, aeTitle, state]);
  assert.deepEqual(states, [
    ["clinic-a", ["clinic-a.example.org"], "CLINIC-A", "in-service"],
    ["clinic-b", ["clinic-b.example.org"], "CLINIC-B", "in-service"],
  ]);
  assert.match(house.command(["status"]), /tenant clinic-b: clinic-b\.example\.org, DICOM as CLINIC-B, in service/);
  const { setupLink } = listed()[0] as TenantView;
  assert.match(setupLink ?? "", new RegExp(`^https://clinic-a\\.example\\.org:${house.https}/#setup=`));
});

test("people sign in where they have an account, and a session is good for nothing elsewhere", async () => {
  const person = await enrol(a, "alice@example.org", listed()[0]?.setupLink ?? "");
  assert.equal(listed()[0]?.setupLink, undefined);
  const session = (of: RunningHouse) => of.fetch("/api/session", { anonymous: true, headers: person.headers });
  assert.equal((await session(a)).status, 200);
  assert.match(a.command(["user", "list"]), /alice/);
  for (const other of [b, house]) assert.equal((await session(other)).status, 401);
  assert.doesNotMatch(b.command(["user", "list"]), /alice/);
  assert.doesNotMatch(house.command(["user", "list"]), /alice/);
});

test("attack 89: the same UIDs with other bytes rest beside each other, each where its machine called, and nobody hears of the other", {
  skip: noDcmtk,
}, async () => {
  const sent = new Map<RunningHouse, Slice[]>([
    [house, slicesFor("MAIN^PATIENT", 48)],
    [a, slicesFor("ALPHA^PATIENT", 64)],
    [b, slicesFor("BETA^PATIENT", 80)],
  ]);
  for (const [of, slices] of sent) {
    const files = slices.map((slice, at) => {
      const path = join(folder, `${of.home.split("/").at(-1)}-${at}.dcm`);
      writeFileSync(path, fileOf(slice));
      return path;
    });
    of.command(["device", "add", "SCANNER", "--address", "127.0.0.1"]);
    const stored = await storescu(of as TenantHouse, files, "SCANNER");
    assert.equal(stored.code, 0, stored.output);
  }
  for (const [of, slices] of sent) {
    assert.deepEqual(await studyUids(of), [slices[0]?.studyUid]);
    for (const slice of slices) assert.equal(sha256(await retrieve(of, slice)), slice.sha256);
    const page = (await (await of.fetch("/api/studies?limit=10")).json()) as StudyPage;
    assert.equal(page.studies.length, 1);
    assert.equal(page.studies[0]?.conflictCount ?? 0, 0);
  }
  const tokens = await Promise.all(
    [...sent.keys()].map(async (of) => {
      const page = (await (await of.fetch("/api/studies?limit=10")).json()) as StudyPage;
      return page.studies[0]?.token;
    }),
  );
  assert.equal(new Set(tokens).size, 3);
});

test("what is stored by STOW-RS at one host is at that host alone", async () => {
  const slices = slicesOf({ kind: "mr-brain", slices: 1, size: 32, seed: 77 });
  assert.equal((await stow(a, slices)).status, 200);
  assert.ok((await studyUids(a)).includes(slices[0]?.studyUid ?? ""));
  for (const other of [b, house]) assert.ok(!(await studyUids(other)).includes(slices[0]?.studyUid ?? ""));
});

test("a machine of one tenant is a stranger to the other, and a title that nobody has is refused", {
  skip: noDcmtk,
}, async () => {
  const slices = slicesFor("ALPHA^PATIENT", 64);
  a.command(["device", "add", "ONLYA", "--address", "127.0.0.1"]);
  await storeAll(a, slices, "ONLYA");
  const file = join(folder, "stranger.dcm");
  writeFileSync(file, fileOf(slices[0] as Slice));
  assert.match((await storescu(b, [file], "ONLYA")).output, /Calling AE Title Not Recognized/);
  for (const aeTitle of ["CLINIC-C", "clinic-a", "CLINIC-A/../B"]) {
    assert.match((await storescu({ ...b, aeTitle }, [file], "ONLYA")).output, /Called AE Title Not Recognized/);
  }
  const waiting = (of: RunningHouse) => JSON.stringify(JSON.parse(of.command(["device", "list", "--json"])).waiting);
  assert.match(waiting(b), /ONLYA/);
  for (const other of [a, house]) assert.doesNotMatch(waiting(other), /ONLYA/);
});

test("a name, a host or an AE title that another home has is refused, and leaves nothing", () => {
  const refused = (words: readonly string[], why: RegExp) => {
    const { status, stderr } = house.tryCommand(["tenant", "add", ...words]);
    assert.notEqual(status, 0);
    assert.match(stderr, why);
  };
  refused(["clinic-a", "--host", "other.example.org"], /clinic-a is there already/);
  refused(["clinic-c", "--host", "CLINIC-A.example.org."], /the same host/);
  refused(["clinic-c", "--host", "clinic-c.example.org", "--ae", "LEADGLASS"], /the same AE title/);
  refused(["clinic-c"], /needs a host/);
  refused(["clinic-c", "--host", "clinic-c.example.org:8443"], /not a host name/);
  refused(["clinic-c", "--host", "clinic-c.example.org", "--ae", "A\\B"], /not an AE title/);
  for (const name of ["../clinic", "Clinic", "a/b", "", ".", "x".repeat(33), "-a", "a-"]) {
    refused(
      [name, "--host", "clinic-c.example.org", "--ae", "C"],
      /not a name of a tenant|NAME is needed|Unknown option/,
    );
  }
  assert.equal(existsSync(join(house.home, "tenants", "clinic-c")), false);
  assert.equal(listed().length, 2);
  const { status, stderr } = house.tryCommand(["status", "--tenant", "nobody"]);
  assert.deepEqual([status, existsSync(join(house.home, "tenants", "nobody"))], [1, false]);
  assert.match(stderr, /no such tenant/);
});

test("the main home's log tells of tenants by their token, and a tenant's own log of itself alone", async () => {
  const told = (await wholeLog(house)).filter(({ act }) => act === "tenant.add");
  const done = told.filter(({ outcome }) => outcome === "done").map(({ on }) => on);
  for (const { tenantToken } of [a, b]) {
    assert.ok(done.some((on) => on?.kind === "tenant" && on.id === tenantToken));
  }
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const log = JSON.stringify(await wholeLog(one));
    assert.match(log, /"tenant\.add"/);
    assert.doesNotMatch(log, new RegExp(other.tenantToken));
  }
});

test("each has a backup of its own, is drilled, removed, restored in its place and taken up again", async () => {
  const [backup, passphrase] = [join(folder, "backup-a"), join(folder, "a.passphrase")];
  a.command(["vault", "backup", backup]);
  writeFileSync(passphrase, readFileSync(join(a.home, "root.passphrase")), { mode: 0o600 });
  assert.match(a.command(["vault", "drill", backup]), /^whole/);
  const before = await studyUids(a);
  const open = await associate(a, slicesFor("ALPHA^PATIENT", 64), "ONLYA");
  const { movedTo } = JSON.parse(house.command(["tenant", "remove", "clinic-a", "--json"]));
  assert.ok(existsSync(join(movedTo, "keys")));
  assert.equal((await house.fetch("/readyz", { anonymous: true })).status, 200);
  assert.equal(await store(open, slicesFor("ALPHA^PATIENT", 64)[0] as Slice).catch(() => "aborted"), "aborted");

  a.command(["vault", "restore", backup, "--passphrase-file", passphrase]);
  writeFileSync(join(a.home, "root.passphrase"), readFileSync(passphrase), { mode: 0o600 });
  a = tenantHouse(house, JSON.parse(house.command(["tenant", "add", "clinic-a", "--json"])));
  assert.deepEqual(await studyUids(a), before);
  assert.equal(
    sha256(await retrieve(a, slicesFor("ALPHA^PATIENT", 64)[0] as Slice)),
    slicesFor("ALPHA^PATIENT", 64)[0]?.sha256,
  );
});

test("a tenant whose home does not open is out of service by itself: the others start, and are told why by status", async () => {
  await house.stop();
  renameSync(join(b.home, "root.passphrase"), join(folder, "b.passphrase"));
  const again = await startHouse({ home: house.home });
  try {
    const [inService, out] = listed(again);
    assert.deepEqual([inService?.state, out?.state], ["in-service", "out-of-service"]);
    assert.match(out?.problem?.message ?? "", /passphrase/);
    assert.match(again.command(["status"]), /clinic-b: .*OUT OF SERVICE/);
    const there = tenantHouse(again, inService as TenantView);
    assert.equal((await there.fetch("/readyz", { anonymous: true })).status, 200);
    assert.deepEqual(await studyUids(there), await studyUids({ ...there }));
    // Under the main home's certificate: its own is sealed.
    const broken = { ...tenantHouse(again, out as TenantView) };
    await assert.rejects(broken.fetch("/readyz", { anonymous: true }));
    const { status, stderr } = broken.tryCommand(["status"]);
    assert.equal(status, 1);
    assert.match(stderr, /root passphrase/);

    again.command(["tenant", "remove", "clinic-b"]);
    assert.deepEqual(
      listed(again).map(({ name }) => name),
      ["clinic-a"],
    );
  } finally {
    await again.stop();
  }
});

test("two homes of one host, or settings that cannot be read, refuse the start and say which", () => {
  const settings = join(a.home, "leadglass.json");
  const written = readFileSync(settings, "utf8");
  const start = () => house.tryCommand(["start"]);
  for (const [text, why] of [
    ['{"hosts": ["clinic-a.example.org"]}', /the main home and tenant clinic-a have the same AE title/],
    ['{"aeTitle": "A"}', /tenant clinic-a has no host/],
    ['{"hosts": "clinic-a.example.org", "aeTitle": "A"}', /tenant clinic-a: .*hosts must be a list/],
    [
      '{"hosts": ["x.example.org"], "aeTitle": "A", "httpsPort": 1}',
      /tenant clinic-a: .*httpsPort is a setting of the installation/,
    ],
    ["{", /tenant clinic-a: .*not a JSON object/],
  ] as const) {
    writeFileSync(settings, text);
    const { status, stderr } = start();
    assert.notEqual(status, 0);
    assert.match(stderr, why);
  }
  writeFileSync(settings, written);
});

test("without a running server tenants are made, listed and removed as well", () => {
  const made = JSON.parse(
    house.command(["tenant", "add", "night", "--host", "night.example.org", "--json"]),
  ) as TenantView;
  assert.deepEqual([made.state, existsSync(join(made.home, "ca.pem"))], ["at-rest", true]);
  const night = tenantHouse(house, made);
  assert.equal((JSON.parse(night.command(["status", "--json"])) as StatusView).dicomAeTitle, "NIGHT");
  const { movedTo } = JSON.parse(house.command(["tenant", "remove", "night", "--json"]));
  assert.ok(existsSync(join(movedTo, "access.db")));
  assert.deepEqual(
    listed().map(({ name, state }) => [name, state]),
    [["clinic-a", "at-rest"]],
  );
});
