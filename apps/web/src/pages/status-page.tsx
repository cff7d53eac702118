import { Progress } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { byteSize, duration, type StatusView } from "#formats/api";
import { statusQuery } from "../api/queries.ts";
import { ProblemNote } from "../shell/problem-note.tsx";
import { exactTime } from "../words/moments.ts";
import { Time, useNow } from "../words/time.tsx";
import { careFacts } from "./care-facts.tsx";
import { logFacts } from "./log-facts.tsx";
import { Page } from "./page.tsx";
import classes from "./rows.module.css";

export function StatusPage() {
  const status = useQuery(statusQuery);
  return (
    <Page title="Status">
      {status.error !== null ? <ProblemNote error={status.error} onRetry={() => void status.refetch()} /> : null}
      {status.data === undefined ? null : <Facts status={status.data} />}
    </Page>
  );
}

function Facts({ status }: { readonly status: StatusView }) {
  const now = useNow();
  const running = duration(Math.max(0, now - status.startedAt));
  const facts: readonly (readonly [string, ReactNode])[] = [
    ["Version", status.version],
    ["Running", <span key="running" title={exactTime(status.startedAt)}>{`for ${running}`}</span>],
    ["DICOM", status.ports.dicom === null ? "off" : `port ${status.ports.dicom}, AE title ${status.dicomAeTitle}`],
    ["DICOM over TLS", status.ports.dicomTls === null ? "off" : `port ${status.ports.dicomTls}`],
    ["HL7", status.ports.hl7 === null ? "off" : `port ${status.ports.hl7}`],
    ["HL7 over TLS", status.ports.hl7Tls === null ? "off" : `port ${status.ports.hl7Tls}`],
    ["HTTPS", status.ports.https === null ? "off" : `port ${status.ports.https}`],
    ["Studies", status.studies.toLocaleString("en")],
    ["Open associations", status.associations.toLocaleString("en")],
    ["Database", status.database],
    ...(status.stopped.length > 0 ? ([["Stopped", <Stopped key="stopped" stopped={status.stopped} />]] as const) : []),
    ...careFacts(status.care),
    ["Disk", <Disk key="disk" disk={status.disk} />],
    ...logFacts(status),
  ];
  return (
    <dl className={classes.facts}>
      {facts.map(([name, value]) => (
        <Fact key={name} name={name} value={value} />
      ))}
    </dl>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

/** Somebody who sees more patients in a minute than a person reads: a stolen session, or a script that copies the archive. */
function Stopped({ stopped }: { readonly stopped: StatusView["stopped"] }) {
  return (
    <div role="alert">
      Looked at too many patients in a minute, and sees none until released:
      {stopped.map(({ actor, since }) => (
        <div key={actor}>
          <code>leadglass release {actor}</code> (<Time at={since} />)
        </div>
      ))}
    </div>
  );
}

/** Below the reserve, images are refused with "out of resources" before any is lost. */
function Disk({ disk }: { readonly disk: StatusView["disk"] }) {
  const isLow = disk.freeBytes < 2 * disk.reservedBytes;
  return (
    <div>
      {byteSize(disk.freeBytes)} free; new images are refused below {byteSize(disk.reservedBytes)}
      {isLow ? (
        <Progress
          value={100 * Math.min(1, disk.reservedBytes / Math.max(1, disk.freeBytes))}
          color="red"
          mt={6}
          maw={320}
          aria-label="Little room is left"
        />
      ) : null}
    </div>
  );
}
