import { Problem } from "#base/problem";
import type { InvitationView, PeopleView } from "#formats/api";
import type { Command } from "../arguments.ts";
import { withServer } from "../with-server.ts";

const when = (time: number) => new Date(time).toISOString();

export const userAdd: Command = {
  words: "user add",
  takes: "NAME [--role observer]",
  does: "a one-use link for another person, who sets password and authenticator there",
  options: { role: "ROLE  administrator (the default), or observer, who sees identity masked and administers nothing" },
  run: (context) =>
    withServer(context, async (call) => {
      const [name] = context.positionals;
      const { role = "administrator" } = context.options;
      if (name === undefined || (role !== "administrator" && role !== "observer")) {
        throw new Problem("invalid", "NAME is needed, and --role is administrator or observer", {
          remedy: "leadglass user add bob@example.org",
        });
      }
      const invited = await call.json<InvitationView>("POST", "/api/invitations", { name, role });
      const lines = [
        `one-use link for the ${invited.role} ${invited.name}, until ${when(invited.endsAt)}:`,
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
          ({ name, role, createdAt }) => `${name.padEnd(32)}  ${role.padEnd(13)}  since ${when(createdAt)}`,
        ),
        ...people.invitations.map(
          ({ name, role, endsAt }) =>
            `${name.padEnd(32)}  ${role.padEnd(13)}  INVITED, link good until ${when(endsAt)}`,
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
