import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { EdgeCodeView, EdgeHistoryView, EdgeReport, EdgeReportView, EdgeView } from "#formats/api";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { asOperator, wholeLog } from "./modality.fixture.ts";

/* A box tells its cloud how it does: the tests follow on each other. */
let cloud: RunningHouse;
let box: RunningHouse;
let edge: EdgeView;
const machine = "CT-NORTH-ENTRY-1";
before(async () => {
  [cloud, box] = await Promise.all([startHouse(), startHouse({ environment: { LEADGLASS_ROLE: "edge" } })]);
  box.command(["device", "add", machine, "--address", "127.0.0.1"]);
});
after(() => Promise.all([cloud?.remove(), box?.remove()]));

test("before it belongs to a cloud a box says so, and what to do", async () => {
  const report = await asOperator<EdgeReport>(box, "/api/edge/report");
  assert.equal(report.link.state, "off");
  assert.deepEqual(
    report.devices.map(({ name, storedToday }) => [name, storedToday]),
    [[machine, 0]],
  );
  assert.match(box.command(["edge", "status"]), /not enrolled in a cloud: leadglass edge enroll/);
});

test("once enrolled its report is in the cloud within a minute, sealed on the disk, with its history", async () => {
  const { url, code } = JSON.parse(cloud.command(["edge", "add", "North", "--json"])) as EdgeCodeView;
  assert.equal((await box.begin(["edge", "enroll", url, code])).status, 0);
  const untilTold = async (): Promise<EdgeView> => {
    for (;;) {
      const [found] = await asOperator<EdgeView[]>(cloud, "/api/edges");
      if (found?.told != null) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  edge = await untilTold();
  assert.equal(edge.told?.parcels, 0);
  const { report, receivedAt } = await asOperator<EdgeReportView>(cloud, `/api/edges/${edge.id}/report`);
  assert.deepEqual([report.devices[0]?.name, report.software], [machine, edge.software]);
  const history = await asOperator<EdgeHistoryView>(cloud, `/api/edges/${edge.id}/history`);
  assert.equal(history.up.filter((value) => value !== null).length, 1);
  assert.ok((history.at.at(-1) ?? 0) <= receivedAt);
  // The cloud shows what has come at once and answers the box when it is kept; the box looks at its link when it was answered.
  await asOperator(box, "/api/link");
  const folder = join(cloud.home, "edge-reports");
  const names = readdirSync(folder);
  assert.deepEqual(names, [`${edge.id}.history`, `${edge.id}.report`]);
  const [kept = Buffer.alloc(0), told = Buffer.alloc(0)] = names.map((name) => readFileSync(join(folder, name)));
  const { sealed } = JSON.parse(told.toString("utf8")) as { readonly sealed: string };
  for (const bytes of [kept, told, Buffer.from(sealed, "base64")]) assert.ok(!bytes.includes(machine));
});

test("the box's own page and command have the same, and the log an entry for the telling", async () => {
  const report = JSON.parse(box.command(["edge", "status", "--json"])) as EdgeReport;
  assert.equal(report.link.state, "up");
  const words = box.command(["edge", "status"]);
  assert.match(words, /^Everything has reached the cloud\n\ncloud +https:/);
  assert.match(words, /waiting +0 items/);
  const own = await asOperator<EdgeHistoryView>(box, "/api/edge/history?points=10");
  assert.ok(own.at.length >= 10 && own.up.some((value) => value !== null));
  assert.deepEqual(await asOperator(box, "/api/edge/asides"), []);
  assert.deepEqual(await asOperator(box, "/api/edge/asides/again", "POST", {}), { again: 0 });
  const told = (await wholeLog(cloud)).filter(({ act }) => act === "edge.report");
  assert.deepEqual(
    told.map(({ actor, outcome }) => [actor, outcome]),
    [[`edge:${edge.id}`, "done"]],
  );
});

test("what is not a report is refused, and nobody tells in the name of an edge without its certificate", async () => {
  const post = (init: RequestInit & { anonymous?: boolean }) =>
    cloud.fetch("/api/edges/self/report", { method: "POST", headers: { "content-type": "application/json" }, ...init });
  assert.equal((await post({ body: "{}" })).status, 400);
  const { report } = await asOperator<EdgeReportView>(cloud, `/api/edges/${edge.id}/report`);
  assert.equal((await post({ body: JSON.stringify(report) })).status, 404);
  assert.equal((await post({ body: JSON.stringify(report), anonymous: true })).status, 401);
});

test("what is kept of an edge goes with it", async () => {
  cloud.command(["edge", "remove", "North"]);
  assert.deepEqual(readdirSync(join(cloud.home, "edge-reports")), []);
  assert.equal((await cloud.fetch(`/api/edges/${edge.id}/report`)).status, 404);
});
