import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemClock } from "#base/clock";
import { Problem } from "#base/problem";
import { elementsOf, inputOf, type KeywordDataSet, readFile, Tag, writeDataSet } from "#formats/dicom";
import { type ContextProposal, dial, openAssociation, type RetrievedInstance, type StoreInstance } from "./index.ts";
import { folderFor, freePort, run, startPeer } from "./peers.fixture.ts";
import { doorWith, explicit, implicit } from "./scp.fixture.ts";
import { all, bigEndian, listed, serving, studyFind, studyGet, studyMove } from "./services.fixture.ts";

const data = process.env.LEADGLASS_DATA ?? join(import.meta.dirname, "..", "..", "..", "shared", "data");
const folder = join(data, "dicom", "transfer-syntaxes");
const has = (program: string) => spawnSync(program, ["--version"]).status === 0;
const needsDcmtk = has("movescu") ? false : "needs dcmtk: apt install dcmtk";
const needsGdcm = has("gdcmscu") ? false : "needs gdcm: apt install libgdcm-tools";
const needsData = existsSync(folder) ? false : "needs the sample data: set LEADGLASS_DATA";

/** Real instances; what is stored uncompressed can also be had in the other plain syntaxes. */
function samples(): RetrievedInstance[] {
  const names = readdirSync(folder).filter((name) =>
    /(Explicit|SV1|JPEGLSLossless)TransferSyntax|MR_small_implicit/.test(name),
  );
  return names.sort().map((name, number) => {
    const file = readFile(readFileSync(join(folder, name)));
    const { transferSyntaxUid, dataSet } = file;
    const sopClassUid = dataSet.text(Tag.SOPClassUID) ?? "";
    const sopInstanceUid = `2.25.${number + 1}`;
    const uids = elementsOf({ SOPInstanceUID: sopInstanceUid });
    const elements = [
      ...[...dataSet].map((element) => inputOf(dataSet, element)).filter(({ tag }) => tag !== Tag.SOPInstanceUID),
      ...uids,
    ];
    const plain = [explicit, implicit, bigEndian];
    const others = plain.includes(transferSyntaxUid) ? plain.filter((uid) => uid !== transferSyntaxUid) : [];
    return {
      sopClassUid,
      sopInstanceUid,
      transferSyntaxUid,
      offeredSyntaxUids: [transferSyntaxUid, ...others],
      async open([chosen = ""]) {
        const bytes = writeDataSet(elements, { transferSyntaxUid: chosen });
        return { sopClassUid, sopInstanceUid, transferSyntaxUid: chosen, dataSet: [bytes] };
      },
    };
  });
}

/** A door to query and to retrieve from, whose destinations are ports of this machine. */
async function archive(
  t: TestContext,
  {
    found = [],
    instances = [],
    ports = {},
  }: { found?: KeywordDataSet[]; instances?: RetrievedInstance[]; ports?: Record<string, number> },
) {
  const answered: number[] = [];
  const retrieves = {
    select: async () => instances,
    async destination(title: string) {
      const port = ports[title];
      if (port === undefined) throw new Problem("absent", "no such destination");
      return {
        async open(contexts: readonly ContextProposal[]) {
          const proposal = { callingAe: "LEADGLASS", calledAe: title, contexts };
          const to = await openAssociation(dial({ host: "127.0.0.1", port }), proposal, { clock: systemClock });
          const store = async (instance: StoreInstance) => {
            const outcome = await to.store(instance);
            answered.push(outcome.status);
            return outcome;
          };
          return { ...to, store };
        },
      };
    },
  };
  const service = listed(found);
  const made = serving({
    finds: new Map([[studyFind, service]]),
    retrieves: new Map([
      [studyMove, retrieves],
      [studyGet, retrieves],
    ]),
  });
  const listener = await made.door.listen({ host: "127.0.0.1", port: 0 });
  t.after(() => listener.close(100));
  const dcmtk = (program: string, ...args: string[]) =>
    run(program, ["-aet", "CT1", "-aec", "LEADGLASS", ...args, "127.0.0.1", `${listener.port}`]);
  return { ...made, service, answered, port: listener.port, dcmtk };
}

async function storescp(t: TestContext, ...args: string[]) {
  const received = folderFor(t);
  const port = await freePort();
  await startPeer(t, port, "storescp", "-od", received, ...args, `${port}`);
  return { port, received };
}

const patients = (count: number): KeywordDataSet[] =>
  Array.from({ length: count }, (_, i) => ({
    PatientName: `Müller^${i}`,
    PatientID: `P${i}`,
    StudyInstanceUID: `1.2.${i}`,
  }));
const keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", "PatientName=M*", "-k", "PatientID", "-k", "StudyInstanceUID"];

