import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { constants, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { has, type RunningHouse, startHouse } from "../house/index.ts";
import { asOperator, retrieve, type Slice, sha256, storeAll, stow } from "./modality.fixture.ts";
import {
  type Canaries,
  type Canary,
  createCanaries,
  type Encoding,
  encodings,
} from "./nothing-in-the-clear-canaries.fixture.ts";
import {
  documents,
  fullInstance,
  imageOf,
  namedAbroad,
  newPatient,
  writtenOtherwise,
} from "./nothing-in-the-clear-instances.fixture.ts";
import { createSearch, type Search, type Wanted, wantedOf } from "./nothing-in-the-clear-search.fixture.ts";
import {
  askAmiss,
  correctAll,
  everythingOf,
  importDisc,
  searchFor,
  sendAll,
  storeAmiss,
  view,
} from "./nothing-in-the-clear-ways.fixture.ts";

/** A folder of its own for each thing that a process could write to. */
function newFolders() {
  const root = mkdtempSync(join(tmpdir(), "lg-canaries-"));
  const folder = (name: string) => {
    mkdirSync(join(root, name));
    return join(root, name);
  };
  return {
    ...{ root, home: folder("home"), temporary: folder("tmp"), working: folder("cwd"), code: folder("code") },
    ...{ files: folder("files"), exported: join(root, "exported"), backup: folder("backup") },
  };
}

type Folders = ReturnType<typeof newFolders>;

const startIn = ({ home, temporary, working, code }: Folders): Promise<RunningHouse> =>
  startHouse({ home, cwd: working, environment: { TMPDIR: temporary, NODE_COMPILE_CACHE: code } });

function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}

/** All that was written, and of a running process what it holds open, deleted or not, and what others see of it. */
function searchAll(search: Search, folders: Folders, pid?: number): { found: string[]; bytes: number; files: number } {
  const { home, temporary, working, exported, backup } = folders;
  const found: string[] = [];
  let bytes = 0;
  let files = 0;
  const look = (path: string, content: Buffer) => {
    files++;
    bytes += content.length;
    for (const name of search.in(content)) found.push(`${path.replace(folders.root, "")}: ${name}`);
  };
  for (const path of [home, temporary, working, exported, backup].flatMap(filesUnder)) look(path, readFileSync(path));
  if (pid !== undefined) {
    for (const name of ["cmdline", "environ"]) look(`/proc/${name}`, readFileSync(`/proc/${pid}/${name}`));
    for (const fd of readdirSync(`/proc/${pid}/fd`)) look(`/proc/fd/${fd}`, readOpen(`/proc/${pid}/fd/${fd}`));
  }
  return { found, bytes, files };
}

/** What is behind a descriptor, when it is a file. */
function readOpen(path: string): Buffer {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return Buffer.alloc(0);
  const file = openSync(path, "r");
  try {
    const content = Buffer.alloc(fstatSync(file).size);
    readSync(file, content, 0, content.length, 0);
    return content;
  } finally {
    closeSync(file);
  }
}

/** A data set that came deflated: pieces of what was sent. */
function piecesOf(slices: readonly Slice[]): Wanted[] {
  return slices.map(({ dataSet, transferSyntaxUid }) => ({
    name: `bytes as sent in ${transferSyntaxUid}`,
    forms: Array.from({ length: Math.floor((dataSet.length - 64) / 64) }, (_, at) =>
      dataSet.subarray(at * 64, at * 64 + 24),
    ),
  }));
}

/** What is sent: by patients with names of their own, one of them with everything that identifies. */
function sentBy(canaries: Canaries) {
  const patients = [newPatient(canaries), newPatient(canaries), newPatient(canaries)] as const;
  const images = patients.map((patient) => imageOf(canaries, patient));
  const [first] = images as [Slice];
  const full = fullInstance(canaries);
  const otherwise = writtenOtherwise(canaries);
  return {
    ...{ patients, images, first, full, otherwise },
    all: [full, ...images, ...namedAbroad(canaries), ...otherwise, ...documents(canaries)],
    conflicting: imageOf(canaries, patients[0], { identity: first }),
    ofNoModality: imageOf(canaries, newPatient(canaries), { more: { Modality: canaries.code("modality") } }),
  };
}

