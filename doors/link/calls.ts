import { request } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Clock } from "#base/clock";
import { Problem, type ProblemCode } from "#base/problem";
import type { ProblemView } from "#formats/api";
import type { Target } from "./proxy.ts";

const withinMs = 20_000;
const answerBytesMax = 64 * 1024;

/** One request over a connection that speaks `linkProtocols.calls`, which is closed with it. Rejects with the Problem that the cloud answers. */
export async function callCloud<T>(
  socket: TLSSocket,
  { method, path, body, cloud, clock }: { method: string; path: string; body?: unknown; cloud: Target; clock: Clock },
): Promise<T> {
  const late = clock.after(withinMs, () => socket.destroy());
  try {
    const { status, text } = await answerTo(socket, method, path, body, hostOf(cloud));
    const said: unknown = JSON.parse(text);
    if (status < 400) return said as T;
    const { code, message, remedy } = said as ProblemView;
    throw new Problem(code as ProblemCode, message, remedy === undefined ? {} : { remedy });
  } catch (error) {
    if (error instanceof Problem) throw error;
    const remedy = "it is tried again; if that stays so, look at the cloud's status";
    throw new Problem("unavailable", "the cloud's answer did not come, or cannot be read", { remedy, cause: error });
  } finally {
    late.stop();
    socket.destroy();
  }
}

const hostOf = ({ host, port }: Target) =>
  `${host.includes(":") ? `[${host}]` : host}${port === 443 ? "" : `:${port}`}`;

function answerTo(socket: TLSSocket, method: string, path: string, body: unknown, host: string) {
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body), "utf8");
  const headers = { host, ...(bytes && { "content-type": "application/json", "content-length": bytes.length }) };
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const asked = request({ method, path, headers, createConnection: () => socket }, (answer) => {
      const pieces: Buffer[] = [];
      let held = 0;
      answer.on("data", (piece: Buffer) => {
        held += piece.length;
        if (held > answerBytesMax) answer.destroy(new Error("the answer is too long"));
        else pieces.push(piece);
      });
      answer.on("error", reject);
      answer.on("close", () => reject(new Error("the answer broke off")));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 500, text: Buffer.concat(pieces).toString("utf8") }),
      );
    });
    asked.on("error", reject);
    asked.end(bytes);
  });
}
