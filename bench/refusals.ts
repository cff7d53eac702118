import { parseArgs } from "node:util";
import type { InvitationView, StudyPage } from "#formats/api";
import { asOperator, slicesOf, stow } from "../tests/flows/modality.fixture.ts";
import { enrol } from "../tests/flows/second-person.fixture.ts";
import { startHouse } from "../tests/house/index.ts";
import { makeAdministrator } from "../tests/web/browser.fixture.ts";
import { machine, percentile, print, table } from "./report.ts";

/** A house with two patients, and somebody who may see one of them. */
async function prepared() {
  const house = await startHouse();
  await makeAdministrator(house);
  const patients = [81, 82].map((seed) => {
    const patient = { name: `Q^${seed}`, id: `Q-${seed}`, birthDate: "19700102", sex: "O" } as const;
    return slicesOf({ kind: "mr-brain", slices: 8, size: 64, seed, patient });
  });
  for (const slices of patients) await stow(house, slices);
  const { studies } = await asOperator<StudyPage>(house, "/api/studies?limit=10");
  const words = ["user", "add", "rita", "--role", "referrer", "--json"];
  const { link } = JSON.parse(house.command(words)) as InvitationView;
  const { headers } = await enrol(house, "rita", link);
  const [own, other] = studies;
  if (own === undefined || other === undefined) throw new Error("the studies did not arrive");
  house.command(["grant", "add", "rita", "referrer", "--study", own.token]);
  const grants = JSON.parse(house.command(["grant", "list", "--json"])) as { id: string; holderName: string }[];
  house.command(["grant", "end", grants.find(({ holderName }) => holderName === "rita")?.id ?? ""]);
  return { house, headers, other };
}

/** Whether the time of an answer tells what is refused from what is not there: asked in turns, in one run. */
export async function refusals(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...words], options: { times: { type: "string", default: "2000" } } });
  const times = Number(values.times);
  const { house, headers, other } = await prepared();
  try {
    print(machine());
    const uid = other.studyUid;
    const nobodys = `${uid.slice(0, -4)}${uid.endsWith("7777") ? "8888" : "7777"}`;
    const routes = [
      ["/api/studies/…", `/api/studies/${other.token}`, `/api/studies/${"0123456789abcdef".repeat(2)}`],
      ["/dicom-web/studies/…", `/dicom-web/studies/${uid}`, `/dicom-web/studies/${nobodys}`],
      ["/dicom-web/studies/…/metadata", `/dicom-web/studies/${uid}/metadata`, `/dicom-web/studies/${nobodys}/metadata`],
    ] as const;
    const rows: (string | number)[][] = [];
    for (const [name, refused, absent] of routes) {
      const taken: Record<"refused" | "absent", number[]> = { refused: [], absent: [] };
      const ask = async (which: keyof typeof taken, path: string) => {
        const began = performance.now();
        const answer = await house.fetch(path, { anonymous: true, headers });
        await answer.arrayBuffer();
        if (answer.status !== 404) throw new Error(`${path} answered ${answer.status}`);
        taken[which].push(performance.now() - began);
      };
      for (let time = 0; time < times; time++) {
        const inTurn = [() => ask("refused", refused), () => ask("absent", absent)];
        for (const one of time % 2 === 0 ? inTurn : inTurn.toReversed()) await one();
      }
      const at = (which: keyof typeof taken, percent: number) => percentile(taken[which], percent).toFixed(3);
      rows.push([
        name,
        at("refused", 25),
        at("absent", 25),
        at("refused", 50),
        at("absent", 50),
        at("refused", 75),
        at("absent", 75),
      ]);
    }
    const heading = (which: string) => [`refused ${which} ms`, `absent ${which} ms`];
    print(table(["route", ...["p25", "p50", "p75"].flatMap(heading)], rows));
  } finally {
    await house.remove();
  }
}
