import { Problem } from "#base/problem";
import type { StatusView, TenantView, TokenView, WitnessView } from "#formats/api";
import { mainHomeOf } from "../../home/index.ts";
import type { Command } from "../arguments.ts";
import { withServer } from "../with-server.ts";
import { careLines } from "./care.ts";
import { tenantLine } from "./tenants.ts";

export const token: Command = {
  words: "token",
  takes: "--client NAME --minutes N [--masked]",
  does: "an access token for scripts on this machine; the client is made when it is new",
  options: { client: "NAME  letters, digits, '.', '_', '-'", minutes: "N  how long it is good for" },
  flags: { masked: "who holds it sees identity masked, and no whole instances" },
  run: (context) =>
    withServer(context, async (call) => {
      const { client, minutes } = context.options;
      if (client === undefined || minutes === undefined || !(Number(minutes) > 0)) {
        throw new Problem("invalid", "--client NAME and --minutes N are needed");
      }
      const issued = await call.json<TokenView>("POST", "/api/tokens", {
        client,
        minutes: Number(minutes),
        masked: context.flags.has("masked"),
      });
      context.print(issued.token, issued);
    }),
};

export const status: Command = {
  words: "status",
  takes: "",
  does: "what runs, ports, log, disk",
  run: (context) =>
    withServer(context, async (call, { running }) => {
      const seen = await call.json<StatusView>("GET", "/api/status");
      const { ports, disk, audit, keys } = seen;
      const tenants =
        mainHomeOf(context.home) === undefined ? await call.json<TenantView[]>("GET", "/api/tenants") : [];
      const checkpoint = audit.checkpointAt === null ? "none yet" : new Date(audit.checkpointAt).toISOString();
      const lines = [
        running ? `running since ${new Date(seen.startedAt).toISOString()}, version ${seen.version}` : "not running",
        `https ${ports.https ?? "off"}, DICOM ${ports.dicom ?? "off"}, over TLS ${ports.dicomTls ?? "off"}, as ${seen.dicomAeTitle}, ${seen.associations} associations`,
        `HL7 ${ports.hl7 ?? "off"}, over TLS ${ports.hl7Tls ?? "off"}`,
        `${seen.studies} studies, database ${seen.database}`,
        `log: ${audit.entries} entries, newest checkpoint ${checkpoint}`,
        ...collectorLines(seen.collector),
        ...audit.witnesses.map(witnessLine),
        ...seen.stopped.map(
          ({ actor, since }) =>
            `stopped: ${actor} since ${new Date(since).toISOString()}, saw too many patients; leadglass release ${actor}`,
        ),
        `keys: under a ${keys.root} root key, ${keys.hasRecoveryKit ? "with" : "WITHOUT"} a recovery kit${keys.isRotating ? ", being rotated" : ""}`,
        ...careLines(seen.care),
        `disk: ${(disk.freeBytes / 2 ** 30).toFixed(1)} GiB free, images are refused under ${(disk.reservedBytes / 2 ** 30).toFixed(1)} GiB`,
        ...tenants.map((tenant) => `tenant ${tenantLine(tenant)}`),
      ];
      context.print(lines.join("\n"), { running, ...seen, tenants });
    }),
};

function collectorLines(collector: StatusView["collector"]): string[] {
  if (collector === null) return [];
  const { behind, error } = collector;
  const state = behind === 0 ? "has the whole log" : `is ${behind} entries behind`;
  if (error === undefined) return [`collector: ${state}`];
  return [`collector: ${state} since ${new Date(error.since).toISOString()}: ${error.message}; ${error.remedy ?? ""}`];
}

function witnessLine({ name, state, signedEntries, signedAt, why, since }: WitnessView): string {
  const signed =
    signedAt === null ? "signed nothing yet" : `signed ${signedEntries} entries ${new Date(signedAt).toISOString()}`;
  if (state === "signed" || since === undefined) return `witness ${name}: ${signed}`;
  const alarm = state === "refuses" ? "ALARM, " : "";
  return `witness ${name}: ${alarm}${why} (since ${new Date(since).toISOString()}); ${signed}`;
}

export const release: Command = {
  words: "release",
  takes: "ACTOR",
  does: "let somebody go on who was stopped for looking at too many patients in a minute",
  run: (context) =>
    withServer(context, async (call) => {
      const [actor] = context.positionals;
      if (actor === undefined) throw new Problem("invalid", "ACTOR is needed, as `leadglass status` shows it");
      await call.json("POST", "/api/stopped/release", { actor });
      context.print(`${actor} may go on`, { actor });
    }),
};