test("findscu: matches in every transfer syntax it proposes and in its character set; a cancel; an abort", {
  skip: needsDcmtk,
}, async (t) => {
  const { dcmtk, service, door } = await archive(t, { found: patients(50) });
  for (const flag of ["-x=", "-xe", "-xb", "-xi", "-xd"]) {
    const { code, output } = await dcmtk("findscu", "-v", "-S", flag, ...keys, "-k", "SpecificCharacterSet=ISO_IR 100");
    assert.equal(code, 0, output);
    assert.equal(output.match(/PatientName/g)?.length, 51, flag);
    assert.match(output, /M\xfcller\^49/, "Latin-1, as asked");
    assert.match(output, /SpecificCharacterSet|ISO_IR 100/);
  }
  const before = service.state.taken;
  const cancelled = await dcmtk("findscu", "-v", "-S", "--cancel", "3", ...keys);
  assert.equal(cancelled.code, 0, cancelled.output);
  assert.ok(service.state.taken - before <= 50);
  const aborted = await dcmtk("findscu", "-S", "--abort", ...keys);
  assert.equal(aborted.code, 0, aborted.output);
  const other = await dcmtk("findscu", "-P", ...keys);
  assert.match(other.output, /No (Acceptable )?Presentation Context/i);
  for (let i = 0; i < 100 && door.associations().length > 0; i++) await systemClock.sleep(10);
  assert.deepEqual(door.associations(), []);
});

