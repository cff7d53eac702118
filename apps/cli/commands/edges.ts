import { Problem } from "#base/problem";
import {
  byteSize,
  type CloudLinkRequest,
  type CloudLinkView,
  type CloudRenewalRequest,
  type EdgeCodeView,
  type EdgeFinding,
  type EdgeReport,
  type EdgeRequest,
  type EdgeView,
  edgeFindings,
  edgeHeadline,
  type FacilityView,
} from "#formats/api";
import type { Command, CommandContext } from "../arguments.ts";
import type { Call } from "../call.ts";
import { withServer } from "../with-server.ts";
import { facilityNamed } from "./facilities.ts";

const when = (time: number) => (time === 0 ? "never" : new Date(time).toISOString());
const day = (time: number) => new Date(time).toISOString().slice(0, 10);

export const edgeEnroll: Command = {
  words: "edge enroll",
  takes: "URL CODE [--proxy URL]",
  does: "on a box in a facility: enrol it in the cloud whose page shows that command, which gives it a certificate",
  options: {
    proxy: "URL  go out through this HTTP proxy (else HTTPS_PROXY; none: straight): http://[NAME:PASSWORD@]HOST:PORT",
  },
  run: (context) =>
    withServer(context, async (call) => {
      const [url, ...code] = context.positionals;
      if (url === undefined || code.length === 0) {
        throw new Problem("invalid", "URL and CODE are needed", {
          remedy: "Edges in the cloud's administration shows the whole command",
        });
      }
      const proxy = proxyFrom(context);
      const request: CloudLinkRequest = { url, code: code.join(" "), ...(proxy !== undefined && { proxy }) };
      const link = await call.json<CloudLinkView>("POST", "/api/link", request);
      context.print(`this machine is enrolled as ${link.name}\n${wordsOf(link)}`, link);
    }),
};

export const edgeStatus: Command = {
  words: "edge status",
  takes: "",
  does: "on a box: how it does, how it stands with its cloud, asked now, and what somebody has to do",
  run: (context) =>
    withServer(context, async (call, { running }) => {
      const link = await call.json<CloudLinkView | null>("GET", "/api/link");
      const none = "not enrolled in a cloud: leadglass edge enroll URL CODE, as the cloud's page for edges shows it";
      const words = link === null ? none : wordsOf(link);
      // What waits and what is seen is known to the process that runs.
      if (!running) {
        const remark = "not running: leadglass start keeps it connected, and renews its certificate";
        return context.print(link === null ? words : `${words}\n${remark}`, { cloud: link });
      }
      const report = await call.json<EdgeReport>("GET", "/api/edge/report");
      const findings = edgeFindings(report);
      const parts = [edgeHeadline(report), words, stateWords(report), ...findings.map(findingWords)];
      context.print(link === null ? words : parts.join("\n\n"), { ...report, cloud: link, findings });
    }),
};

function stateWords({ queue, link, disk, receivedPerMinute }: EdgeReport): string {
  return [
    `waiting       ${queue.parcels.toLocaleString("en")} items, ${byteSize(queue.bytes)}; ${queue.aside} refused for good`,
    `sending       ${byteSize(link.sentBytesPerSecond)}/s on ${link.streams} streams; ${link.delivered.toLocaleString("en")} delivered since the start`,
    `received      ${receivedPerMinute.toLocaleString("en")} instances in the last minute`,
    `disk          ${byteSize(disk.freeBytes)} free; images are refused below ${byteSize(disk.reservedBytes)}`,
  ].join("\n");
}

const findingWords = ({ severity, says, next }: EdgeFinding) =>
  `${severity.toUpperCase().padEnd(14)}${says}\n${" ".repeat(14)}${next}`;

export const edgeRenew: Command = {
  words: "edge renew",
  takes: "[--proxy URL]",
  does: "on a box: give it a new key and certificate now, as it does by itself in time",
  options: {
    proxy: "URL  go out through this HTTP proxy from now on (none: straight): http://[NAME:PASSWORD@]HOST:PORT",
  },
  run: (context) =>
    withServer(context, async (call) => {
      const { proxy } = context.options;
      const request: CloudRenewalRequest = proxy === undefined ? {} : { proxy };
      const link = await call.json<CloudLinkView>("POST", "/api/link/renewal", request);
      context.print(wordsOf(link), link);
    }),
};

function proxyFrom({ options, environment }: CommandContext): string | undefined {
  const named = options.proxy ?? environment.HTTPS_PROXY ?? environment.https_proxy;
  return named === undefined || named === "" || named === "none" ? undefined : named;
}

