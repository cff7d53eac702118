import assert from "node:assert/strict";
import { test } from "node:test";
import { type EdgeFinding, edgeFindings, edgeHeadline, edgeThresholds } from "./edge-findings.ts";
import { soundReport } from "./edge-report.fixture.ts";
import type { EdgeReport } from "./edges.ts";

const at = new Date(2026, 2, 9, 14, 0).getTime();
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const gigabyte = 1e9;

const well = soundReport(at);
const link = (change: Partial<EdgeReport["link"]>): EdgeReport => ({ ...well, link: { ...well.link, ...change } });
const queue = (change: Partial<EdgeReport["queue"]>, of = well): EdgeReport => ({
  ...of,
  queue: { ...of.queue, ...change },
});
const free = (freeBytes: number): EdgeReport => ({ ...well, disk: { ...well.disk, freeBytes } });
const waiting = { parcels: 1_204, bytes: 6 * gigabyte, oldestAt: at - hour };

test("all is well: nothing is found, and everything has reached the cloud", () => {
  assert.deepEqual(edgeFindings(well), []);
  assert.equal(edgeHeadline(well), "Everything has reached the cloud");
});

const rows: readonly (readonly [string, EdgeReport, EdgeFinding["severity"], RegExp, RegExp])[] = [
  [
    "link, for a moment",
    link({ state: "down", since: at - minute }),
    "notice",
    /No link to the cloud since 13:59/,
    /./,
  ],
  ["link", link({ state: "down", since: at - 5 * minute }), "warning", /since 13:55/, /has internet/],
  [
    "link",
    { ...link({ state: "down", since: at - day }), error: { at, message: "this edge was revoked", remedy: "ask" } },
    "critical",
    /since 2026-03-08 14:00: this edge was revoked\./,
    /^Ask\.$/,
  ],
  ["link", link({ state: "off" }), "notice", /not enrolled/, /Add an edge/],
  ["link", queue(waiting, link({ state: "off" })), "critical", /nothing leaves it/, /Add an edge/],
  ["disk", free(2.9 * gigabyte), "warning", /2\.9 GB left\. Images are refused below 500 MB/, /Free space/],
  ["disk", free(0.9 * gigabyte), "critical", /nearly full: 900 MB left/, /Free space/],
  ["disk", free(0.5 * gigabyte), "critical", /is full.*refused.*none is lost/, /Free space/],
  ["certificate", link({ certificateEndsAt: at + 8 * day }), "warning", /ends in 8 days/, /edge renew/],
  ["certificate", link({ certificateEndsAt: at + day }), "critical", /ends in 24 h/, /edge renew/],
  ["certificate", link({ certificateEndsAt: at - day }), "critical", /ended on 2026-03-08/, /New code/],
  ["clock", link({ clockAheadMs: 12_000 }), "notice", /12 seconds behind/, /ntp/],
  ["clock", link({ clockAheadMs: -4 * minute }), "warning", /4 min ahead of/, /ntp/],
  ["clock", link({ clockAheadMs: 2 * hour }), "critical", /2 h 0 min behind/, /ntp/],
  [
    "queue",
    queue({ ...waiting, oldestAt: at - 16 * minute }),
    "warning",
    /16 min.*nothing is being sent/,
    /last error/,
  ],
  [
    "queue",
    queue({ ...waiting, oldestAt: at - 5 * hour }, link({ sentBytesPerSecond: 9 })),
    "critical",
    /waited for 5 h 0 min although there is a link\./,
    /More comes in/,
  ],
  ["aside", queue({ aside: 1 }), "warning", /refused 1 item for good\. It rests/, /give it up/],
  ["aside", queue({ aside: 2 }), "warning", /refused 2 items for good\. They rest/, /says why/],
  [
    "devices",
    { ...well, devices: [1, 9, 2, 0, 3].map((failedToday, each) => device(`CT${each}`, failedToday)) },
    "warning",
    /today: CT1 \(9\), CT4 \(3\), CT2 \(2\) and 1 machine more/,
    /own queue/,
  ],
  ["callers", { ...well, callers: [caller("MR9", minute)] }, "warning", /MR9 at 10\.0\.0\.9\.$/, /admit it/],
  ["callers", { ...well, callers: [caller("MR9", 1), caller("MR8", 2)] }, "warning", /the last MR9 at/, /admit it/],
  [
    "error",
    { ...well, error: { at: at - minute, message: "a thing broke", remedy: "" } },
    "warning",
    /13:59: a thing broke\./,
    /log/,
  ],
  ["error", { ...well, error: { at: at - 2 * hour, message: "x", remedy: "do y" } }, "notice", /12:00: x/, /^Do y\.$/],
];

