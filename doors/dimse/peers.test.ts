import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemClock } from "#base/clock";
import { Problem } from "#base/problem";
import { readFile, storageSopClasses, Tag, writeMeta } from "#formats/dicom";
import { type DoorEvent, dial, openAssociation } from "./index.ts";
import { folderFor, freePort, run, startPeer } from "./peers.fixture.ts";
import { doorWith } from "./scp.fixture.ts";

const data = process.env.LEADGLASS_DATA ?? join(import.meta.dirname, "..", "..", "..", "shared", "data");
const folder = join(data, "dicom", "transfer-syntaxes");
const needs = {
  dcmtk: spawnSync("storescu", ["--version"]).status === 0 ? false : "needs dcmtk: apt install dcmtk",
  data: existsSync(folder) ? false : "needs the sample data: set LEADGLASS_DATA",
};
const needsBoth = needs.dcmtk || needs.data;

async function listening(t: TestContext, options: Parameters<typeof doorWith>[0] = {}) {
  const made = doorWith(options);
  const listener = await made.door.listen({ host: "127.0.0.1", port: 0 });
  t.after(() => listener.close());
  const peer = (program: string, ...args: string[]) =>
    run(program, ["-aet", "CT1", "-aec", "LEADGLASS", ...args.slice(0, -1), ...rest(args)]);
  const rest = (args: string[]) => ["127.0.0.1", `${listener.port}`, ...args.slice(-1)].filter((arg) => arg !== "");
  return { ...made, listener, peer };
}

/** A received data set as a file again, for DCMTK to look at. */
function asFile(to: string, kept: ReturnType<typeof doorWith>["kept"][number]): string {
  const { sopClassUid, sopInstanceUid, transferSyntaxUid } = kept.request;
  const meta = writeMeta({
    mediaStorageSopClassUid: sopClassUid,
    mediaStorageSopInstanceUid: sopInstanceUid,
    transferSyntaxUid,
    implementationClassUid: "1.2.3",
    implementationVersionName: "TEST",
  });
  writeFileSync(to, Buffer.concat([meta, kept.bytes]));
  return to;
}

/** What DCMTK reads of a data set, without the lines that tell how lengths are encoded. */
function dump(file: string): string {
  const { stdout } = spawnSync("dcmdump", ["-q", "+L", "+P", "0008,0018", "+P", "0020,0013", "+P", "7fe0,0010", file], {
    maxBuffer: 1 << 28,
  });
  return stdout.toString("latin1");
}

test("echoscu: echo, with every count of contexts, and an abort", { skip: needs.dcmtk }, async (t) => {
  const { peer, events } = await listening(t);
  assert.equal((await peer("echoscu", "--repeat", "5", "")).code, 0);
  assert.equal((await peer("echoscu", "-ppc", "128", "-pts", "38", "")).code, 0);
  assert.equal((await peer("echoscu", "--abort", "")).code, 0);
  const closed = events.flatMap((event) => (event.kind === "closed" ? [[event.how, event.echoes]] : []));
  assert.deepEqual(closed, [
    ["released", 5],
    ["released", 1],
    ["aborted-by-peer", 1],
  ]);
  const opened = events.filter((event): event is DoorEvent & { kind: "opened" } => event.kind === "opened");
  assert.deepEqual([opened[1]?.contextsAccepted, opened[1]?.contextsRefused], [128, 0]);
});

test("echoscu: who is not admitted hears why", { skip: needs.dcmtk }, async (t) => {
  const { peer, listener } = await listening(t, {
    callers: { admit: async () => ({ admitted: false, reason: "calling-ae" }) },
  });
  const refused = await peer("echoscu", "");
  assert.notEqual(refused.code, 0);
  assert.match(refused.output, /Calling AE Title Not Recognized/);
  const elsewhere = await run("echoscu", ["-aec", "ANY-SCP", "127.0.0.1", `${listener.port}`]);
  assert.match(elsewhere.output, /Called AE Title Not Recognized/);
});

