import { Problem } from "#base/problem";
import {
  type AccountRecovery,
  type InvitationRequest,
  type InvitationView,
  type IssuedLinkView,
  type PeopleView,
  purposeOf,
  rolesOfPeople,
} from "#formats/api";
import type { Command } from "../arguments.ts";
import { withServer } from "../with-server.ts";

const when = (time: number) => new Date(time).toISOString();

export const userAdd: Command = {
  words: "user add",
  takes: "NAME --role ROLE[,ROLE]",
  does: "a one-use link for another person, who sets up their own way of signing in there",
  options: { role: `ROLE  ${rolesOfPeople.join(", ")}; several with commas, for the whole tenant` },
  run: (context) =>
    withServer(context, async (call) => {
      const [name] = context.positionals;
      const roles = (context.options.role ?? "").split(",").filter((role) => role !== "");
      const known = rolesOfPeople.filter((role) => roles.includes(role));
      if (name === undefined || known.length === 0 || known.length < roles.length) {
        throw new Problem("invalid", `NAME is needed, and --role is one of ${rolesOfPeople.join(", ")}`, {
          remedy: "leadglass user add bob@example.org --role technologist",
        });
      }
      const grants = known.map((role) => ({
        role,
        place: { kind: "tenant" } as const,
        purpose: purposeOf(role),
        endsAt: 0,
      }));
      const request: InvitationRequest = { name, grants };
      const invited = await call.json<InvitationView>("POST", "/api/invitations", request);
      const lines = [
        `one-use link for ${invited.name} (${invited.roles.join(", ")}), until ${when(invited.endsAt)}:`,
        `  ${invited.link}`,
        "whoever opens it first is that person: hand it over where nobody else reads it",
      ];
      context.print(lines.join("\n"), invited);
    }),
};

export const userList: Command = {
  words: "user list",
  takes: "",
  does: "who may sign in, and who is invited",
  run: (context) =>
    withServer(context, async (call) => {
      const people = await call.json<PeopleView>("GET", "/api/accounts");
      const lines = [
        ...people.accounts.map(
          ({ name, roles, createdAt }) =>
            `${name.padEnd(32)}  ${(roles.join(",") || "no grant").padEnd(13)}  since ${when(createdAt)}`,
        ),
        ...people.invitations.map(
          ({ name, roles, endsAt }) =>
            `${name.padEnd(32)}  ${roles.join(",").padEnd(13)}  INVITED, link good until ${when(endsAt)}`,
        ),
      ];
      context.print(lines.join("\n") || "nobody yet: leadglass start prints the link for the first", people);
    }),
};

export const userRemove: Command = {
  words: "user remove",
  takes: "NAME",
  does: "no longer let that person in; open sessions end at once",
  run: (context) =>
    withServer(context, async (call) => {
      const [name] = context.positionals;
      if (name === undefined) throw new Problem("invalid", "NAME is needed", { remedy: "leadglass user list" });
      await call.json("DELETE", "/api/accounts", { name });
      context.print(`removed ${name}`, { removed: name });
    }),
};

export const userRecover: Command = {
  words: "user recover",
  takes: "NAME --reason TEXT",
  does: "a one-use link to a new way in, for who lost theirs; what they signed in with ends at once, what they may do stays",
  options: { reason: "TEXT  why; kept sealed" },
  run: (context) =>
    withServer(context, async (call) => {
      const [name] = context.positionals;
      const { reason } = context.options;
      if (name === undefined || reason === undefined) {
        throw new Problem("invalid", "NAME and --reason are needed", {
          remedy: 'leadglass user recover bob@example.org --reason "phone lost, came in person"',
        });
      }
      const request: AccountRecovery = { name, reason };
      const issued = await call.json<IssuedLinkView>("POST", "/api/accounts/recovery", request);
      const lines = [
        `one-use link for ${name}, until ${when(issued.endsAt)}:`,
        `  ${issued.link}`,
        "hand it over in person: whoever opens it first is that person",
      ];
      context.print(lines.join("\n"), issued);
    }),
};