const tolerableMs = 2_000;

function wordsOf(link: CloudLinkView): string {
  const { clockAheadMs, error } = link;
  const clock =
    clockAheadMs === null
      ? "not compared yet"
      : Math.abs(clockAheadMs) <= tolerableMs
        ? "agrees with the cloud's"
        : `${Math.round(Math.abs(clockAheadMs) / 1000)} s ${clockAheadMs > 0 ? "behind" : "ahead of"} the cloud's: have it set by NTP`;
  return [
    `cloud         ${link.url}${link.proxy === "" ? "" : ` through the proxy ${link.proxy}`}`,
    `known there   as ${link.name} (${link.id}), since ${day(link.enrolledAt)}`,
    `certificate   until ${day(link.certificateEndsAt)}, renewed from ${day(link.renewsAt)} on`,
    `last contact  ${when(link.lastContactAt)}`,
    `clock         ${clock}`,
    ...(error === null
      ? []
      : [`ERROR         ${error.message}${error.remedy === "" ? "" : `\n              ${error.remedy}`}`]),
  ].join("\n");
}

export const edgeAdd: Command = {
  words: "edge add",
  takes: "NAME [--facility NAME]",
  does: "on the cloud: a code that enrols a box under that name, good once and for 15 minutes; a new one for a box that is known",
  options: { facility: "NAME  where it stands" },
  run: (context) =>
    withServer(context, async (call) => {
      const [name] = context.positionals;
      if (name === undefined) {
        throw new Problem("invalid", "a name is needed", { remedy: 'leadglass edge add "North Wing, server room"' });
      }
      const { facility } = context.options;
      const known = (await call.json<EdgeView[]>("GET", "/api/edges")).find((edge) => edge.name === name);
      const request: EdgeRequest = {
        name,
        ...(facility !== undefined && { facility: await facilityNamed(call, facility) }),
      };
      const made = known
        ? await call.json<EdgeCodeView>("POST", `/api/edges/${known.id}/code`)
        : await call.json<EdgeCodeView>("POST", "/api/edges", request);
      const until = new Date(made.edge.codeEndsAt).toISOString();
      context.print(`until ${until}, on the box:\nleadglass edge enroll ${made.url} ${made.code}`, made);
    }),
};

export const edgeList: Command = {
  words: "edge list",
  takes: "",
  does: "on the cloud: the boxes that were enrolled in it, or are to be",
  run: (context) =>
    withServer(context, async (call) => {
      const edges = await call.json<EdgeView[]>("GET", "/api/edges");
      const facilities = await call.json<FacilityView[]>("GET", "/api/facilities");
      const nameOf = (id: string) => facilities.find((one) => one.id === id)?.name ?? "";
      const lines = edges.map((edge) =>
        [
          edge.name.padEnd(24),
          edge.state.padEnd(8),
          (edge.state === "enrolled" ? `until ${day(edge.notAfter)}` : "").padEnd(16),
          `last seen ${when(edge.lastSeenAt)}`,
          nameOf(edge.facility),
        ]
          .join("  ")
          .trimEnd(),
      );
      context.print(lines.join("\n") || "no edges yet: leadglass edge add NAME", edges);
    }),
};

export const edgeRevoke: Command = {
  words: "edge revoke",
  takes: "NAME",
  does: "on the cloud: shut that box out at once, whatever certificate it has",
  run: (context) =>
    withServer(context, async (call) => {
      const { id } = await edgeNamed(call, context.positionals[0]);
      const edge = await call.json<EdgeView>("POST", `/api/edges/${id}/revoke`);
      context.print(`${edge.name} is shut out; leadglass edge add enrols it again`, edge);
    }),
};

export const edgeRemove: Command = {
  words: "edge remove",
  takes: "NAME",
  does: "on the cloud: shut that box out at once, and forget it",
  run: (context) =>
    withServer(context, async (call) => {
      const edge = await edgeNamed(call, context.positionals[0]);
      await call.json("DELETE", `/api/edges/${edge.id}`);
      context.print(`removed ${edge.name}`, { removed: edge });
    }),
};

async function edgeNamed(call: Call, name: string | undefined): Promise<EdgeView> {
  const edges = await call.json<EdgeView[]>("GET", "/api/edges");
  const edge = edges.find((one) => one.name === name || one.id === name);
  if (edge !== undefined) return edge;
  throw new Problem("absent", "no edge has that name", { remedy: "leadglass edge list shows those there are" });
}
