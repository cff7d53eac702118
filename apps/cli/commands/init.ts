import { createInterface } from "node:readline/promises";
import { Problem } from "#base/problem";
import type { NewAccount } from "#formats/api";
import type { Command } from "../arguments.ts";
import { withServer } from "../with-server.ts";

export const init: Command = {
  words: "init",
  takes: "[--admin NAME --password-stdin]",
  does: "make a home: keys, certificates, administrator (else `start` prints a one-use link for that)",
  options: { admin: "NAME  make this administrator" },
  flags: { "password-stdin": "read the administrator's password from standard input" },
  async run(context) {
    const { admin } = context.options;
    if (admin !== undefined && !context.flags.has("password-stdin")) {
      throw new Problem("invalid", "--admin needs --password-stdin", {
        remedy: "pipe the password in; without --admin, `leadglass start` prints a one-use link",
      });
    }
    const password = admin === undefined ? "" : await firstLine();
    await withServer(context, async (call) => {
      if (admin === undefined) {
        context.print(`home ready: ${context.home}\n\n  next: leadglass start`, { home: context.home });
        return;
      }
      const made = await call.json<NewAccount>("POST", "/api/accounts", { name: admin, password });
      const lines = [
        `home ready: ${context.home}`,
        `administrator ${admin}: authenticator secret ${made.totpSecret}`,
        `recovery codes, one use each: ${made.recoveryCodes.join(" ")}`,
        "keep the secret, the codes and root.passphrase of the home where only you can read them",
      ];
      context.print(lines.join("\n"), { home: context.home, ...made });
    });
  },
};

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line;
  throw new Problem("invalid", "no password came on standard input", { remedy: "printf '%s' … | leadglass init …" });
}
