import { connect, type Socket } from "node:net";
import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";

/** An HTTP proxy that connections go out through. */
export interface OutboundProxy {
  readonly host: string;
  readonly port: number;
  /** `Basic …`, where its URL has a name and a password. */
  readonly authorization?: string;
}

export interface Target {
  readonly host: string;
  readonly port: number;
}

const answerBytesMax = 16 * 1024;

/** Problem `invalid` for what is no URL of such a proxy. What it holds is not repeated: there may be a password in it. */
export function proxyAt(text: string): OutboundProxy {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const credentials = url && credentialsIn(url);
  if (url?.protocol !== "http:" || url.hostname === "" || credentials === undefined) {
    const remedy = "http://HOST:PORT, or http://NAME:PASSWORD@HOST:PORT";
    throw new Problem("invalid", "not a proxy that can be gone through", { remedy });
  }
  return {
    ...{ host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || 80) },
    ...(url.username !== "" && { authorization: `Basic ${Buffer.from(credentials, "utf8").toString("base64")}` }),
  };
}

function credentialsIn({ username, password }: URL): string | undefined {
  try {
    return `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  } catch {
    return undefined; // a % that begins no octet
  }
}

/** A connection to the target that the proxy has opened (RFC 9110 §9.3.6). Problem `unavailable` or `denied` with what it is about. */
export async function connectThrough(
  proxy: OutboundProxy,
  to: Target,
  parts: { readonly clock: Clock; readonly withinMs: number },
): Promise<Socket> {
  const socket = connect({ host: proxy.host, port: proxy.port, noDelay: true });
  const late = parts.clock.after(parts.withinMs, () => socket.destroy());
  const target = `${to.host.includes(":") ? `[${to.host}]` : to.host}:${to.port}`;
  const head = [
    `CONNECT ${target} HTTP/1.1`,
    `Host: ${target}`,
    ...(proxy.authorization === undefined ? [] : [`Proxy-Authorization: ${proxy.authorization}`]),
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  try {
    requireOpened(await answerOf(socket));
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    late.stop();
  }
}

/** The head of its answer, with nothing behind it: who is behind the proxy is spoken to first. */
function answerOf(socket: Socket): Promise<string> {
  const bytes = Buffer.alloc(answerBytesMax);
  let filled = 0;
  return new Promise((resolve, reject) => {
    const done = (settle: () => void) => {
      socket.off("data", take).off("error", failed).off("close", closed);
      socket.pause();
      settle();
    };
    const refuse = (message: string, cause?: Error) =>
      done(() => reject(new Problem("unavailable", message, { remedy: checkProxy, ...(cause && { cause }) })));
    const failed = (cause: Error) => refuse("the proxy cannot be reached", cause);
    const closed = () => refuse("the proxy closed the connection without an answer");
    const take = (piece: Buffer) => {
      const from = Math.max(0, filled - 3);
      const room = bytes.length - filled;
      filled += piece.copy(bytes, filled);
      const end = bytes.subarray(0, filled).indexOf("\r\n\r\n", from, "latin1");
      if (end < 0)
        return piece.length > room || filled === bytes.length
          ? refuse("the proxy answers at too great length")
          : undefined;
      if (end + 4 < filled || piece.length > room) return refuse("the proxy said more than an answer");
      done(() => resolve(bytes.toString("latin1", 0, end)));
    };
    socket.on("data", take).on("error", failed).on("close", closed);
  });
}

const checkProxy = "check the proxy's address and port; --proxy names another one, --proxy none goes without";

function requireOpened(head: string): void {
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(head.split("\r\n", 1)[0] ?? "")?.[1];
  if (status?.startsWith("2")) return;
  if (status === "407") {
    const remedy = "--proxy http://NAME:PASSWORD@HOST:PORT names both; only Basic is spoken";
    throw new Problem("denied", "the proxy wants another name and password", { remedy });
  }
  if (status === "403" || status === "405") {
    const remedy = "have whoever runs the proxy allow CONNECT to the cloud's host and port, without opening TLS";
    throw new Problem("denied", `the proxy does not allow a connection to the cloud (${status})`, { remedy });
  }
  if (status !== undefined) {
    throw new Problem("unavailable", `the proxy cannot reach the cloud (${status})`, { remedy: checkProxy });
  }
  throw new Problem("unavailable", "what is at the proxy's address does not answer like a proxy", {
    remedy: checkProxy,
  });
}
