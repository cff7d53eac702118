import { text } from "node:stream/consumers";
import { Problem } from "#base/problem";

/*
 * Who a patient is never stands in a command line, where every process of the machine can read it: it comes as JSON on
 * standard input.
 */

const inputBytesMax = 1024 * 1024;

export type Input = Readonly<Record<string, unknown>>;

/** The JSON object on standard input; `example` is shown to who types it. */
export async function inputOf(example: string): Promise<Input> {
  const remedy = `give JSON on standard input: ${example}`;
  if (process.stdin.isTTY) process.stderr.write(`${remedy}\n`);
  const given = await text(process.stdin);
  if (given.length > inputBytesMax) throw new Problem("too-large", "too much came on standard input");
  try {
    const parsed: unknown = JSON.parse(given);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed as Input;
  } catch {
    // Said below, without what was given.
  }
  throw new Problem("invalid", "what came on standard input is no JSON object", { remedy });
}
