import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A proxy as facilities have them: CONNECT alone, for who has the name and password where it wants them. */
export async function startConnectProxy(credentials?: string) {
  /** What it was asked for, as it was sent. */
  const asked: string[] = [];
  const answer = (socket: Socket, head: string): void => {
    asked.push(head);
    const [, host = "", port = ""] = /^CONNECT \[?([^ ]+?)\]?:(\d+) HTTP\/1\.1\r\n/.exec(head) ?? [];
    const wanted = credentials && `Proxy-Authorization: Basic ${Buffer.from(credentials).toString("base64")}`;
    if (wanted !== undefined && !head.includes(wanted)) {
      return void socket.end(
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n',
      );
    }
    const beyond = connect({ host, port: Number(port) });
    beyond.on("error", () => socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n"));
    beyond.once("connect", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(beyond).pipe(socket);
      for (const [one, other] of [
        [socket, beyond],
        [beyond, socket],
      ] as const)
        one.once("close", () => other.destroy());
    });
  };
  return { ...(await startAnswering((socket, head) => answer(socket, head.toString("latin1")))), asked };
}

/** Something that listens and does this with the first bytes of whoever comes. */
export async function startAnswering(answer: (socket: Socket, first: Buffer) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy()).once("data", (first: Buffer) => answer(socket, first));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
