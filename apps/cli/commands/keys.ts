import { createInterface } from "node:readline";
import { Problem } from "#base/problem";
import {
  type ConfirmationView,
  type RecoverySharesView,
  type RootView,
  type RotationRequest,
  type RotationView,
  rootKinds,
} from "#formats/api";
import type { Command, CommandContext } from "../arguments.ts";
import { confirmationFlags, confirmed } from "../confirmed.ts";
import { follow } from "../follow.ts";
import { withServer } from "../with-server.ts";

export const vaultRotate: Command = {
  words: "vault rotate",
  takes: "--level root|tenant|study [STUDY…]",
  does: "new keys: of the root, of the tenant, or new wrappings of studies' keys; no image is touched and nothing stops",
  options: {
    level: "L  root (another administrator confirms), tenant, or study (tokens of studies; every study without)",
    to: `KIND  with --level root: ${rootKinds.join(", ")} (else a new passphrase); LEADGLASS_NEXT_ROOT_KEY says where it is`,
  },
  flags: confirmationFlags,
  run(context) {
    const { level, to } = context.options;
    if (to !== undefined && level !== "root") throw new Problem("invalid", "--to goes with --level root");
    if (level === "root") return rotateRoot(context, to ?? "passphrase");
    if (level === "tenant" || level === "study") return rotateBelow(context, level);
    throw new Problem("invalid", "--level is root, tenant or study", { remedy: "leadglass vault rotate --help" });
  },
};

function rotateRoot(context: CommandContext, to: string): Promise<void> {
  return withServer(context, async (call, { running }) => {
    const ask = () => call.json<ConfirmationView>("POST", "/api/vault/root", { to });
    const changed = await confirmed<RootView>(context, { call, running }, ask);
    if (changed !== undefined)
      context.print(`the keyring is under a new root key (${changed.root})\n  ${changed.next}`, changed);
  });
}

function rotateBelow(context: CommandContext, level: "tenant" | "study"): Promise<void> {
  const { positionals } = context;
  if (level === "tenant" && positionals.length > 0) throw new Problem("invalid", "STUDY goes with --level study");
  if (!positionals.every((token) => /^[0-9a-f]{32}$/.test(token))) {
    throw new Problem("invalid", "a study is named by its token", {
      remedy: "32 hexadecimal digits, as in its address",
    });
  }
  const body: RotationRequest = { level, ...(positionals.length > 0 && { studies: positionals }) };
  return withServer(context, async (call) => {
    const bytes = Buffer.from(JSON.stringify(body));
    const sent = { body: bytes, type: "application/json" };
    const rotated = await follow<RotationView>(await call.stream("POST", "/api/vault/rotate", sent), context);
    const lines = [
      `${rotated.rewrapped} keys wrapped anew, ${rotated.damaged} that do not open`,
      rotated.isWhole ? "no older master key is left" : "older master keys are kept: keys are still wrapped under them",
    ];
    context.print(lines.join("\n"), rotated);
    if (rotated.damaged === 0) return;
    throw new Problem("damaged", "keys that do not open were left as they are", {
      remedy: "`leadglass vault check` tells which studies; restore the key stores from a backup",
    });
  });
}

export const vaultRecoveryKit: Command = {
  words: "vault recovery-kit",
  takes: "",
  does: "make three shares, of which any two open the keyring; another administrator confirms",
  flags: confirmationFlags,
  run: (context) =>
    withServer(context, async (call, { running }) => {
      const ask = () => call.json<ConfirmationView>("POST", "/api/vault/recovery-kit");
      const made = await confirmed<RecoverySharesView>(context, { call, running }, ask);
      if (made === undefined) return;
      const pages = made.shares.map((share, at) => sharePage(share, at + 1, made.shares.length));
      context.print(pages.join("\f\n"), made);
    }),
};

/** What is printed for one keeper. It says nothing of whose it is. */
function sharePage(share: string, number: number, of: number): string {
  const groups = share.split("-");
  const rows = Array.from({ length: Math.ceil(groups.length / 6) }, (_, at) => groups.slice(at * 6, at * 6 + 6));
  return [
    "",
    `  Recovery share ${number} of ${of}`,
    "",
    ...rows.map((row) => `    ${row.join("-")}`),
    "",
    "  Any two of the shares open what this one alone says nothing of.",
    "  Keep it on paper, apart from the others. With two: leadglass vault recover --home H",
    "  It is worth nothing once a newer kit was made.",
    "",
  ].join("\n");
}

export const vaultRecover: Command = {
  words: "vault recover",
  takes: "--home H",
  does: "open a home with two shares of its recovery kit (on standard input, an empty line behind each) and make a new passphrase",
  options: { "passphrase-file": "F  where the new passphrase goes (LEADGLASS_PASSPHRASE_FILE, else in the home)" },
  async run(context) {
    const { readConfiguration, recoverHome } = await import("../../server/index.ts");
    const configuration = readConfiguration({ ...context.options, home: context.home }, context.environment);
    const shares = await readShares(context);
    await recoverHome(configuration, shares);
    const { home, passphraseFile, rootKey } = configuration;
    const lines = [
      `the keyring of ${home} is under a new passphrase, in ${passphraseFile}`,
      ...(rootKey === "passphrase" ? [] : ["  set LEADGLASS_ROOT_KEY=passphrase before you start it"]),
      "  next: leadglass start, then leadglass vault recovery-kit for new shares",
    ];
    context.print(lines.join("\n"), { home, passphraseFile });
  },
};

/** Each share is one line, or some lines as they are printed, with an empty line behind. */
export async function readShares(context: CommandContext): Promise<string[]> {
  const shares: string[] = [];
  let rows: string[] = [];
  context.say("type the first share; an empty line ends it");
  const end = () => {
    if (rows.length > 0) shares.push(rows.join("-"));
    if (rows.length > 0 && shares.length === 1) context.say("type the second share; an empty line ends it");
    rows = [];
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const row = line.trim().replace(/^-+|-+$/g, "");
    if (row === "") end();
    else rows.push(row);
    // 18 groups of four letters: whole without an empty line.
    if (rows.join("").replace(/[\s-]/g, "").length >= 72) end();
    if (shares.length === 2) break;
  }
  end();
  return shares;
}
