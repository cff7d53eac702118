import { Problem } from "#base/problem";
import type { CorrectedView, CorrectionView, StudyPage } from "#formats/api";
import type { Command, CommandContext } from "../arguments.ts";
import type { Call } from "../call.ts";
import { type Input, inputOf } from "../standard-input.ts";
import { withServer } from "../with-server.ts";

const reasonShown = '"reason": {"code": "CORRECT", "text": "typed in wrongly"}';

function print(context: CommandContext, corrected: CorrectedView): void {
  const count = corrected.studies.length;
  const said = count === 0 ? "nothing to do: the studies say so already" : `corrected ${count} studies`;
  context.print(
    [said, ...corrected.studies.map(({ studyToken, version }) => `  ${studyToken}  version ${version}`)].join("\n"),
    corrected,
  );
}

/** The study that is named by its token, or by `accessionNumber` in the input. */
async function studyOf(call: Call, context: CommandContext, { accessionNumber }: Input): Promise<string> {
  const [token] = context.positionals;
  if (token !== undefined) return token;
  if (typeof accessionNumber !== "string" || accessionNumber === "") {
    throw new Problem("invalid", "no study is named", {
      remedy: 'give its token, as the address of its page has it, or "accessionNumber" in the input',
    });
  }
  const page = await call.json<StudyPage>("POST", "/api/studies/search", { search: accessionNumber, limit: 200 });
  const found = page.studies.filter((study) => study.accessionNumber === accessionNumber);
  const [only] = found;
  if (only === undefined) {
    throw new Problem("absent", "no study has that accession number", { remedy: "name the study by its token" });
  }
  if (found.length > 1) {
    throw new Problem("conflict", "several studies have that accession number", {
      remedy: `name one by its token: ${found.map((study) => study.token).join(", ")}`,
    });
  }
  return only.token;
}

function correcting(
  command: Pick<Command, "words" | "takes" | "does">,
  example: string,
  send: (call: Call, context: CommandContext, input: Input) => Promise<CorrectedView>,
): Command {
  return {
    ...command,
    does: `${command.does}; standard input: ${example}`,
    run: async (context) => {
      const input = await inputOf(example);
      return withServer(context, async (call) => print(context, await send(call, context, input)));
    },
  };
}

const post = (call: Call, path: string, body: Input) =>
  call.json<CorrectedView>("POST", `/api/corrections/${path}`, body);

export const studyCorrect = correcting(
  { words: "study correct", takes: "[TOKEN]", does: "other values for what identifies a study" },
  `{"changes": {"StudyDescription": "…"}, ${reasonShown}}`,
  async (call, context, input) => {
    const { changes, reason } = input;
    return post(call, "study", { study: await studyOf(call, context, input), changes, reason });
  },
);

export const studyMove = correcting(
  { words: "study move", takes: "[TOKEN]", does: "a study was another patient's" },
  `{"to": {"PatientID": "…"}, ${reasonShown}}`,
  async (call, context, input) => {
    const { to, reason } = input;
    return post(call, "move", { study: await studyOf(call, context, input), to, reason });
  },
);

export const patientCorrect = correcting(
  { words: "patient correct", takes: "", does: "other values for a patient, in all its studies" },
  `{"patient": {"PatientID": "…"}, "changes": {"PatientName": "…"}, ${reasonShown}}`,
  (call, _context, { patient, changes, reason }) => post(call, "patient", { patient, changes, reason }),
);

export const patientMerge = correcting(
  { words: "patient merge", takes: "", does: "the studies of one patient become those of another" },
  `{"from": {"PatientID": "…"}, "into": {"PatientID": "…"}, ${reasonShown}}`,
  (call, _context, { from, into, reason }) => post(call, "merge", { from, into, reason }),
);

export const studyCorrections: Command = {
  words: "study corrections",
  takes: "TOKEN",
  does: "what was corrected in a study, when, by whom and why; shows the values of before",
  run: (context) =>
    withServer(context, async (call) => {
      const [token] = context.positionals;
      if (token === undefined)
        throw new Problem("invalid", "TOKEN is needed", { remedy: "see the address of its page" });
      const path = `/api/studies/${encodeURIComponent(token)}/corrections`;
      const corrections = await call.json<CorrectionView[]>("GET", path);
      const lines = corrections.flatMap(({ version, act, at, by, reason, changes }) => [
        `version ${version}: ${act} at ${new Date(at).toISOString()} by ${by}, ${reason.code} ${reason.text}`.trimEnd(),
        ...Object.entries(changes).map(([keyword, { from = "", to }]) => `  ${keyword}: "${from}" is "${to}"`),
      ]);
      context.print(lines.join("\n") || "nothing was corrected", corrections);
    }),
};
