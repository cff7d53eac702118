import { existsSync } from "node:fs";
import { isProblem, Problem } from "#base/problem";
import { environmentFor, homeOf, tenantHomeOf } from "../home/index.ts";
import { type Command, type CommandContext, findCommand, helpFor, helpForAll, parseFor } from "./arguments.ts";
import { commands } from "./commands/index.ts";

/** Exit codes: 0 done, 1 it failed, 2 the words were not understood. */
async function run(words: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const found = findCommand(commands, words);
  if (found === undefined) {
    const asked = words.length === 0 || words.includes("--help") || words[0] === "help";
    (asked ? process.stdout : process.stderr).write(`${asked ? "" : "no such command\n\n"}${helpForAll(commands)}\n`);
    return asked ? 0 : 2;
  }
  const { command, rest } = found;
  try {
    const parsed = parseFor(command, rest);
    if (parsed.flags.has("help")) {
      process.stdout.write(`${helpFor(command)}\n`);
      return 0;
    }
    await command.run(contextOf(command, parsed, environment));
    return 0;
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    return isProblem(error, "invalid") ? 2 : 1;
  }
}

function contextOf(
  command: Command,
  parsed: ReturnType<typeof parseFor>,
  environment: NodeJS.ProcessEnv,
): CommandContext {
  const json = parsed.flags.has("json");
  const named = homeOf(parsed.options, environment);
  const { tenant } = parsed.options;
  const home = tenant === undefined ? named : tenantHomeOf(named, tenant);
  if (tenant !== undefined && command.makesHome !== true && !existsSync(home)) {
    throw new Problem("absent", "no such tenant", { remedy: "leadglass tenant list shows those there are" });
  }
  return {
    ...parsed,
    options: tenant === undefined ? parsed.options : { ...parsed.options, home },
    home,
    environment: environmentFor(home, environment),
    print: (text, object) => {
      process.stdout.write(`${json ? JSON.stringify(object) : text}\n`);
    },
    say: (text) => {
      if (process.stderr.isTTY) process.stderr.write(`${text}\n`);
    },
  };
}

function explain(error: unknown): string {
  if (!isProblem(error)) return `internal error: ${(error as Error)?.stack ?? String(error)}`;
  const cause = error.code === "fault" && error.cause instanceof Error ? ` (${error.cause.message})` : "";
  return `${error.message}${cause}${error.remedy === undefined ? "" : `\n  ${error.remedy}`}`;
}

process.exitCode = await run(process.argv.slice(2), process.env);
