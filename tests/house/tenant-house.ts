import { join } from "node:path";
import type { TenantView } from "#formats/api";
import type { RunningHouse } from "./index.ts";
import { fetchTrusting } from "./trusting-fetch.ts";

/** A further tenant of a running server, used as if it were a house for itself. */
export interface TenantHouse extends RunningHouse {
  readonly host: string;
  readonly aeTitle: string;
  readonly tenantToken: string;
}

/** `leadglass tenant add`, with the name in capitals for an AE title. */
export function addTenant(house: RunningHouse, name: string, host = `${name}.example.org`): TenantHouse {
  const made = JSON.parse(house.command(["tenant", "add", name, "--host", host, "--json"])) as TenantView;
  return tenantHouse(house, made);
}

export function tenantHouse(house: RunningHouse, { name, token, home, hosts, aeTitle }: TenantView): TenantHouse {
  const [host = ""] = hosts;
  const ca = join(home, "ca.pem");
  const within = (words: readonly string[]) => [...words, "--tenant", name];
  let secret: string | undefined;
  const tokenOf = () => (secret ??= house.command(within(["token", "--client", "test", "--minutes", "60"])));
  return {
    ...house,
    ...{ home, ca, host, aeTitle, tenantToken: token },
    command: (words, input) => house.command(within(words), input),
    tryCommand: (words, input) => house.tryCommand(within(words), input),
    begin: (words) => house.begin(within(words)),
    token: tokenOf,
    fetch(path, init = {}) {
      const headers = new Headers(init.headers);
      if (!init.anonymous && !headers.has("authorization")) headers.set("authorization", `Bearer ${tokenOf()}`);
      return fetchTrusting(`https://${host}:${house.https}${path}`, { ...init, headers }, ca);
    },
  };
}
