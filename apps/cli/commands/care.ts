import { Problem } from "#base/problem";
import type { CareView, ClockView, CompactionView, HoldView, ScrubRequest, ScrubView } from "#formats/api";
import type { Command, CommandContext } from "../arguments.ts";
import { follow } from "../follow.ts";
import { withServer } from "../with-server.ts";

const time = (ms: number) => new Date(ms).toISOString();
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** The one word that names a study or an instance. */
function tokenOf(context: CommandContext, named: string): string {
  const [token, ...more] = context.positionals;
  if (token !== undefined && more.length === 0 && /^[0-9a-f]{32}$/.test(token)) return token;
  throw new Problem("invalid", `${named} is 32 hexadecimal digits`, { remedy: "leadglass vault --help" });
}

export const vaultHold: Command = {
  words: "vault hold",
  takes: "STUDY [--release]",
  does: "legal hold: nobody deletes this study, no rule and no person, until it is released",
  flags: { release: "end the hold" },
  run(context) {
    const study = tokenOf(context, "STUDY");
    const release = context.flags.has("release");
    return withServer(context, async (call) => {
      await call.json("POST", "/api/vault/holds", { study, release });
      context.print(release ? `${study} is released` : `${study} is held`, { study, isHeld: !release });
    });
  },
};

export const vaultHolds: Command = {
  words: "vault holds",
  takes: "",
  does: "which studies are under legal hold",
  run: (context) =>
    withServer(context, async (call) => {
      const holds = await call.json<HoldView[]>("GET", "/api/vault/holds");
      const lines = holds.map(({ study, since }) => `${study} since ${time(since)}`);
      context.print(lines.length === 0 ? "no study is held" : lines.join("\n"), holds);
    }),
};

export const vaultConfirmClock: Command = {
  words: "vault confirm-clock",
  takes: "",
  does: "somebody has looked: this machine's clock is right; what is due by it is deleted from now on",
  run: (context) =>
    withServer(context, async (call) => {
      const { behindMs } = await call.json<ClockView>("POST", "/api/vault/clock");
      const was = behindMs === null ? "was not known" : `was ${duration(behindMs)} behind`;
      context.print(`the time that retention goes by ${was}, and is the clock's now`, { behindMs });
    }),
};

const scrubActs = { pause: "pause", resume: "resume", now: "begin" } as const satisfies Record<
  string,
  ScrubRequest["to"]
>;

export const vaultScrub: Command = {
  words: "vault scrub",
  takes: "[--pause|--resume|--now]",
  does: "how far the reading and proving of everything at rest is, and when it last was through",
  flags: { pause: "stop reading until --resume or the next start", resume: "go on", now: "one more pass, at once" },
  run(context) {
    const asked = Object.entries(scrubActs).filter(([flag]) => context.flags.has(flag));
    if (asked.length > 1) throw new Problem("invalid", "one of --pause, --resume and --now");
    return withServer(context, async (call) => {
      const to = asked[0]?.[1];
      const view = await (to === undefined
        ? call.json<ScrubView>("GET", "/api/vault/scrub")
        : call.json<ScrubView>("POST", "/api/vault/scrub", { to }));
      context.print(scrubLines(view).join("\n"), view);
    });
  },
};

export const vaultCompact: Command = {
  words: "vault compact",
  takes: "",
  does: "take back the room of everything that was deleted or given up, now",
  run: (context) =>
    withServer(context, async (call) => {
      const view = await follow<CompactionView>(await call.stream("POST", "/api/vault/compact"), context);
      const { packs, objects, freedBytes, damagedPacks } = view;
      context.print(`${packs} packs compacted, ${objects} objects moved, ${megabytes(freedBytes)} free`, view);
      if (damagedPacks === 0) return;
      throw new Problem("damaged", `${damagedPacks} packs hold something damaged and stay as they are`, {
        remedy: "`leadglass vault check` tells what; restore it from a backup",
      });
    }),
};

export const vaultDiscardConflict: Command = {
  words: "vault discard-conflict",
  takes: "INSTANCE",
  does: "give up one copy of an instance that came with different bytes (`vault check` lists them); never the one that is served",
  run(context) {
    const instance = tokenOf(context, "INSTANCE");
    return withServer(context, async (call) => {
      await call.json("POST", "/api/vault/conflicts", { instance });
      context.print(`${instance} was given up; its room comes back with the next compaction`, { instance });
    });
  },
};

/** For `leadglass status`. */
export function careLines({ scrub, replica, clockBehindMs, holds }: CareView): string[] {
  return [
    ...scrubLines(scrub),
    ...(replica === null ? [] : [replicaLine(replica)]),
    ...(clockBehindMs === null ? ["retention: NOTHING is deleted until `leadglass vault confirm-clock`"] : []),
    ...(clockBehindMs !== null && clockBehindMs >= 60_000
      ? [`retention goes by a time that is ${duration(clockBehindMs)} behind; leadglass vault confirm-clock`]
      : []),
    `${holds} studies under legal hold`,
  ];
}

function scrubLines({ state, bytesDone, bytesTotal, lastFullPass, damaged }: ScrubView): string[] {
  const isUnderWay = state === "running" || state === "paused";
  const progress = isUnderWay ? ` at ${Math.floor((100 * bytesDone) / Math.max(1, bytesTotal))} %` : "";
  const last =
    lastFullPass === null
      ? "no full pass yet"
      : `last full pass ${time(lastFullPass.endedAt)}: ${lastFullPass.objects} objects, ${lastFullPass.repaired} mended`;
  const found = damaged === 0 ? [] : [`DAMAGED: ${damaged} ranges that no replica mends; leadglass vault check`];
  return [`scrub ${state}${progress}, ${last}`, ...found];
}

function replicaLine({ laggingBytes, since, strangePacks }: NonNullable<CareView["replica"]>): string {
  const lag = since === null ? "keeps step" : `LAGS by ${megabytes(laggingBytes)} since ${time(since)}`;
  const strange = strangePacks === 0 ? "" : `; it HOLDS ${strangePacks} packs that the first place does not`;
  return `replica ${lag}${strange}`;
}

function duration(ms: number): string {
  const hours = ms / 3_600_000;
  return hours < 48 ? `${hours.toFixed(1)} hours` : `${(hours / 24).toFixed(1)} days`;
}
