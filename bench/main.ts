import { print } from "./report.ts";

type Bench = (words: readonly string[]) => Promise<void>;

/** What can be measured, each loaded when asked for. */
const benches: Readonly<Record<string, { does: string; load: () => Promise<Bench> }>> = {
  ingest: {
    does: "C-STORE of a 1,000-slice CT beside storescp and Orthanc  [--runs 3] [--associations 1,4] [--only leadglass]",
    load: async () => (await import("./ingest.ts")).ingest,
  },
  query: {
    does: "QIDO-RS, C-FIND and series metadata beside Orthanc  [--studies 50000] [--seconds 5] [--clients 1,16] [--fresh]",
    load: async () => (await import("./query.ts")).query,
  },
  retrieve: {
    does: "WADO-RS, C-MOVE, C-GET beside Orthanc: study; instance, frame, picture  [--studies 50000] [--seconds 5] [--clients 1,16]",
    load: async () => (await import("./retrieve.ts")).retrieve,
  },
  link: {
    does: "a CT over lines of set rate, delay and loss: storescu, Orthanc peer, our link, a box and its cloud  [--short] [--runs 3] [--lines wan,metro,country] [--congestion cubic,bbr] [--only leadglass]",
    load: async () => (await import("./link.ts")).link,
  },
  packing: {
    does: "packing for the link: ratio and speed of each way, and what is chosen for a line  [--lines 20,100,1000]",
    load: async () => (await import("./packing.ts")).packing,
  },
  spool: {
    does: "the spool of an edge beside plain synced appends; a long queue  [--folder DIR] [--parcels 512] [--writers 1,4,16] [--waiting 1000000]",
    load: async () => (await import("./spool.ts")).spool,
  },
  start: {
    does: "start of a ready home, idle memory, stop  [--runs 5] [--studies 50000]",
    load: async () => (await import("./start.ts")).start,
  },
  held: {
    does: "C-STORE beside held associations and slow HTTP clients  [--associations 500] [--clients 500] [--rounds 5] [--seconds 10]",
    load: async () => (await import("./held.ts")).held,
  },
  header: {
    does: "the header of a CT beside dicom-parser and dcmjs",
    load: async () => (await import("./header.ts")).header,
  },
  audit: {
    does: "the audit log alone: append, open, prove, verify  [--folder DIR] [--entries 100000]",
    load: async () => (await import("./audit.ts")).audit,
  },
  gate: {
    does: "decide, log durably, do the work: reads/s of one process  [--clients 1,16,256] [--seconds 5] [--folder DIR]",
    load: async () => (await import("./gate.ts")).gate,
  },
  log: {
    does: "the audit log at its full size: a checkpoint, proving an export  [--folder DIR] [--entries 10000000] [--runs 3]",
    load: async () => (await import("./log.ts")).log,
  },
  refusals: {
    does: "the time of an answer for what is refused beside what is not there  [--times 2000]",
    load: async () => (await import("./refusals.ts")).refusals,
  },
  index: {
    does: "the study index alone  [--studies 50000] [--folder DIR] [--url postgres://…]",
    load: async () => (await import("./study-index.ts")).studyIndex,
  },
  worklist: {
    does: "C-FIND of the modality worklist  [--steps 10000] [--times 200]",
    load: async () => (await import("./worklist.ts")).worklist,
  },
  vault: {
    does: "C-STORE beside the first issue's store, QIDO-RS at 50,000 and 1,000,000 studies beside Orthanc  [--part ingest,search]",
    load: async () => (await import("./vault.ts")).vault,
  },
  "blind-attack": {
    does: "what a thief of the index learns of 100,000 names  [--names 100000]",
    load: async () => (await import("./blind-attack.ts")).blindAttack,
  },
  sealing: {
    does: "sealing, opening and starting the vault alone  [--folder DIR] [--objects 600]",
    load: async () => (await import("./sealing.ts")).sealing,
  },
};

const [name = "", ...words] = process.argv.slice(2);
const bench = benches[name];
if (bench === undefined) {
  print("npm run bench -- NAME [options]\n");
  for (const [known, { does }] of Object.entries(benches)) print(`  ${known.padEnd(10)} ${does}`);
  process.exitCode = name === "" || name === "--help" ? 0 : 2;
} else {
  await (await bench.load())(words);
}