/** The flag that lets storescu propose each transfer syntax that it knows. */
const flags: Record<string, string> = {
  "1.2.840.10008.1.2": "-xi",
  "1.2.840.10008.1.2.1": "-xe",
  "1.2.840.10008.1.2.2": "-xb",
  "1.2.840.10008.1.2.1.99": "-xd",
  "1.2.840.10008.1.2.5": "-xr",
  "1.2.840.10008.1.2.4.50": "-xy",
  "1.2.840.10008.1.2.4.51": "-xx",
  "1.2.840.10008.1.2.4.70": "-xs",
  "1.2.840.10008.1.2.4.80": "-xt",
  "1.2.840.10008.1.2.4.81": "-xu",
  "1.2.840.10008.1.2.4.90": "-xv",
  "1.2.840.10008.1.2.4.91": "-xw",
};

function samples() {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".dcm"))
    .map((name) => {
      const bytes = readFileSync(join(folder, name));
      const file = readFile(bytes);
      const sopClassUid = file.dataSet.text(Tag.SOPClassUID) ?? "";
      const sopInstanceUid = file.dataSet.text(Tag.SOPInstanceUID) || "2.25.1"; // some samples have none
      return { path: join(folder, name), bytes, file, sopClassUid, sopInstanceUid };
    });
}

test("storescu: a file of every transfer syntax arrives as DCMTK has it", { skip: needsBoth }, async (t) => {
  const { peer, kept } = await listening(t);
  const work = folderFor(t);
  const slices = samples().filter(({ path }) => path.includes("CTImage.dcm_"));
  const bySyntax = new Map(slices.map((sample) => [sample.file.transferSyntaxUid, sample]));
  let sent = 0;
  for (const [syntax, flag] of Object.entries(flags)) {
    const sample = bySyntax.get(syntax) ?? assert.fail(`no sample of ${syntax}`);
    const outcome = await peer("storescu", "-R", flag, sample.path);
    assert.equal(outcome.code, 0, `${syntax}: ${outcome.output}`);
    const received = kept[sent++] ?? assert.fail(syntax);
    assert.equal(received.request.transferSyntaxUid, syntax);
    assert.equal(dump(asFile(join(work, "received.dcm"), received)), dump(sample.path), syntax);
  }
});

test("storescu: all its contexts at once, small and large PDUs, and an abort", { skip: needsBoth }, async (t) => {
  const { peer, kept, events } = await listening(t);
  const file = join(folder, "MR_small.dcm");
  for (const args of [[], ["-pdu", "4096"], ["-pdu", "131072"], ["--max-send-pdu", "4096"], ["--abort"]]) {
    const outcome = await peer("storescu", ...args, file);
    assert.equal(outcome.code, 0, outcome.output);
  }
  const first = kept[0]?.bytes ?? assert.fail();
  assert.equal(kept.length, 5);
  for (const { bytes } of kept) assert.ok(bytes.equals(first));
  const hows = events.flatMap((event) => (event.kind === "closed" ? [event.how] : []));
  assert.deepEqual(hows, ["released", "released", "released", "released", "aborted-by-peer"]);
});

test("dcmsend: a folder of everything it can read arrives", { skip: needsBoth }, async (t) => {
  const { peer, kept } = await listening(t);
  const outcome = await peer("dcmsend", "-v", "+sd", "+r", "-nuc", "-dn", "-nh", folder);
  const sent = /with status SUCCESS *: (\d+)/.exec(outcome.output)?.[1];
  assert.equal(kept.length, Number(sent), outcome.output);
  assert.ok(kept.length > 40);
});

test("storescu: a refused instance is told, and the next one is stored", { skip: needsBoth }, async (t) => {
  let refuse = true;
  const { store } = doorWith();
  const { peer } = await listening(t, {
    services: {
      echo: async () => {},
      store(request) {
        refuse = !refuse;
        if (!refuse) throw new Problem("no-room", "no room left");
        return store(request);
      },
    },
  });
  const file = join(folder, "MR_small.dcm");
  const outcome = await peer("storescu", "-v", "-nh", "--repeat", "2", file);
  assert.match(outcome.output, /Refused: OutOfResources/);
  assert.match(outcome.output, /Received Store Response \(Success\)/);
});

