import { Title } from "@mantine/core";
import type { ReactNode } from "react";
import {
  byteSize,
  counted,
  duration,
  type EdgeFinding,
  type EdgeReport,
  edgeFindings,
  edgeHeadline,
  type ReportAge,
} from "#formats/api";
import { exactTime } from "../../words/moments.ts";
import { Time } from "../../words/time.tsx";
import rows from "../rows.module.css";
import classes from "./health.module.css";
import { severityWords } from "./severity-words.ts";

interface HealthProps {
  readonly report: EdgeReport;
  /** In the cloud: when it was told. */
  readonly age?: ReportAge;
  readonly about?: ReactNode;
}

/** How a box does: in one sentence, what somebody has to do, in numbers, and by machine. */
export function Health({ report, age, about }: HealthProps) {
  const findings = edgeFindings(report, age);
  return (
    <>
      <div className={classes.head} data-worst={findings[0]?.severity}>
        <div className={classes.headline} role="status">
          {edgeHeadline(report, age)}
        </div>
        {about}
      </div>
      <Findings findings={findings} />
      <Tiles report={report} />
      <Machines report={report} />
    </>
  );
}

function Findings({ findings }: { readonly findings: readonly EdgeFinding[] }) {
  if (findings.length === 0) return null;
  return (
    <ul className={classes.findings} aria-label="What to do">
      {findings.map(({ of, severity, says, next }) => (
        <li key={of} className={classes.finding}>
          <span className={classes.severity} data-severity={severity}>
            {severityWords[severity]}
          </span>
          <span>{says}</span>
          <span className={classes.next}>{next}</span>
        </li>
      ))}
    </ul>
  );
}

/** Its name, its value, and what there is to say besides. */
type Tile = readonly [string, string, ReactNode?];

function tilesOf({ at, queue, link, disk, receivedPerMinute, startedAt, software }: EdgeReport): readonly Tile[] {
  const { parcels, bytes, oldestAt, aside } = queue;
  const waits = oldestAt === null ? undefined : duration(at - oldestAt);
  return [
    ["Waiting", parcels.toLocaleString("en"), aside === 0 ? byteSize(bytes) : `${byteSize(bytes)}; ${aside} refused`],
    ["Oldest", waits ?? "none", oldestAt === null ? undefined : `since ${exactTime(oldestAt).slice(0, 16)}`],
    [
      "Sending",
      `${byteSize(link.sentBytesPerSecond)}/s`,
      `${counted(link.streams, "stream")}; ${link.delivered.toLocaleString("en")} delivered`,
    ],
    ["Received", `${receivedPerMinute.toLocaleString("en")}/min`, "instances from machines"],
    ["Disk", byteSize(disk.freeBytes), `free; refused below ${byteSize(disk.reservedBytes)}`],
    [
      "Link",
      { up: "up", down: "down", off: "not enrolled" }[link.state],
      link.state === "off" ? undefined : `for ${duration(at - link.since)}`,
    ],
    [
      "Certificate",
      link.certificateEndsAt === 0 ? "none" : exactTime(link.certificateEndsAt).slice(0, 10),
      link.certificateEndsAt === 0 ? undefined : "renews itself ten days before",
    ],
    ["Clock", clockWords(link.clockAheadMs), link.clockAheadMs === null ? undefined : "against the cloud's"],
    ["Running", duration(at - startedAt), `version ${software}`],
  ];
}

function clockWords(aheadMs: number | null): string {
  if (aheadMs === null) return "not compared";
  if (Math.abs(aheadMs) <= 2_000) return "agrees";
  const off = Math.abs(aheadMs) < 60_000 ? `${Math.round(Math.abs(aheadMs) / 1000)} s` : duration(Math.abs(aheadMs));
  return `${off} ${aheadMs > 0 ? "behind" : "ahead"}`;
}

function Tiles({ report }: { readonly report: EdgeReport }) {
  return (
    <dl className={classes.tiles}>
      {tilesOf(report).map(([name, value, more]) => (
        <div key={name} className={classes.tile}>
          <dt>{name}</dt>
          <dd>
            <div className={classes.value}>{value}</div>
            <div className={classes.more}>{more}</div>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Machines({ report: { devices } }: { readonly report: EdgeReport }) {
  return (
    <section className={rows.section} aria-labelledby="machines">
      <Title order={2} id="machines" mb={6}>
        Devices
      </Title>
      {devices.length === 0 ? (
        <div className={rows.empty}>
          No machine may send to this box yet. One that has called waits on the page Devices.
        </div>
      ) : (
        <div className={rows.wrap}>
          <table className={rows.table} aria-label="Devices">
            <thead>
              <tr>
                <th>AE title</th>
                <th>Last call</th>
                <th className={rows.right}>Stored today</th>
                <th className={rows.right}>Failed today</th>
              </tr>
            </thead>
            <tbody>
              {devices.map(({ name, lastSeenAt, storedToday, failedToday }, each) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: two machines may have one title
                <tr key={`${name} ${each}`}>
                  <td className={rows.mono}>{name}</td>
                  <td className={rows.plain}>{lastSeenAt > 0 ? <Time at={lastSeenAt} /> : "never"}</td>
                  <td className={rows.right}>{storedToday.toLocaleString("en")}</td>
                  <td className={rows.right}>
                    <span className={failedToday > 0 ? rows.refused : ""}>{failedToday.toLocaleString("en")}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