function device(name: string, failedToday: number) {
  return { name, failedToday, storedToday: 0, lastSeenAt: at };
}
function caller(name: string, ago: number) {
  return { name, address: "10.0.0.9", lastAt: at - ago };
}

for (const [of, report, severity, says, next] of rows) {
  test(`${of}: ${severity}, ${says.source}`, () => {
    const found = edgeFindings(report).filter((finding) => finding.of === of.split(",")[0]);
    assert.equal(found.length, 1);
    assert.equal(found[0]?.severity, severity);
    assert.match(found[0]?.says ?? "", says);
    assert.match(found[0]?.next ?? "", next);
  });
}

test("below its threshold nothing is said of a thing", () => {
  const fine = [
    free(3 * gigabyte),
    link({ certificateEndsAt: at + 9 * day }),
    link({ certificateEndsAt: 0 }),
    link({ clockAheadMs: 2_000 }),
    link({ clockAheadMs: null }),
    queue({ ...waiting, oldestAt: at - 14 * minute }),
    { ...well, callers: [caller("MR9", day)] },
    { ...well, error: { at: at - day, message: "x", remedy: "" } },
  ];
  for (const report of fine) assert.deepEqual(edgeFindings(report), []);
});

test("the worst comes first, and what is in the way of the link is said once", () => {
  const report = {
    ...queue({ ...waiting, aside: 1 }, link({ state: "down", since: at - 2 * hour })),
    error: { at: at - minute, message: "no name for that host", remedy: "look at its DNS" },
  };
  const found = edgeFindings(report).map(({ of, severity }) => `${of} ${severity}`);
  assert.deepEqual(found, ["link critical", "aside warning"]);
});

test("a report that is old says so first, in the headline too", () => {
  const { warning, critical } = edgeThresholds.reportAgeMs;
  const told = (agoMs: number) => ({ receivedAt: at - agoMs, now: at });
  assert.deepEqual(edgeFindings(well, told(warning - 1)), []);
  assert.match(edgeFindings(well, told(warning))[0]?.says ?? "", /not been heard of for 5 min/);
  assert.equal(edgeFindings(well, told(critical))[0]?.severity, "critical");
  assert.equal(edgeHeadline(well, told(hour)), "Not heard of since 13:00; nothing waited then");
  assert.match(edgeHeadline(queue(waiting), told(hour)), /since 13:00; 1,204 items wait; the oldest since 13:00 then/);
});

test("the headline says what waits, since when, and for how long still", () => {
  assert.equal(
    edgeHeadline(queue(waiting, link({ sentBytesPerSecond: 11e6 }))),
    "1,204 items wait; the oldest since 13:00; sending 11.0 MB/s; about 9 min left",
  );
  assert.equal(
    edgeHeadline(queue({ ...waiting, parcels: 1 })),
    "1 item waits; the oldest since 13:00; nothing is being sent",
  );
  assert.equal(
    edgeHeadline(queue(waiting, link({ state: "down" }))),
    "No link since 13:00: 1,204 items wait; the oldest since 13:00",
  );
  assert.equal(edgeHeadline(link({ state: "down", since: at - day })), "No link since 2026-03-08 14:00: nothing waits");
  assert.equal(edgeHeadline(link({ state: "off" })), "Not enrolled in a cloud");
  assert.match(edgeHeadline(queue(waiting, link({ state: "off" }))), /^Not enrolled in a cloud: 1,204 items wait/);
});
