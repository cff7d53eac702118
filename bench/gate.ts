import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { systemFiles } from "#base/io";
import { openEntryFiles } from "#stores/log";
import { createMemoryAccessStore } from "#stores/memory";
import {
  type Actor,
  actorOf,
  createGate,
  createGrants,
  createPolicy,
  type Grant,
  type StudyFacts,
} from "#trust/access";
import { createAuditLog } from "#trust/audit";
import { machine, percentile, print, table } from "./report.ts";

const people = 200;
const patients = 5_000;

/** People of a hospital: most with the whole tenant, every third with a hundred patients of their own. */
function grantsOfAHospital(): Grant[] {
  const common = { purpose: "treatment", endsAt: 0, givenBy: "operator", givenAt: 1, endedAt: 0, endedBy: "" } as const;
  return Array.from({ length: people }, (_, person): Grant[] => {
    const holder = `user:${person}`;
    if (person % 3 > 0) {
      return [{ id: `g${person}`, holder, role: "radiologist", place: { kind: "tenant" }, ...common }];
    }
    return Array.from({ length: 100 }, (__, at) => {
      const place = { kind: "patient", id: `p${(person * 100 + at) % patients}` } as const;
      return { id: `g${person}-${at}`, holder, role: "referrer", place, ...common };
    });
  }).flat();
}

/** A study that this person may read. */
function studyOf(person: number, at: number): StudyFacts {
  const patient = person % 3 > 0 ? at % patients : (person * 100 + (at % 100)) % patients;
  return { study: `s${patient}`, patient: `p${patient}`, facility: "f", order: "" };
}

interface Measured {
  readonly perSecond: number;
  readonly latencies: readonly number[];
  readonly cpuUs: number;
}

/** So many callers, each of whom asks again when it is answered. */
async function closedLoop(
  clients: number,
  seconds: number,
  once: (client: number, at: number) => Promise<unknown>,
): Promise<Measured> {
  const latencies: number[] = [];
  const cpu = process.cpuUsage();
  const begun = performance.now();
  const until = begun + seconds * 1_000;
  const caller = async (client: number) => {
    for (let at = 0; performance.now() < until; at++) {
      const asked = performance.now();
      await once(client, at);
      latencies.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => caller(client)));
  const elapsedMs = performance.now() - begun;
  const { user, system } = process.cpuUsage(cpu);
  return {
    perSecond: (latencies.length / elapsedMs) * 1_000,
    latencies,
    cpuUs: (user + system) / latencies.length,
  };
}

function rowOf(what: string, clients: number, { perSecond, latencies, cpuUs }: Measured): (string | number)[] {
  const at = (percent: number) => percentile(latencies, percent).toFixed(2);
  return [what, clients, perSecond.toFixed(0), at(50), at(99), cpuUs.toFixed(1)];
}

/** Decide, log durably, do the work: what each request pays for the gate and the log. `--folder` must lie on a real disk. */
export async function gate(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      folder: { type: "string", default: process.cwd() },
      seconds: { type: "string", default: "5" },
      clients: { type: "string", default: "1,16,256" },
    },
  });
  const root = await mkdtemp(join(values.folder, ".bench-gate-"));
  try {
    print(machine());
    const audit = await createAuditLog({
      store: await openEntryFiles({ files: systemFiles, folder: join(root, "audit") }),
      signingSeed: Buffer.alloc(32, 7),
      origin: "bench.leadglass/gate",
      clock: systemClock,
    });
    const store = createMemoryAccessStore();
    const all = grantsOfAHospital();
    await store.addGrants(all);
    const policy = createPolicy(await createGrants({ store, clock: systemClock, random: systemRandom }));
    const passing = createGate({ policy, audit, clock: systemClock });
    const actors: Actor[] = Array.from({ length: people }, (_, person) => actorOf("user", String(person)));
    const actorAt = (client: number) => actors[client % people] as Actor;
    const seconds = Number(values.seconds);
    const rows: (string | number)[][] = [];
    print(`${all.length.toLocaleString("en")} grants of ${people} people, ${seconds} s each`);
    for (const clients of values.clients.split(",").map(Number)) {
      const decided = await closedLoop(clients, seconds / 2, async (client, at) => {
        const facts = studyOf(client % people, at);
        if (!policy.decide(actorAt(client), "study.view", facts).isAllowed) throw new Error("refused");
      });
      rows.push(rowOf("decided alone", clients, decided));
      const passed = await closedLoop(clients, seconds, (client, at) => {
        const facts = studyOf(client % people, at);
        return passing.pass(actorAt(client), "study.view", { kind: "study", id: facts.study, facts }, async () => at);
      });
      rows.push(rowOf("gated and logged", clients, passed));
    }
    print(table(["", "clients", "reads/s", "p50 ms", "p99 ms", "µs CPU each"], rows));
    const begun = performance.now();
    await audit.checkpoint();
    print(`${audit.size().toLocaleString("en")} entries; checkpoint ${(performance.now() - begun).toFixed(1)} ms`);
    await audit.close();
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