/** C-STORE, STOW, import, search, view, correct, and what goes wrong on the way; what was printed. */
async function takeThrough(house: RunningHouse, canaries: Canaries, sent: ReturnType<typeof sentBy>, files: string) {
  const { patients, first, full, otherwise } = sent;
  house.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
  await sendAll(house, sent.all, files, has("storescu"));
  await storeAll(house, [sent.conflicting, sent.ofNoModality]);
  const printed = [importDisc(house, canaries, sent.images, join(files, "disc"))];
  const page = await searchFor(house, patients[0]);
  assert.equal(page.studies.length, 1);
  const seen = [await view(house, first, page.studies[0]?.token ?? ""), await view(house, full, "none")].flat();
  assert.ok(seen.filter((status) => status === 200).length > 30, String(seen));
  await askAmiss(house, canaries);
  const amiss = await storeAmiss(house, canaries, first);
  assert.deepEqual(
    amiss.filter((status) => status < 0xa000),
    [],
  );
  for (const slice of [full, ...otherwise]) assert.equal(sha256(await retrieve(house, slice)), slice.sha256);
  printed.push(...correctAll(house, canaries, patients));
  assert.equal((await searchFor(house, patients[1])).studies.length, 0);
  // The metadata of series that rest is kept.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  return printed;
}

/** What an operator does in a year; what was printed. */
async function operate(house: RunningHouse, { backup, exported }: Folders): Promise<string[]> {
  const commands = [
    ["status"],
    ["device", "list"],
    ["vault", "check"],
    ["vault", "rebuild"],
    ["vault", "rotate", "--level", "tenant"],
    ["vault", "backup", backup, "--verify"],
    ["audit", "export", exported],
  ];
  const printed = commands.map((words) => {
    const done = house.tryCommand(words);
    assert.equal(done.status, 0, done.stderr);
    return everythingOf(done);
  });
  return [...printed, JSON.stringify(await asOperator(house, "/api/audit?from=0&to=500"))];
}

test("a thousand canaries in eight encodings go through everything, and nothing that was written has one of them", async (t) => {
  const folders = newFolders();
  const canaries = createCanaries("through everything");
  const sent = sentBy(canaries);
  let house = await startIn(folders);
  try {
    const printed = await takeThrough(house, canaries, sent, folders.files);
    const lost = Array.from({ length: 40 }, () => imageOf(canaries, newPatient(canaries)));
    assert.ok(canaries.all.length >= 1_000, `only ${canaries.all.length} canaries`);
    const search = createSearch([...wantedOf(canaries.all), ...piecesOf(sent.otherwise)]);
    assert.ok(sent.all.every(({ dataSet }) => search.in(Buffer.from(dataSet)).length > 0));
    const running = searchAll(search, folders, house.pid);
    assert.deepEqual(running.found, []);

    const sending = storeAll(house, lost).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 100));
    await house.stop("SIGKILL");
    await sending;
    assert.deepEqual(searchAll(search, folders).found, []);
    printed.push(house.output());

    house = await startIn(folders);
    assert.equal((await stow(house, [sent.conflicting])).status, 200);
    printed.push(...(await operate(house, folders)));
    await searchFor(house, sent.patients[0]);
    assert.deepEqual(searchAll(search, folders, house.pid).found, []);
    await house.stop();
    printed.push(house.output());
    const last = searchAll(search, folders);
    assert.deepEqual(last.found, []);
    assert.deepEqual(search.in(Buffer.from(printed.join("\n"))), []);
    const written = [folders.working, folders.temporary, folders.home].flatMap(filesUnder);
    const dumps = written.filter((path) => /^core(\.|$)|heapsnapshot|^report\./.test(basename(path)));
    assert.deepEqual(dumps, []);
    const figures = [canaries.all.length, running.files, running.bytes, last.files, last.bytes];
    t.diagnostic(`canaries, files and bytes while it ran, files and bytes at the end: ${figures.join(", ")}`);
  } finally {
    await house.stop("SIGKILL");
    rmSync(folders.root, { recursive: true, force: true });
  }
});

