import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { Problem } from "#base/problem";
import type { BackupsView, BackupView } from "#formats/api";
import { mainHomeOf } from "../../home/index.ts";
import type { Command, CommandContext } from "../arguments.ts";
import { follow } from "../follow.ts";
import { withServer } from "../with-server.ts";
import { readShares } from "./keys.ts";

const usualPoints = 14;

function folderOf(context: CommandContext): string {
  const [folder, ...more] = context.positionals;
  if (folder === undefined || more.length > 0) throw new Problem("invalid", "name one backup folder");
  return resolve(folder);
}

function wholeNumber(context: CommandContext, option: string): number | undefined {
  const text = context.options[option];
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new Problem("invalid", `--${option} is a whole number from 1`);
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const time = (ms: number) => new Date(ms).toISOString();
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
const lossLines = (losses: BackupView["losses"]) => losses.map(({ name, what }) => `  ${name}: ${what}`);

export const vaultBackup: Command = {
  words: "vault backup",
  takes: "DIR [--keep N] [--verify]",
  does: "add a point to the backup in a folder of another disk; the server goes on",
  options: { keep: `N  points that are kept, this one included (${usualPoints})` },
  flags: {
    verify: "read everything back and compare; what is damaged is written again if the home has it",
    "begin-anew": "begin another backup in a folder whose backup is not there any more",
  },
  run: (context) =>
    withServer(context, async (call) => {
      const body = {
        folder: folderOf(context),
        keepPoints: wholeNumber(context, "keep") ?? usualPoints,
        verify: context.flags.has("verify"),
        beginAnew: context.flags.has("begin-anew"),
      };
      const answer = await call.stream("POST", "/api/vault/backup", {
        body: Buffer.from(JSON.stringify(body), "utf8"),
        type: "application/json",
      });
      const view = await follow<BackupView>(answer, context);
      const verified = body.verify ? `, ${view.losses.length === 0 ? "all of it" : "NOT all of it"} read back` : "";
      const lines = [
        `point ${view.point} of ${time(view.takenAt)}: ${view.objects} objects, ${megabytes(view.bytes)}; ${megabytes(view.copiedBytes)} new in ${seconds(view.tookMs)}${verified}; ${view.points.length} points kept`,
        ...lossLines(view.losses),
      ];
      context.print(lines.join("\n"), view);
      if (view.losses.length > 0) {
        throw new Problem("damaged", "the backup does not hold all that it should", {
          remedy: "look after its disk; begin another backup on a good one",
        });
      }
    }),
};

const rootOptions = {
  "passphrase-file": "F  the root passphrase of the home that was saved (LEADGLASS_PASSPHRASE_FILE)",
};

export const vaultRestore: Command = {
  words: "vault restore",
  makesHome: true,
  takes: "DIR --home NEW --passphrase-file F",
  does: "make a home from a backup, in a folder that is empty or not there",
  options: {
    ...rootOptions,
    point: "N  not the newest point",
    database: "URL  where accounts go (LEADGLASS_DATABASE); it must be empty",
    "identity-database": "URL  where the index goes (LEADGLASS_IDENTITY_DATABASE); it must be empty",
  },
  flags: {
    shares:
      "two shares of the recovery kit come on standard input, an empty line behind each; a new passphrase is made",
    "accept-loss": "go on when something in the backup is damaged or missing",
  },
  async run(context) {
    const folder = folderOf(context);
    const { home, options, environment } = context;
    if (options.home === undefined) throw new Problem("invalid", "name the new home with --home NEW");
    const { keyringOpener, readConfiguration, restoreHome } = await import("../../server/index.ts");
    const configured = readConfiguration(options, environment);
    const { passphraseFile } = configured;
    const shares = context.flags.has("shares") ? await readShares(context) : undefined;
    // With shares the keyring comes under a passphrase, whatever it was under.
    const root = { passphraseFile, ...(shares !== undefined && { rootKey: "passphrase" }) };
    const point = wholeNumber(context, "point");
    const restored = await restoreHome(
      {
        folder,
        home,
        ...(point !== undefined && { point }),
        acceptLoss: context.flags.has("accept-loss"),
        openKeyring: keyringOpener(configured, shares),
        configuration: () => ({ ...readConfiguration(options, environment), ...root }),
        tell: context.say,
      },
      async (_house, made) => made,
    );
    const lines = [
      `${home} is point ${restored.point} of ${time(restored.takenAt)}: ${restored.instances} instances of ${restored.studies} studies, ${restored.logLines} entries of the log, in ${seconds(restored.recoveryMs)}`,
      ...lossLines(restored.losses),
      mainHomeOf(home) === undefined
        ? `start it with --home ${home} --passphrase-file ${passphraseFile}`
        : `copy ${passphraseFile} to ${join(home, "root.passphrase")}, then leadglass tenant add ${basename(home)}`,
    ];
    context.print(lines.join("\n"), { home, passphraseFile, ...restored });
  },
};

export const vaultDrill: Command = {
  words: "vault drill",
  takes: "DIR [--sample N]",
  does: "restore a backup into a temporary home, open what is in it, tell recovery time and point",
  options: {
    ...rootOptions,
    point: "N  not the newest point",
    sample: "N  open so many objects, by chance, in place of all",
    in: "DIR  where the temporary home is made",
  },
  async run(context) {
    const folder = folderOf(context);
    const { options, environment } = context;
    const { drillBackup, keyringOpener, readConfiguration } = await import("../../server/index.ts");
    const configured = readConfiguration({ ...options, home: context.home }, environment);
    const { passphraseFile } = configured;
    const [point, sample] = [wholeNumber(context, "point"), wholeNumber(context, "sample")];
    const report = await drillBackup({
      folder,
      ...(point !== undefined && { point }),
      ...(sample !== undefined && { sample }),
      ...(options.in !== undefined && { within: resolve(options.in) }),
      openKeyring: keyringOpener(configured, undefined),
      configuration: (home) => ({ ...readConfiguration({ ...options, home }, environment), passphraseFile }),
      tell: context.say,
    });
    const newestAtHome = await newestInstanceAtHome(context);
    const behindMs =
      newestAtHome === undefined || report.newestInstanceAt === null
        ? undefined
        : Math.max(0, newestAtHome - report.newestInstanceAt);
    const lines = [
      `${report.isWhole ? "whole" : "NOT WHOLE"}: point ${report.point}, recovery time ${seconds(report.recoveryMs)}, recovery point ${time(report.takenAt)}` +
        `; ${report.opened} of ${report.found} objects opened, ${report.damaged} damaged, ${report.objects} expected` +
        `; ${report.instances} instances of ${report.studies} studies` +
        `; newest instance ${report.newestInstanceAt === null ? "none" : time(report.newestInstanceAt)}` +
        `, the home ${behindMs === undefined ? "is not here to compare" : `has newer ones by ${seconds(behindMs)}`}`,
      ...lossLines(report.losses),
    ];
    context.print(lines.join("\n"), {
      ...report,
      newestInstanceAtHome: newestAtHome ?? null,
      behindMs: behindMs ?? null,
    });
    if (!report.isWhole) {
      throw new Problem("damaged", "the backup does not give everything back", {
        remedy: "leadglass vault backup DIR --verify writes again what the home still has",
      });
    }
  },
};

/** Undefined on a machine that has only the backup. */
async function newestInstanceAtHome(context: CommandContext): Promise<number | undefined> {
  if (!existsSync(join(context.home, "keys"))) return undefined;
  const view = await withServer(context, (call) => call.json<BackupsView>("GET", "/api/vault/backups"));
  return view.newestInstanceAt ?? undefined;
}
