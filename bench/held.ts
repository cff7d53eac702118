import { parseArgs } from "node:util";
import { storeWhileHeld } from "../tests/attacks/held.fixture.ts";
import { machine, median, print, spread, table } from "./report.ts";

/** A modality alone, and beside connections that are held to wear the server out. */
export async function held(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      associations: { type: "string", default: "500" },
      clients: { type: "string", default: "500" },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "10" },
      size: { type: "string", default: "512" },
    },
  });
  const [associations, clients] = [Number(values.associations), Number(values.clients)];
  print(
    `C-STORE of CT over one association, alone and beside ${associations} held associations and ${clients} slow HTTP clients. ${machine()}.`,
  );
  const measured = await storeWhileHeld({
    ...{ associations, clients },
    ...{ rounds: Number(values.rounds), seconds: Number(values.seconds), size: Number(values.size) },
  });
  const rows = [
    ["alone", spread(measured.quiet)],
    [`beside ${measured.associations} associations, ${measured.clients} clients`, spread(measured.held)],
  ];
  print(`\n${table(["", "instances/s: least / **median** / most"], rows)}`);
  print(`\n${(median(measured.held) / median(measured.quiet)).toFixed(2)} of its speed`);
}
