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