test("movescu: receives itself what it asks for; counts; an unknown destination; a cancel", {
  skip: needsDcmtk || needsData,
}, async (t) => {
  const instances = samples();
  const received = folderFor(t);
  const port = await freePort();
  const { dcmtk } = await archive(t, { instances, ports: { MOVESCU: port } });
  const request = ["-v", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.3"];
  const moved = await dcmtk("movescu", ...request, "+xa", "-aem", "MOVESCU", "+P", `${port}`, "-od", received);
  assert.equal(moved.code, 0, moved.output);
  assert.match(moved.output, /Received Final Move Response \(Success\)/);
  assert.equal(readdirSync(received).length, instances.length);
  for (const name of readdirSync(received)) {
    assert.equal(
      readFile(readFileSync(join(received, name)))
        .dataSet.text(Tag.SOPInstanceUID)
        ?.startsWith("2.25."),
      true,
    );
  }
  const nobody = await dcmtk("movescu", ...request, "-aem", "NOBODY");
  assert.match(nobody.output, /MoveDestinationUnknown|Move Destination unknown/i);
  const cancelled = await dcmtk(
    "movescu",
    ...request,
    "--cancel",
    "1",
    "-aem",
    "MOVESCU",
    "+P",
    `${port}`,
    "-od",
    received,
  );
  assert.match(cancelled.output, /Final Move Response \((Cancel|Success)/);
});

test("storescp as destination: what it does not take as stored comes in another syntax; refusing and aborting", {
  skip: needsDcmtk || needsData,
}, async (t) => {
  const instances = samples();
  const plain = await storescp(t, "+xi"); // implicit VR only
  const refusing = await storescp(t, "+xa", "--refuse");
  const aborting = await storescp(t, "+xa", "--abort-during");
  const { dcmtk } = await archive(t, {
    instances,
    ports: { PLAIN: plain.port, REFUSING: refusing.port, ABORTING: aborting.port },
  });
  const to = (title: string) =>
    dcmtk("movescu", "-v", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.3", "-aem", title);
  const moved = await to("PLAIN");
  assert.match(moved.output, /SubOperations(Complete|Failed).*OneOrMoreFailures|Warning/i, moved.output);
  const uncompressed = instances.filter(({ offeredSyntaxUids }) => offeredSyntaxUids.includes(implicit));
  assert.equal(readdirSync(plain.received).length, uncompressed.length);
  for (const name of readdirSync(plain.received)) {
    assert.equal(readFile(readFileSync(join(plain.received, name))).transferSyntaxUid, implicit);
  }
  for (const title of ["REFUSING", "ABORTING"]) {
    const failed = await to(title);
    assert.match(failed.output, /OutOfResources/, failed.output);
  }
});

test("getscu: brings what its contexts hold, in its order of transfer syntaxes; a cancel; an abort", {
  skip: needsDcmtk || needsData,
}, async (t) => {
  const instances = samples();
  const { dcmtk, door } = await archive(t, { instances });
  const request = ["-v", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.3"];
  for (const [flag, syntax] of [
    ["+xe", explicit],
    ["+xb", bigEndian],
    ["+xs", "1.2.840.10008.1.2.4.70"],
  ] as const) {
    const received = folderFor(t);
    const got = await dcmtk("getscu", ...request, flag, "+B", "-od", received);
    const names = readdirSync(received);
    assert.ok(names.length > 0, got.output);
    for (const name of names) assert.equal(readFile(readFileSync(join(received, name))).transferSyntaxUid, syntax);
    const had = instances.filter(({ offeredSyntaxUids }) => offeredSyntaxUids.includes(syntax)).length;
    assert.equal(names.length, had, got.output);
  }
  await dcmtk("getscu", ...request, "--cancel", "1", "-od", folderFor(t));
  await dcmtk("getscu", ...request, "--abort", "-od", folderFor(t));
  for (let i = 0; i < 100 && door.associations().length > 0; i++) await systemClock.sleep(10);
  assert.deepEqual(door.associations(), []);
});

test("gdcmscu: echoes, finds and moves", { skip: needsGdcm || needsData }, async (t) => {
  // Of several contexts of one SOP class gdcmscu reads all in the syntax of one: it is offered the stored one alone.
  const instances = samples()
    .filter(({ transferSyntaxUid }) => transferSyntaxUid === implicit)
    .map((instance) => ({ ...instance, offeredSyntaxUids: [implicit] }));
  const own = await freePort();
  const { port, service, events, answered } = await archive(t, { found: patients(3), instances, ports: { GDCM: own } });
  // Debian's gdcmscu 3.0.21 stops with an exception after every release, of storescp too: what it asked for and got is seen here.
  const gdcm = (...args: string[]) =>
    run("gdcmscu", ["--aetitle", "GDCM", "--call", "LEADGLASS", ...args, "127.0.0.1", `${port}`]);
  await gdcm("--echo");
  await gdcm("--find", "--studyroot", "--study", "--key", "10,10=M*", "--key", "10,20=", "--key", "20,d=");
  assert.deepEqual([service.asked[0]?.identifier.text(Tag.PatientName), service.state.taken], ["M*", 3]);
  await gdcm(
    "--move",
    "--studyroot",
    "--study",
    "--key",
    "20,d=1.2.3",
    "--port-scp",
    `${own}`,
    "--output",
    folderFor(t),
  );
  assert.deepEqual(answered, [0]);
  const closed = events.flatMap((event) => (event.kind === "closed" ? [[event.how, event.echoes]] : []));
  assert.deepEqual(closed, [
    ["released", 1],
    ["released", 0],
    ["released", 0],
  ]);
});

test("our own requests: dcmqrscp is asked, sends to a third and to us, and is told to stop", {
  skip: needsDcmtk || needsData,
}, async (t) => {
  const station = doorWith({ aeTitle: "STATION" });
  const scp = await station.door.listen({ host: "127.0.0.1", port: 0 });
  t.after(() => scp.close(100));
  const home = folderFor(t);
  const port = await freePort();
  const hosts = `HostTable BEGIN\nstation = (STATION, localhost, ${scp.port})\nHostTable END\nVendorTable BEGIN\nVendorTable END\n`;
  const own = `AETable BEGIN\nPEER ${home} RW (10, 100mb) ANY\nAETable END\n`;
  const configuration = join(home, "dcmqrscp.cfg");
  writeFileSync(configuration, `NetworkTCPPort = ${port}\nMaxPDUSize = 16384\nMaxAssociations = 8\n${hosts}${own}`);
  await startPeer(t, port, "dcmqrscp", "-c", configuration, `${port}`);

  const instances = samples().filter(({ offeredSyntaxUids }) => offeredSyntaxUids.includes(explicit));
  const sopClasses = [...new Set(instances.map(({ sopClassUid }) => sopClassUid))];
  const peer = await openAssociation(
    dial({ host: "127.0.0.1", port }),
    {
      callingAe: "LEADGLASS",
      calledAe: "PEER",
      contexts: [
        ...[studyFind, studyMove, studyGet].map((sopClassUid) => ({ sopClassUid, transferSyntaxUids: [explicit] })),
        ...sopClasses.map((sopClassUid) => ({ sopClassUid, transferSyntaxUids: [explicit], role: "both" as const })),
      ],
    },
    { clock: systemClock },
  );
  for (const instance of instances) assert.equal((await peer.store(await instance.open([explicit]))).status, 0);
  const wanted = elementsOf({ QueryRetrieveLevel: "STUDY", StudyInstanceUID: "", PatientName: "" });
  const studies = (await all(peer.find(studyFind, wanted))).map((study) => study.text(Tag.StudyInstanceUID) ?? "");
  assert.equal(studies.length, 2);
  const taken = doorWith();
  for (const study of studies) {
    const identifier = elementsOf({ QueryRetrieveLevel: "STUDY", StudyInstanceUID: study });
    assert.equal((await peer.get(studyGet, identifier, taken.store)).status, 0);
    assert.equal((await peer.move(studyMove, identifier, "STATION")).status, 0);
  }
  assert.equal(taken.kept.length, instances.length);
  assert.equal(station.kept.length, instances.length);
  for await (const _ of peer.find(studyFind, wanted)) break;
  await peer.release();
});
