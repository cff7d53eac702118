import { request } from "node:http";
import type { Readable } from "node:stream";
import { Problem, type ProblemCode } from "#base/problem";
import type { ProblemView } from "#formats/api";

/** One request to the server of a home, over its control socket. Rejects with the Problem that the server answers. */
export interface Call {
  json<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** The answer as it comes. `body` is sent as it is. */
  stream(
    method: string,
    path: string,
    options?: { body?: Uint8Array; type?: string; accept?: string },
  ): Promise<Readable>;
}

export function createCall(socketPath: string): Call {
  const send = (method: string, path: string, headers: Record<string, string | number>, body?: Uint8Array) =>
    new Promise<Readable>((resolve, reject) => {
      const sent = request({ socketPath, method, path, headers: { host: "localhost", ...headers } }, (answer) => {
        if ((answer.statusCode ?? 500) < 400) resolve(answer);
        else wholeOf(answer).then((text) => reject(problemOf(text, answer.statusCode ?? 500)), reject);
      });
      sent.on("error", (cause) => {
        const remedy = "is the server of this home running? `leadglass status` tells";
        reject(new Problem("unavailable", "the server does not answer", { remedy, cause }));
      });
      sent.end(body);
    });

  return {
    async json<T>(method: string, path: string, body?: unknown) {
      const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body), "utf8");
      const headers = bytes && { "content-type": "application/json", "content-length": bytes.length };
      const text = await wholeOf(await send(method, path, { ...headers }, bytes));
      return (text === "" ? undefined : JSON.parse(text)) as T;
    },
    stream: (method, path, { body, type, accept } = {}) =>
      send(
        method,
        path,
        {
          ...(type !== undefined && { "content-type": type }),
          ...(accept !== undefined && { accept }),
          ...(body !== undefined && { "content-length": body.length }),
        },
        body,
      ),
  };
}

async function wholeOf(answer: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of answer) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString("utf8");
}

function problemOf(text: string, status: number): Problem {
  try {
    const { code, message, remedy } = JSON.parse(text) as ProblemView;
    return new Problem(code as ProblemCode, message, remedy === undefined ? {} : { remedy });
  } catch {
    return new Problem("fault", `the server answered with status ${status}`);
  }
}
