import type { ClientView } from "#formats/api";

const kinds = {
  none: "App of people",
  keys: "Server, proves itself by its keys",
  certificate: "Server, proves itself by a certificate",
} as const;

/** What kind of program it is; undefined: it has tokens from the command and no registration. */
export function programKind(client: ClientView | undefined): string {
  if (client === undefined) return "Script, by a token";
  const kind = client.byCode ? "Device, let in by a code" : kinds[client.proof];
  return client.isFapi ? `${kind}, FAPI 2.0` : kind;
}
