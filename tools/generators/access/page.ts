import { roles } from "#formats/api";
import { type Act, acts, ruleOf } from "#trust/access";

const intro = `# Who may do what

Made from \`trust/access/acts.ts\` by \`node tools/generators/access/main.ts\`: the table that the server decides by, and no other. A test decides a
million random cases by this page, without the server's code, and compares.

An actor is a person (\`user\`), a program (\`client\`), who opened a share link (\`share\`), a machine (\`device\`), who owns the home folder (\`operator\`),
who holds a one-use link (\`setup\`), two people together (\`pair\`), or the server itself (\`system\`). People, programs and share links may do nothing by
themselves: they hold **grants**. A grant says who, in which role, where (the whole tenant, a facility, a patient, a study, an order), what for, and until when. The others
stand in the table by their kind.

An act is allowed when

1. the session or token that the actor came with still holds, and the act is among those that the token was given for;
2. the actor holds a grant, not over and not ended, in a role that the act's row names (or the row names its kind);
3. the place of such a grant covers where the act is done:
   - \`study\`: the study lies in it (in the facility, of the patient, that study, of the order);
   - \`lists\`: any place will do, and only what lies in it is shown;
   - \`tenant\`: the grant is for the whole tenant;
   - \`self\`: any place will do.
   A token that was given for some places narrows this further. A machine has such places and acts too, by what it was let do and the facility
   that it stands in; where an actor acts by its kind, they do not narrow what is done on the whole \`tenant\`.

What is refused looks like what is not there. A researcher, and who comes with a masked token, sees names, numbers and dates masked, and may do only what a researcher may.
`;

/** The page for an auditor: every act, where it is done, who may do it; and the other way round. */
export function pageOfAccess(): string {
  const whoMay = (act: Act) => ruleOf(act).who as readonly string[];
  const rows = acts.map((act) => `| \`${act}\` | ${ruleOf(act).where} | ${whoMay(act).join(", ")} |`);
  const kinds = [...new Set(acts.flatMap(whoMay))].filter((who) => !(roles as readonly string[]).includes(who));
  const rights = [...roles, ...kinds].map((who) => {
    const theirs = acts.filter((act) => whoMay(act).includes(who));
    return `| ${who} | ${theirs.map((act) => `\`${act}\``).join(", ")} |`;
  });
  return [
    intro,
    "## Acts\n",
    "| act | where | who |\n|---|---|---|",
    ...rows,
    "\n## Roles and kinds\n",
    "| who | acts |\n|---|---|",
    ...rights,
    "",
  ].join("\n");
}
