import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "#base/clock";
import { dial, type OutboundAssociation, openAssociation } from "#doors/dimse";
import { elementsOf, type KeywordDataSet, TransferSyntaxUid } from "#formats/dicom";
import { freePort } from "../tests/house/index.ts";
import { scratch } from "./data.ts";
import type { Filled } from "./filled.ts";
import { end, exitOf, loadNow, noDelay, runQuietly, untilListening, usageOf } from "./processes.ts";
import { median, print, spread, table } from "./report.ts";
import type { Questions } from "./requests.ts";
import { accessionOf } from "./studies.ts";
import type { Target } from "./targets.ts";

const studyRootFind = "1.2.840.10008.5.1.4.1.2.2.1";

/** C-FIND as a workstation's list asks: what is looked for, and the columns. */
function findsOf(name: string, keysOf: (at: number) => KeywordDataSet, isRight: (rows: number) => boolean): Questions {
  const columns = {
    ...{ QueryRetrieveLevel: "STUDY", StudyInstanceUID: "", StudyDate: "", StudyTime: "", AccessionNumber: "" },
    ...{ StudyDescription: "", PatientName: "", PatientID: "", PatientBirthDate: "", PatientSex: "" },
    ...{ ModalitiesInStudy: "" },
  };
  return {
    name,
    async begin(target, clients) {
      const associations = await Promise.all(Array.from({ length: clients }, () => associate(target)));
      return {
        async ask(client, at, isFirst) {
          const began = performance.now();
          const identifier = elementsOf({ ...columns, ...keysOf(at) });
          let [rows, bytes] = [0, 0];
          for await (const found of associations[client]?.find(studyRootFind, identifier) ?? []) {
            rows++;
            for (const { length } of found) bytes += length;
          }
          const ms = performance.now() - began;
          if (isFirst && !isRight(rows)) throw new Error(`${target.name} found ${rows} studies for ${name}`);
          return { ms, bytes };
        },
        end: () => {
          for (const association of associations) association.abort();
        },
      };
    },
  };
}

function associate({ aeTitle, dicomPort }: Target): Promise<OutboundAssociation> {
  const transferSyntaxUids = [TransferSyntaxUid.explicitLittleEndian];
  const contexts = [{ sopClassUid: studyRootFind, transferSyntaxUids }];
  const proposal = { callingAe: "BENCH", calledAe: aeTitle, contexts };
  return openAssociation(dial({ host: "127.0.0.1", port: dicomPort }), proposal, { clock: systemClock });
}

export function finds(studies: number): Questions[] {
  return [
    findsOf(
      "C-FIND AccessionNumber",
      (at) => ({ AccessionNumber: accessionOf((at * 7_919) % studies) }),
      (rows) => rows === 1,
    ),
    findsOf(
      "C-FIND PatientName=SMI*",
      () => ({ PatientName: "SMI*" }),
      (rows) => rows > 0,
    ),
  ];
}

interface Transfer {
  readonly perSecond: number;
  readonly megabytesPerSecond: number;
  readonly cpuMs: number;
}

/** C-MOVE to DCMTK's storescp and C-GET by its getscu of the long CT, as a workstation fetches it. */
export async function retrievesByDimse(filled: Filled, slices: number, rounds: number): Promise<void> {
  const runs = new Map<string, Transfer[]>();
  for (let round = 0; round < rounds; round++) {
    for (const target of round % 2 === 0 ? filled.targets : [...filled.targets].reverse()) {
      for (const operation of ["C-MOVE", "C-GET"] as const) {
        const transfer = await transferOf(operation, target, filled.ct.studyUid, slices);
        const name = `${operation} ${target.name}`;
        runs.set(name, [...(runs.get(name) ?? []), transfer]);
        print(`  ${name}: ${transfer.perSecond.toFixed(0)} instances/s, load ${loadNow()}`);
      }
    }
  }
  const rate = (name: string) => median((runs.get(name) ?? []).map(({ perSecond }) => perSecond));
  const rows = [...runs].map(([name, all]) => {
    const [operation = "", server = ""] = name.split(" ");
    return [
      operation,
      server,
      spread(all.map(({ perSecond }) => perSecond)),
      median(all.map(({ megabytesPerSecond }) => megabytesPerSecond)).toFixed(0),
      median(all.map(({ cpuMs }) => cpuMs)).toFixed(2),
      server === "leadglass" ? "" : (rate(`${operation} leadglass`) / rate(name)).toFixed(2),
    ];
  });
  print(`\n${table(["", "server", "instances/s", "MB/s", "ms CPU each", "leadglass to it"], rows)}\n`);
}

async function transferOf(
  operation: "C-MOVE" | "C-GET",
  target: Target,
  studyUid: string,
  slices: number,
): Promise<Transfer> {
  const folder = join(scratch("retrieved"), target.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", `StudyInstanceUID=${studyUid}`];
  const asked = ["-S", "-aet", "BENCH", "-aec", target.aeTitle];
  const to = ["127.0.0.1", String(target.dicomPort)];
  const taker = operation === "C-MOVE" ? await startTaker(target, folder) : undefined;
  const cpu = usageOf(target.pid).cpuSeconds;
  const began = performance.now();
  const asking =
    operation === "C-MOVE"
      ? runQuietly("movescu", [...asked, "-aem", takerTitle, ...keys, ...to], noDelay)
      : runQuietly("getscu", [...asked, "-od", folder, "+B", ...keys, ...to], noDelay);
  const code = await exitOf(asking);
  const seconds = (performance.now() - began) / 1_000;
  const cpuSeconds = usageOf(target.pid).cpuSeconds - cpu;
  await taker?.();
  const files = readdirSync(folder).map((name) => join(folder, name));
  const megabytes = files.reduce((sum, file) => sum + statSync(file).size, 0) / 1e6;
  rmSync(folder, { recursive: true, force: true });
  if (code !== 0 || files.length !== slices) {
    throw new Error(`${operation} of ${target.name} ended with ${code} and brought ${files.length} of ${slices}`);
  }
  return {
    perSecond: slices / seconds,
    megabytesPerSecond: megabytes / seconds,
    cpuMs: (cpuSeconds * 1_000) / slices,
  };
}

const takerTitle = "BENCHDST";

/** Returns how to stop it. */
async function startTaker(target: Target, folder: string): Promise<() => Promise<void>> {
  const port = await freePort();
  await target.sendsTo?.(takerTitle, port);
  const words = ["--fork", "--bit-preserving", "-aet", takerTitle, "-od", folder, String(port)];
  const taker = runQuietly("storescp", words, noDelay);
  await untilListening(port);
  return () => end(taker);
}