/** A number below `below` that a text stands for: where a canary is planted, and how. */
const numberOf = (text: string, below: number) => createHash("sha256").update(text).digest().readUInt32BE(0) % below;

/** One canary as a careless program might write it. */
function planted({ text }: Canary, encoding: Encoding): Buffer {
  const at = numberOf(text, 12);
  const spelling = [text, text.toLowerCase(), text.toUpperCase()][at % 3] ?? text;
  const around = `${"~".repeat(at)}${spelling}${"!".repeat(at % 5)}`;
  switch (encoding) {
    case "utf-8":
      return Buffer.from(around);
    case "utf-16":
      return at % 2 === 0 ? Buffer.from(around, "utf16le") : Buffer.from(around, "utf16le").swap16();
    case "latin-1":
      return Buffer.from(around, "latin1");
    case "base64":
      return Buffer.from(Buffer.from(around).toString(at % 2 === 0 ? "base64" : "base64url"));
    case "hex":
      return Buffer.from(
        at % 2 === 0 ? Buffer.from(around).toString("hex") : Buffer.from(around).toString("hex").toUpperCase(),
      );
    case "json":
      return Buffer.from(
        JSON.stringify({ [`x${at}`]: around }).replace(
          /[\u0080-\uffff]/g,
          (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
        ),
      );
    case "url":
      return Buffer.from(
        at % 2 === 0 ? `https://h/?a=1&n=${encodeURIComponent(around)}` : new URLSearchParams({ n: around }).toString(),
      );
    case "deflated":
      return [
        gzipSync(`{"names":["${around}","${around}"],"list":"${"lorem ipsum dolor ".repeat(at)}"}`),
        deflateSync(around.repeat(2)),
        deflateRawSync(spelling, { strategy: at % 3 === 0 ? constants.Z_FIXED : constants.Z_DEFAULT_STRATEGY }),
        gzipSync(Buffer.from(JSON.stringify({ around })), { level: 0 }),
      ][at % 4] as Buffer;
  }
}

test("the search finds each canary in each encoding, in a file of its own, and nothing in files without", () => {
  const canaries = createCanaries("planted");
  fullInstance(canaries);
  const named = namedAbroad(canaries);
  while (canaries.all.length < 1_000) newPatient(canaries, canaries.latinName());
  const folder = mkdtempSync(join(tmpdir(), "lg-planted-"));
  try {
    const wanted = canaries.all.slice(0, 1_000);
    const search = createSearch(wantedOf(wanted));
    const missed: string[] = [];
    for (const [at, canary] of wanted.entries()) {
      for (const encoding of encodings) {
        if (encoding === "latin-1" && !/^[\0-\u00ff]*$/.test(canary.text)) continue;
        const path = join(folder, `${at} ${encoding}`);
        const noise = createHash("sha512").update(path).digest();
        writeFileSync(path, Buffer.concat([noise, planted(canary, encoding), noise]));
        const found = search.in(readFileSync(path));
        if (!found.some((name) => name.includes(canary.text))) missed.push(`${canary.text} (${encoding})`);
      }
    }
    assert.deepEqual(missed, []);
    assert.ok(named.length > 0);
    const others = createCanaries("others");
    while (others.all.length < 1_000) newPatient(others);
    assert.deepEqual(search.in(Buffer.from(others.all.map(({ text }) => text.replace(/^\d+$/, "")).join(" "))), []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
