import { connect } from "node:net";
import type { Connection } from "./upper-layer.ts";

/** Opens a transport connection to ask for an association on. */
export function dial(at: { readonly host: string; readonly port: number }): Connection {
  return connect({ host: at.host, port: at.port, noDelay: true });
}
