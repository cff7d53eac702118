import { parseArgs } from "node:util";
import { Problem } from "#base/problem";

/** One command: its words, what it takes, what it does. */
export interface Command {
  /** For example `device add`. */
  readonly words: string;
  /** What follows the words, for `--help`: `AE --address A`. */
  readonly takes: string;
  readonly does: string;
  /** Options with a value, by name, with what to say of them in `--help`. */
  readonly options?: Readonly<Record<string, string>>;
  /** Options with a value that may be given again and again. */
  readonly lists?: Readonly<Record<string, string>>;
  /** Options without one. */
  readonly flags?: Readonly<Record<string, string>>;
  /** It makes the home: that of a tenant need not be there. */
  readonly makesHome?: true;
  run(context: CommandContext): Promise<void>;
}

export interface CommandContext {
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, string | undefined>>;
  readonly lists: Readonly<Record<string, readonly string[] | undefined>>;
  readonly flags: ReadonlySet<string>;
  readonly home: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Prints a result: text for people, or the object as one JSON line with `--json`. */
  print(text: string, json: unknown): void;
  /** Progress and remarks, on stderr; only where somebody looks. */
  say(text: string): void;
}

export const commonOptions = {
  home: "DIR  the home (else LEADGLASS_HOME, else the platform's data folder)",
  tenant: "NAME  that tenant's home in it (`leadglass tenant list`)",
};
export const commonFlags = { help: "what a command takes", json: "print results as JSON" };

export interface ParsedArguments {
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, string | undefined>>;
  readonly lists: Readonly<Record<string, readonly string[] | undefined>>;
  readonly flags: ReadonlySet<string>;
}

/** Throws Problem `invalid` for an option the command does not know. */
export function parseFor(command: Command, words: readonly string[]): ParsedArguments {
  const valued = Object.keys({ ...commonOptions, ...command.options });
  const bare = Object.keys({ ...commonFlags, ...command.flags });
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      strict: true,
      options: {
        ...Object.fromEntries(valued.map((name) => [name, { type: "string" as const }])),
        ...Object.fromEntries(
          Object.keys(command.lists ?? {}).map((name) => [name, { type: "string" as const, multiple: true }]),
        ),
        ...Object.fromEntries(bare.map((name) => [name, { type: "boolean" as const }])),
      },
    });
    const given = Object.entries(values);
    return {
      positionals,
      options: Object.fromEntries(given.filter((entry): entry is [string, string] => typeof entry[1] === "string")),
      lists: Object.fromEntries(
        given.flatMap(([name, value]) =>
          Array.isArray(value) ? [[name, value.filter((one) => typeof one === "string")]] : [],
        ),
      ),
      flags: new Set(given.filter(([, value]) => value === true).map(([name]) => name)),
    };
  } catch (error) {
    const said = (error as Error).message.split(". ")[0] ?? "unknown option";
    throw new Problem("invalid", said, { remedy: `leadglass ${command.words} --help` });
  }
}

/** The command that the first words name, longest first, and the words behind. */
export function findCommand(commands: readonly Command[], words: readonly string[]) {
  const named = commands
    .filter((command) => command.words.split(" ").every((word, at) => words[at] === word))
    .sort((a, b) => b.words.length - a.words.length)[0];
  return named && { command: named, rest: words.slice(named.words.split(" ").length) };
}

export function helpFor(command: Command): string {
  const valued = Object.entries({ ...command.options, ...command.lists, ...commonOptions });
  const bare = Object.entries({ ...command.flags, ...commonFlags });
  const lines = [...valued, ...bare].map(([name, says]) => `  --${name} ${says}`);
  return [`leadglass ${command.words} ${command.takes}`.trimEnd(), "", `  ${command.does}`, "", ...lines].join("\n");
}

export function helpForAll(commands: readonly Command[]): string {
  const shown = commands.map(({ words, takes, does }) => [`leadglass ${words} ${takes}`.trimEnd(), does] as const);
  const width = Math.max(...shown.map(([usage]) => usage.length));
  return [
    "Leadglass: a radiology information system and image archive that does not leak",
    "",
    ...shown.map(([usage, does]) => `  ${usage.padEnd(width)}  ${does}`),
    "",
    "Every command takes --home DIR, --tenant NAME, --json and --help.",
  ].join("\n");
}

/** SIGINT or SIGTERM. */
export function untilAskedToStop(context: CommandContext): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => {
      context.say("finishing what is in flight");
      resolve();
    };
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
  });
}
