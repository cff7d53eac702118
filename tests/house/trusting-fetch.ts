import { readFileSync } from "node:fs";
import { Agent, type RequestOptions, request } from "node:https";
import { Readable } from "node:stream";

const agents = new Map<string, Agent>();

/** Every name is this machine: a test asks a server here for any of its hosts. */
const here: NonNullable<RequestOptions["lookup"]> = (_name, options, found) =>
  options.all ? found(null, [{ address: "127.0.0.1", family: 4 }]) : found(null, "127.0.0.1", 4);

/** `fetch` over node:https with one more authority trusted: Node's own fetch takes authorities only at process start. */
export function fetchTrusting(url: string, init: RequestInit, ca: string): Promise<Response> {
  const authority = readFileSync(ca, "utf8");
  const agent = agents.get(authority) ?? new Agent({ ca: authority, keepAlive: true, maxSockets: 64 });
  agents.set(authority, agent);
  const options: RequestOptions = {
    agent,
    lookup: here,
    method: init.method ?? "GET",
    headers: Object.fromEntries(new Headers(init.headers)),
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (answer) => {
      const headers = new Headers();
      for (let i = 0; i < answer.rawHeaders.length; i += 2) {
        headers.append(answer.rawHeaders[i] ?? "", answer.rawHeaders[i + 1] ?? "");
      }
      const status = answer.statusCode ?? 500;
      const empty = status === 204 || status === 304 || options.method === "HEAD";
      if (empty) answer.resume();
      resolve(new Response(empty ? null : (Readable.toWeb(answer) as ReadableStream), { status, headers }));
    });
    sent.on("error", reject);
    init.signal?.addEventListener("abort", () => sent.destroy(new Error("aborted")));
    sendBody(init.body, sent);
  });
}

function sendBody(body: RequestInit["body"], into: ReturnType<typeof request>): void {
  if (body === null || body === undefined) into.end();
  else if (typeof body === "string" || body instanceof Uint8Array) into.end(body);
  else if (body instanceof ReadableStream) Readable.fromWeb(body as never).pipe(into);
  else throw new TypeError("a text, bytes or a stream");
}
