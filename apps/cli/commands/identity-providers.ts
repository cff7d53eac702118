import { createInterface } from "node:readline";
import { Problem } from "#base/problem";
import {
  type GroupRuleView,
  type IdentityProviderRequest,
  type IdentityProviderView,
  purposeOf,
  rolesOfPeople,
} from "#formats/api";
import type { Command, CommandContext } from "../arguments.ts";
import { withServer } from "../with-server.ts";

export const idpAdd: Command = {
  words: "idp add",
  takes: "ID --issuer URL --client-id ID [--label TEXT] [--secret-stdin] --group GROUP=ROLE …",
  does: "let people sign in through your own identity provider (OpenID Connect); the same ID again changes it",
  options: {
    issuer: "URL  as its discovery document has it",
    "client-id": "ID  that it gave Leadglass",
    label: "TEXT  what the button says (else ID)",
    scopes: "NAMES  to ask for beside openid, with commas (else profile)",
    "groups-claim": "NAME  the claim that lists groups (else groups)",
    acr: "VALUES  of acr that stand for two factors, with commas",
    amr: "VALUES  of amr that do (else mfa); an empty text: none",
  },
  lists: { group: "GROUP=ROLE[@FACILITY]  what a group is worth here; again for each" },
  flags: { "secret-stdin": "read the client's secret from standard input" },
  run: (context) =>
    withServer(context, async (call) => {
      const [id] = context.positionals;
      const { issuer, "client-id": clientId, label = id, scopes, acr, amr } = context.options;
      const rules = (context.lists.group ?? []).map(ruleOf);
      if (id === undefined || label === undefined || issuer === undefined || clientId === undefined) {
        throw new Problem("invalid", "ID, --issuer and --client-id are needed", {
          remedy:
            "leadglass idp add hospital --issuer https://login.example.org --client-id leadglass --group rad=radiologist",
        });
      }
      const secret = context.flags.has("secret-stdin") ? await secretFrom(process.stdin) : undefined;
      const request: IdentityProviderRequest = {
        ...{ id, label, issuer, clientId, rules },
        scopes: scopes === undefined ? ["profile"] : listed(scopes),
        groupsClaim: context.options["groups-claim"] ?? "groups",
        strongAcr: listed(acr ?? ""),
        strongAmr: amr === undefined ? ["mfa"] : listed(amr),
        ...(secret !== undefined && { clientSecret: secret }),
      };
      const put = await call.json<IdentityProviderView>("PUT", "/api/identity-providers", request);
      const lines = [
        lineOf(put),
        `its redirect address for Leadglass ends in /sign-in-with/${put.id}/callback, under the address of the pages`,
      ];
      context.print(lines.join("\n"), put);
    }),
};

export const idpList: Command = {
  words: "idp list",
  takes: "",
  does: "identity providers, and what their groups are worth",
  run: (context) =>
    withServer(context, async (call) => {
      const all = await call.json<IdentityProviderView[]>("GET", "/api/identity-providers");
      context.print(all.map(lineOf).join("\n") || "none: people sign in with passkeys and passwords of their own", all);
    }),
};

export const idpRemove: Command = {
  words: "idp remove",
  takes: "ID",
  does: "no longer let anybody in through it; what it gave ends, with the sessions of who holds nothing else",
  run: (context: CommandContext) =>
    withServer(context, async (call) => {
      const [id] = context.positionals;
      if (id === undefined) throw new Problem("invalid", "ID is needed", { remedy: "leadglass idp list" });
      await call.json("DELETE", `/api/identity-providers/${encodeURIComponent(id)}`);
      context.print(`removed ${id}`, { removed: id });
    }),
};

const listed = (text: string) =>
  text
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");

/** A group's name may hold anything, an equals sign too: the last one counts. */
function ruleOf(text: string): GroupRuleView {
  const at = text.lastIndexOf("=");
  const [typed = "", facility] = text.slice(at + 1).split("@");
  const role = rolesOfPeople.find((one) => one === typed);
  if (at < 1 || role === undefined) {
    throw new Problem("invalid", `--group is GROUP=ROLE, with one of ${rolesOfPeople.join(", ")}`, {
      remedy: "--group radiology-staff=radiologist",
    });
  }
  const place = facility === undefined ? ({ kind: "tenant" } as const) : ({ kind: "facility", id: facility } as const);
  return { group: text.slice(0, at), role, place, purpose: purposeOf(role) };
}

function lineOf({ id, label, issuer, rules }: IdentityProviderView): string {
  const worth = rules.map(({ group, role, place }) => {
    return `  ${group} = ${role}${place.kind === "tenant" ? "" : ` in ${place.kind} ${place.id}`}`;
  });
  return [`${id}  ${label}  ${issuer}`, ...worth].join("\n");
}

async function secretFrom(input: NodeJS.ReadStream): Promise<string> {
  for await (const line of createInterface({ input })) return line;
  throw new Problem("invalid", "there was no secret on standard input");
}
