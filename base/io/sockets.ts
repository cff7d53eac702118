import type { Server } from "node:net";

/** Has a server listen; the port that it got, where 0 asks for a free one. Rejects when the address cannot be bound. */
export async function listenAt(server: Server, at: { readonly host: string; readonly port: number }): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(at.port, at.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const bound = server.address();
  return typeof bound === "object" && bound !== null ? bound.port : at.port;
}

/** Where a connection comes from, IPv4 as such also where a socket takes both; empty for one that has gone. */
export function addressOf({ remoteAddress }: { readonly remoteAddress?: string | undefined }): string {
  return (remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
}

/** Whether an address is this machine alone. */
export function isLoopback(host: string): boolean {
  return host === "::1" || /^127\./.test(host);
}

/** Whether an address is of a network of one's own, which the internet does not lead to (RFC 1918, 3927, 4193, 4291). */
export function isPrivate(host: string): boolean {
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.)/.test(host) || /^(f[cd]|fe[89ab])/i.test(host);
}