test("every sample of every transfer syntax is sent by our own sender, bit for bit", {
  skip: needs.data,
}, async (t) => {
  const { kept, listener } = await listening(t);
  const all = samples();
  for (const { file, bytes, sopClassUid, sopInstanceUid } of all) {
    const { transferSyntaxUid } = file;
    const dataSet = bytes.subarray(file.dataSetOffset);
    const peer = await openAssociation(
      dial({ host: "127.0.0.1", port: listener.port }),
      { callingAe: "CT1", calledAe: "LEADGLASS", contexts: [{ sopClassUid, transferSyntaxUids: [transferSyntaxUid] }] },
      { clock: systemClock },
    );
    const outcome = await peer.store({ sopClassUid, sopInstanceUid, transferSyntaxUid, dataSet: [dataSet] });
    assert.equal(outcome.status, 0);
    assert.ok(kept.at(-1)?.bytes.equals(dataSet));
    await peer.release();
  }
  assert.equal(kept.length, all.length);
});

test("every storage SOP class of the standard negotiates, in whole associations of 128 contexts", async (t) => {
  const { listener } = await listening(t);
  const at = { host: "127.0.0.1", port: listener.port };
  const uids = new Set(storageSopClasses().map(({ uid }) => uid));
  if (needs.data) t.diagnostic("without the sample data only our own table of SOP classes is tried");
  else {
    const listed = JSON.parse(readFileSync(join(data, "standard", "sops.json"), "utf8")) as {
      id: string;
      name: string;
    }[];
    for (const { id, name } of listed) if (/Storage/.test(name) && !/Directory/.test(name)) uids.add(id);
  }
  for (const uid of ["1.3.12.2.1107.5.9.1", "1.2.840.113619.4.26", "1.2.840.10008.5.1.4.1.1.999.1"]) uids.add(uid);
  const all = [...uids];
  assert.ok(all.length > 130);
  for (let from = 0; from < all.length; from += 128) {
    const contexts = all
      .slice(from, from + 128)
      .map((sopClassUid) => ({ sopClassUid, transferSyntaxUids: ["1.2.840.10008.1.2.4.201"] }));
    const peer = await openAssociation(
      dial(at),
      { callingAe: "CT1", calledAe: "LEADGLASS", contexts },
      { clock: systemClock },
    );
    const accepted = new Set(peer.contexts.map(({ sopClassUid }) => sopClassUid));
    assert.deepEqual(
      contexts.flatMap(({ sopClassUid }) => (accepted.has(sopClassUid) ? [] : [sopClassUid])),
      [],
    );
    await peer.release();
  }
});

test("storescp: what our sender sends is taken, with small PDUs and large", { skip: needsBoth }, async (t) => {
  const folderOfPeer = folderFor(t);
  const port = await freePort();
  await startPeer(t, port, "storescp", "-od", folderOfPeer, "-B", "-pdu", "4096", "+xa", `${port}`);
  const slice = samples().find(({ path }) => path.includes("LittleEndianExplicit")) ?? assert.fail();
  const { sopClassUid, sopInstanceUid, file, bytes } = slice;
  const { transferSyntaxUid } = file;
  const contexts = [
    { sopClassUid, transferSyntaxUids: [transferSyntaxUid] },
    { sopClassUid: "1.2.840.10008.1.1", transferSyntaxUids: ["1.2.840.10008.1.2"] },
  ];
  const proposal = { callingAe: "LEADGLASS", calledAe: "STORESCP", contexts };
  const peer = await openAssociation(dial({ host: "127.0.0.1", port }), proposal, { clock: systemClock });
  assert.equal((await peer.echo()).status, 0);
  const dataSet = bytes.subarray(file.dataSetOffset);
  const pieces = [dataSet.subarray(0, 1001), dataSet.subarray(1001, 1003), dataSet.subarray(1003)];
  const outcome = await peer.store({ sopClassUid, sopInstanceUid, transferSyntaxUid, dataSet: pieces });
  assert.equal(outcome.status, 0);
  assert.ok(outcome.ms > 0);
  await peer.release();
  const [name = ""] = readdirSync(folderOfPeer);
  const received = readFileSync(join(folderOfPeer, name));
  assert.ok(received.subarray(readFile(received).dataSetOffset).equals(dataSet));
});
