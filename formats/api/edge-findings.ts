import { byteSize, counted, duration } from "./amounts.ts";
import type { EdgeReport, FindingSeverity } from "./edges.ts";

export interface EdgeFinding {
  readonly of:
    | "report"
    | "link"
    | "certificate"
    | "clock"
    | "disk"
    | "queue"
    | "aside"
    | "devices"
    | "callers"
    | "error";
  readonly severity: FindingSeverity;
  /** What is so, in a sentence. */
  readonly says: string;
  /** What to do about it. */
  readonly next: string;
}

/** When the cloud was told of a report, and its time now. Absent on the box itself: there the report is of now. */
export interface ReportAge {
  readonly receivedAt: number;
  readonly now: number;
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** From where on what is how bad. */
export const edgeThresholds = {
  /** A box tells its cloud once a minute. */
  reportAgeMs: { warning: 5 * minute, critical: hour },
  linkDownMs: { warning: 5 * minute, critical: hour },
  /** Of what waits while the link is up. */
  oldestMs: { warning: 15 * minute, critical: 4 * hour },
  /** A certificate of 30 days renews itself when ten are left: a day later something is in the way. */
  certificateLeftMs: { warning: 9 * day, critical: 2 * day },
  /** Either way. Certificates of a cloud are out of their time for a clock that is far off. */
  clockMs: { notice: 2 * second, warning: minute, critical: 5 * minute },
  /** Free space, in multiples of what is kept free. */
  diskOfReserve: { warning: 6, critical: 2 },
  /** How long a failed thing is worth a warning; as long again a day it is worth knowing. */
  errorMs: { warning: hour, notice: day },
  callerMs: { warning: day },
} as const;

type Found = Omit<EdgeFinding, "of"> | undefined;
type Rule = (report: EdgeReport, age: ReportAge | undefined) => Found;

/** What an IT person has to know of a box, the worst first; nothing when all is well. */
export function edgeFindings(report: EdgeReport, age?: ReportAge): readonly EdgeFinding[] {
  const found = rules.flatMap(([of, rule]) => {
    const finding = rule(report, age);
    return finding === undefined ? [] : [{ of, ...finding }];
  });
  return found.toSorted((one, other) => severities.indexOf(one.severity) - severities.indexOf(other.severity));
}

const severities: readonly FindingSeverity[] = ["critical", "warning", "notice"];

const rules: readonly (readonly [EdgeFinding["of"], Rule])[] = [
  ["report", silent],
  ["link", linkDown],
  ["disk", diskFull],
  ["certificate", certificateEnding],
  ["clock", clockOff],
  ["queue", waitsLong],
  ["aside", setAside],
  ["devices", devicesFailing],
  ["callers", strangersCalling],
  ["error", lastError],
];

/** How a box does, in one sentence. */
export function edgeHeadline(report: EdgeReport, age?: ReportAge): string {
  const { queue, link, at } = report;
  const words = waitingWords(report);
  if (age !== undefined && isOld(age)) {
    const then = queue.parcels === 0 ? "nothing waited then" : `${words} then`;
    return `Not heard of since ${timeWords(age.receivedAt, age.now)}; ${then}`;
  }
  if (link.state === "off") {
    return queue.parcels === 0 ? "Not enrolled in a cloud" : `Not enrolled in a cloud: ${words}`;
  }
  if (link.state === "down") return `No link since ${timeWords(link.since, at)}: ${words}`;
  if (queue.parcels === 0) return "Everything has reached the cloud";
  const rate = link.sentBytesPerSecond;
  if (rate < 1) return `${words}; nothing is being sent`;
  const left = Math.max(minute, (queue.bytes / rate) * second);
  return `${words}; sending ${byteSize(rate)}/s; about ${duration(left)} left`;
}

/** "1,204 items wait; the oldest since 07:12". */
function waitingWords({ queue: { parcels, oldestAt }, at }: EdgeReport): string {
  if (parcels === 0) return "nothing waits";
  const since = oldestAt === null ? "" : `; the oldest since ${timeWords(oldestAt, at)}`;
  return `${counted(parcels, "item waits", "items wait")}${since}`;
}

const dayOf = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short" });
const timeOf = new Intl.DateTimeFormat("sv-SE", { timeStyle: "short" });

/** Local time, "07:12"; with its day unless it is the same one, "2026-01-31 07:12". */
function timeWords(at: number, now: number): string {
  const [day, time] = [dayOf.format(at), timeOf.format(at)];
  return day === dayOf.format(now) ? time : `${day} ${time}`;
}

const isOld = ({ receivedAt, now }: ReportAge) => now - receivedAt >= edgeThresholds.reportAgeMs.warning;

function silent(_report: EdgeReport, age: ReportAge | undefined): Found {
  if (age === undefined || !isOld(age)) return undefined;
  const silentMs = age.now - age.receivedAt;
  return {
    severity: silentMs >= edgeThresholds.reportAgeMs.critical ? "critical" : "warning",
    says: `This box has not been heard of for ${duration(silentMs)}: what is shown is how it was then.`,
    next: "Look whether it is switched on and has internet. On the box, leadglass edge status says what is in the way.",
  };
}

function linkDown({ link, queue, error, at }: EdgeReport): Found {
  if (link.state === "up") return undefined;
  if (link.state === "off") {
    return {
      severity: queue.parcels === 0 ? "notice" : "critical",
      says: "This box is not enrolled in a cloud: nothing leaves it.",
      next: "In the cloud, Administration, Edges, Add an edge shows the command that is typed here.",
    };
  }
  const { warning, critical } = edgeThresholds.linkDownMs;
  const downMs = at - link.since;
  const why = error !== null && error.at >= link.since ? error : undefined;
  return {
    severity: downMs >= critical ? "critical" : downMs >= warning ? "warning" : "notice",
    says: `No link to the cloud since ${timeWords(link.since, at)}${why === undefined ? "" : `: ${why.message}`}. What machines send is kept here, and goes when it is back.`,
    next: sentence(why?.remedy || "look whether this box has internet, and whether a firewall or proxy is in the way"),
  };
}

function diskFull({ disk: { freeBytes, reservedBytes } }: EdgeReport): Found {
  const { warning, critical } = edgeThresholds.diskOfReserve;
  const next =
    "Free space on this disk, or give it a larger one. What waits goes by itself once the link is up, and leaves room behind.";
  if (freeBytes <= reservedBytes) {
    const says = `The disk of this box is full: ${byteSize(freeBytes)} left. New images are refused, and machines told so; none is lost.`;
    return { severity: "critical", says, next };
  }
  if (freeBytes >= warning * reservedBytes) return undefined;
  return {
    severity: freeBytes < critical * reservedBytes ? "critical" : "warning",
    says: `The disk of this box is nearly full: ${byteSize(freeBytes)} left. Images are refused below ${byteSize(reservedBytes)}.`,
    next,
  };
}

function certificateEnding({ link, at }: EdgeReport): Found {
  if (link.state === "off" || link.certificateEndsAt === 0) return undefined;
  const leftMs = link.certificateEndsAt - at;
  if (leftMs <= 0) {
    return {
      severity: "critical",
      says: `The certificate of this box ended on ${dayOf.format(link.certificateEndsAt)}: the cloud does not take it any more.`,
      next: "In the cloud, Administration, Edges, New code; type the command that it shows on the box.",
    };
  }
  const { warning, critical } = edgeThresholds.certificateLeftMs;
  if (leftMs >= warning) return undefined;
  return {
    severity: leftMs < critical ? "critical" : "warning",
    says: `The certificate of this box ends in ${duration(leftMs)} and has not been renewed.`,
    next: "It is tried every minute while there is a link. leadglass edge renew tries now, and says what is in the way.",
  };
}

function clockOff({ link: { clockAheadMs } }: EdgeReport): Found {
  const { notice, warning, critical } = edgeThresholds.clockMs;
  const offMs = Math.abs(clockAheadMs ?? 0);
  if (clockAheadMs === null || offMs <= notice) return undefined;
  const words = offMs < minute ? counted(Math.round(offMs / second), "second") : duration(offMs);
  return {
    severity: offMs >= critical ? "critical" : offMs >= warning ? "warning" : "notice",
    says: `The clock of this box is ${words} ${clockAheadMs > 0 ? "behind" : "ahead of"} the cloud's.`,
    next: "Have it set from the network: timedatectl set-ntp true, and let NTP (UDP 123) through.",
  };
}

function waitsLong({ queue, link, at }: EdgeReport): Found {
  const { warning, critical } = edgeThresholds.oldestMs;
  const waitedMs = queue.oldestAt === null ? 0 : at - queue.oldestAt;
  if (link.state !== "up" || queue.parcels === 0 || waitedMs < warning) return undefined;
  const isMoving = link.sentBytesPerSecond >= 1;
  return {
    severity: waitedMs >= critical ? "critical" : "warning",
    says: `The oldest item has waited for ${duration(waitedMs)} although there is a link${isMoving ? "" : ", and nothing is being sent"}.`,
    next: isMoving
      ? "More comes in than goes out: look whether something else takes the line, or whether a limit by the hour is set too low."
      : "Look at the last error, and at the cloud's status: its disk may be full. leadglass edge status asks the cloud now.",
  };
}

function setAside({ queue: { aside } }: EdgeReport): Found {
  if (aside === 0) return undefined;
  return {
    severity: "warning",
    says: `The cloud refused ${counted(aside, "item")} for good. ${aside === 1 ? "It rests" : "They rest"} on this box until somebody decides.`,
    next: "On the page of the box, each says why: mend that and send it again, or give it up.",
  };
}

const failingNamedMost = 3;

function devicesFailing({ devices }: EdgeReport): Found {
  const failing = devices.filter(({ failedToday }) => failedToday > 0);
  if (failing.length === 0) return undefined;
  const named = failing
    .toSorted((one, other) => other.failedToday - one.failedToday)
    .slice(0, failingNamedMost)
    .map(({ name, failedToday }) => `${name} (${failedToday.toLocaleString("en")})`);
  const more = failing.length - named.length;
  return {
    severity: "warning",
    says: `Instances were refused or broken off today: ${named.join(", ")}${more > 0 ? ` and ${counted(more, "machine")} more` : ""}.`,
    next: "Most machines send again by themselves: look in the machine's own queue. What each was told stands in the log of this box.",
  };
}

function strangersCalling({ callers, at }: EdgeReport): Found {
  const [latest, ...others] = callers.filter(({ lastAt }) => at - lastAt < edgeThresholds.callerMs.warning);
  if (latest === undefined) return undefined;
  const says =
    others.length === 0
      ? `A machine that is not registered has called: ${latest.name} at ${latest.address}.`
      : `Machines that are not registered have called, the last ${latest.name} at ${latest.address}.`;
  return {
    severity: "warning",
    says,
    next: "If it is yours, admit it on the page Devices of the box; else dismiss it there.",
  };
}

function lastError({ error, link, at }: EdgeReport): Found {
  // What is in the way of the link is said with the link.
  if (error === null || (link.state === "down" && error.at >= link.since)) return undefined;
  const { warning, notice } = edgeThresholds.errorMs;
  if (at - error.at >= notice) return undefined;
  return {
    severity: at - error.at < warning ? "warning" : "notice",
    says: `The last thing that went wrong, at ${timeWords(error.at, at)}: ${error.message}.`,
    next: sentence(error.remedy || "see the log of the box at that time"),
  };
}

/** Remedies of Problems begin small and have no full stop. */
const sentence = (words: string) =>
  `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;
