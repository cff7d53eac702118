import { readFile } from "node:fs/promises";
import { Problem } from "#base/problem";
import { type ClientRequest, type ClientView, type GrantTermsView, purposeOf, roles } from "#formats/api";
import type { Command } from "../arguments.ts";
import { withServer } from "../with-server.ts";

const narrow = ["facility", "patient", "study", "order"] as const;

/** `ROLE` for the whole tenant, `ROLE@facility:ID` for less. */
function termsOf(text: string): GrantTermsView {
  const [named, where] = text.split("@");
  const role = roles.find((one) => one === named);
  const [kind, id] = where?.split(":") ?? [];
  const narrowed = narrow.find((one) => one === kind);
  if (role === undefined || (where !== undefined && (narrowed === undefined || !id))) {
    throw new Problem("invalid", `a grant is ROLE or ROLE@PLACE:ID, with one of ${roles.join(", ")}`, {
      remedy: "--grant service, or --grant service@facility:ID",
    });
  }
  const place = narrowed === undefined || id === undefined ? ({ kind: "tenant" } as const) : { kind: narrowed, id };
  return { role, place, purpose: purposeOf(role), endsAt: 0 };
}

async function textOf(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause) => {
    throw new Problem("absent", "a file that was named cannot be read", { remedy: "check its path", cause });
  });
}

async function keysOf(path: string): Promise<NonNullable<ClientRequest["jwks"]>> {
  const text = await textOf(path);
  try {
    return JSON.parse(text) as NonNullable<ClientRequest["jwks"]>;
  } catch (cause) {
    throw new Problem("invalid", "the key set is no JSON", {
      remedy: 'a file of {"keys":[…]}, public keys only',
      cause,
    });
  }
}

export const clientAdd: Command = {
  words: "client add",
  takes: "NAME [--redirect URI]… [--jwks FILE | --certificate FILE | --public] [--grant ROLE[@PLACE:ID]]… [--fapi]",
  does: "let a program ask for tokens, for itself or for people",
  options: {
    jwks: "FILE  its public keys (RFC 7517): it proves who it is by signing",
    certificate: "FILE  its certificate, PEM: it proves who it is in the TLS handshake",
  },
  lists: {
    redirect: "URI  where people are sent back to, to the letter; may be given again",
    grant: "ROLE[@PLACE:ID]  what it may do by itself; may be given again",
  },
  flags: {
    public: "it cannot keep a secret: a page, an app on a phone",
    fapi: "FAPI 2.0 Security Profile: pushed requests, bound tokens",
    trusted: "it is ours: people are not asked whether they want it",
    code: "a person may let it in by typing a code that it shows (a box without a browser)",
  },
  run: (context) =>
    withServer(context, async (call) => {
      const [name] = context.positionals;
      const { jwks, certificate } = context.options;
      const proofs = [jwks !== undefined, certificate !== undefined, context.flags.has("public")].filter(
        Boolean,
      ).length;
      if (name === undefined || proofs !== 1) {
        throw new Problem("invalid", "NAME and one of --jwks, --certificate and --public are needed", {
          remedy: "leadglass client add ohif --public --redirect https://viewer.example/callback",
        });
      }
      const request: ClientRequest = {
        name,
        redirectUris: context.lists.redirect ?? [],
        grants: (context.lists.grant ?? []).map(termsOf),
        isFapi: context.flags.has("fapi"),
        isFirstParty: context.flags.has("trusted"),
        byCode: context.flags.has("code"),
        ...(jwks !== undefined && { jwks: await keysOf(jwks) }),
        ...(certificate !== undefined && { certificate: await textOf(certificate) }),
      };
      const added = await call.json<ClientView>("POST", "/api/clients", request);
      context.print(`client_id ${added.id}`, added);
    }),
};

export const clientList: Command = {
  words: "client list",
  takes: "",
  does: "the programs that may ask for tokens",
  run: (context) =>
    withServer(context, async (call) => {
      const clients = await call.json<ClientView[]>("GET", "/api/clients");
      context.print(clients.map(lineOf).join("\n") || "no program may ask for tokens", clients);
    }),
};

export const clientRemove: Command = {
  words: "client remove",
  takes: "ID",
  does: "let a program in no more; its tokens end at once",
  run: (context) =>
    withServer(context, async (call) => {
      const [id] = context.positionals;
      if (id === undefined) throw new Problem("invalid", "ID is needed", { remedy: "leadglass client list" });
      await call.json("DELETE", `/api/clients/${encodeURIComponent(id)}`);
      context.print("removed", { removed: id });
    }),
};

export const clientKeysRotate: Command = {
  words: "client keys rotate",
  takes: "",
  does: "sign ID tokens with another key from now on; what the former signed verifies for a day",
  run: (context) =>
    withServer(context, async (call) => {
      await call.json("POST", "/api/clients/keys");
      context.print("another key signs", { rotated: true });
    }),
};

const proofWords = { none: "public", keys: "signs", certificate: "certificate" } as const;

function lineOf({ id, name, proof, redirectUris, isFapi, isFirstParty, byCode }: ClientView): string {
  const marks = [isFapi ? "FAPI 2.0" : "", isFirstParty ? "trusted" : "", byCode ? "by code" : ""].filter(Boolean);
  return [id, name.padEnd(24), proofWords[proof].padEnd(11), ...marks, ...redirectUris].join("  ");
}
