import { lstat, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { isProblem, Problem } from "#base/problem";
import type { Command } from "../arguments.ts";
import { withServer } from "../with-server.ts";
import { isWorklistItem } from "../worklist-file.ts";
import { facilityNamed } from "./facilities.ts";

/** Larger files are sent by a modality or by STOW-RS, which stream. */
const fileBytesMax = 2 * 1024 ** 3 - 1;

export const importFiles: Command = {
  words: "import",
  takes: "PATH… [--facility NAME]",
  does: "take DICOM files and folders in; items of a modality worklist are scheduled",
  options: { facility: "NAME  where they came from: who was granted that facility sees them" },
  run: (context) =>
    withServer(context, async (call) => {
      if (context.positionals.length === 0) throw new Problem("invalid", "name at least one file or folder");
      const { facility } = context.options;
      const place = facility === undefined ? "" : `?facility=${await facilityNamed(call, facility)}`;
      const counts = { stored: 0, scheduled: 0, refused: 0 };
      for await (const path of filesUnder(context.positionals)) {
        try {
          const body = await readFile(path);
          const isStep = isWorklistItem(body);
          const answer = await call.stream("POST", `${isStep ? "/api/worklist" : "/dicom-web/studies"}${place}`, {
            body,
            type: "application/dicom",
            accept: isStep ? "application/json" : "application/dicom+json",
          });
          answer.resume();
          counts[isStep ? "scheduled" : "stored"]++;
        } catch (error) {
          if (!isProblem(error) || error.code === "unavailable" || error.code === "no-room") throw error;
          counts.refused++;
          process.stderr.write(`refused: ${path}\n`);
        }
        if ((counts.stored + counts.scheduled + counts.refused) % 50 === 0) context.say(said(counts));
      }
      context.print(said(counts), counts);
      if (counts.stored + counts.scheduled === 0)
        throw new Problem("invalid", "nothing was stored", { remedy: "are these DICOM files?" });
    }),
};

function said({ stored, scheduled, refused }: { stored: number; scheduled: number; refused: number }): string {
  return `${stored} stored, ${scheduled > 0 ? `${scheduled} scheduled, ` : ""}${refused} refused`;
}

/** What is named may be a link; what lies in a folder comes from elsewhere, and a link in it could lead anywhere: it is passed over. */
async function* filesUnder(paths: readonly string[], within = false): AsyncGenerator<string> {
  for (const path of paths) {
    const found = await (within ? lstat : stat)(path).catch((cause) => {
      throw new Problem("absent", `cannot read ${path}`, { cause });
    });
    if (found.isDirectory()) {
      const names = (await readdir(path)).sort().filter((name) => !name.startsWith("."));
      yield* filesUnder(
        names.map((name) => join(path, name)),
        true,
      );
    } else if (found.isFile() && found.size <= fileBytesMax) yield path;
    else process.stderr.write(`passed over: ${path}\n`);
  }
}
