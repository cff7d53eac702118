import type { IncomingMessage } from "node:http";
import { Problem } from "#base/problem";

/** Fields that say where a request ends, whom it is for or who sends it. A proxy in front may take the other of two. */
const singular = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "content-type",
  "content-encoding",
  "authorization",
  "dpop",
  "origin",
  "x-leadglass",
]);
const headersMax = 100;

export interface Unacceptable {
  readonly status: 400 | 415 | 431;
  readonly problem: Problem;
}

/**
 * What a request is refused for before anybody looks at who sends it: fields that another reader may understand in another way, and
 * bodies that would have to be inflated. Node's parser has refused by then what breaks RFC 9112 itself.
 */
export function unacceptable({ rawHeaders, headers }: IncomingMessage): Unacceptable | undefined {
  if (rawHeaders.length > 2 * headersMax) {
    const remedy = `send at most ${headersMax}`;
    return { status: 431, problem: new Problem("invalid", "the request has too many headers", { remedy }) };
  }
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    if (!singular.has(name)) continue;
    if (seen.has(name)) return { status: 400, problem: new Problem("invalid", "a header that comes once came twice") };
    seen.add(name);
  }
  const encoding = headers["content-encoding"]?.trim().toLowerCase() ?? "";
  if (encoding !== "" && encoding !== "identity") {
    const remedy = "send it without Content-Encoding";
    return { status: 415, problem: new Problem("unsupported", "a compressed body is not taken", { remedy }) };
  }
  return undefined;
}
