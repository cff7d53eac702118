import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { DicomJson } from "#formats/dicom";
import { dataFolder, has, type RunningHouse, startHouse } from "../house/index.ts";
import { asKept, imageFile, multipartBody, partsOf, sopUidOf, studyUidOf } from "./dicomweb-files.fixture.ts";

let house: RunningHouse;

before(async () => {
  house = await startHouse();
});
after(() => house.remove());

const samples = join(dataFolder, "dicom");
const asStored = 'multipart/related; type="application/dicom"; transfer-syntax=*';

const store = (payload: Buffer, type = "application/dicom"): Promise<Response> =>
  house.fetch("/dicom-web/studies", {
    method: "POST",
    headers: { "content-type": type },
    body: new Uint8Array(payload),
  });

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

test("no resource answers a caller without a token", async () => {
  const study = `/studies/${studyUidOf(1)}`;
  const instance = `${study}/series/${studyUidOf(1)}.1/instances/${sopUidOf(1, 1, 1)}`;
  const paths = ["/studies", "/series", "/instances", study, `${study}/metadata`, `${study}/thumbnail`, instance];
  for (const path of [...paths, `${instance}/frames/1`, `${instance}/rendered`, `${instance}/bulkdata/7FE00010`]) {
    for (const method of ["GET", "HEAD", "OPTIONS", "POST"]) {
      const answer = await house.fetch(`/dicom-web${path}`, { method, anonymous: true });
      assert.equal(answer.status, method === "POST" && path !== "/studies" && path !== study ? answer.status : 401);
      assert.ok([401, 404].includes(answer.status), `${method} ${path}: ${answer.status}`);
      await answer.arrayBuffer();
    }
  }
});

test("addresses that clients of other archives know lead to the same answers, and ask for the same token", async () => {
  const [study, series, sop] = [studyUidOf(5), `${studyUidOf(5)}.1`, sopUidOf(5, 1, 1)];
  assert.equal((await store(imageFile({ study: 5 }))).status, 200);
  const uri = `wado?requestType=WADO&studyUID=${study}&seriesUID=${series}&objectUID=${sop}`;
  const whole = ["/dicom-web/", "/dicomweb/", "/aets/LEADGLASS/rs/"].map((root) => `${root}studies/${study}/metadata`);
  const pictures = [`/dicom-web/${uri}`, `/${uri}`, `/aets/LEADGLASS/${uri}`];
  for (const paths of [whole, pictures]) {
    const answers = await Promise.all(paths.map((path) => house.fetch(path)));
    const [first, ...more] = await Promise.all(answers.map(bytesOf));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.ok(first && more.every((each) => each.equals(first)));
    for (const path of paths) assert.equal((await house.fetch(path, { anonymous: true })).status, 401, path);
  }
  assert.equal((await house.fetch(`/aets/OTHER/rs/studies/${study}/metadata`)).status, 404);
});

/** What is not stored, and why: nobody could ask for it again. */
const refusedFor =
  /(Study|Series|SOP) (Instance|Class) UID (is missing|is not a UID)|no Study Instance UID|a group that no data set may hold/;

test("every sample that is not malformed comes back bit for bit", { timeout: 180_000 }, async (t) => {
  if (!existsSync(samples)) return t.skip("needs the sample data: set LEADGLASS_DATA");
  const files = readdirSync(samples, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(md|txt|json|tsv|mpeg)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes("/malformed/"))
    .sort();
  /** Of a UID that several files share with other bytes, one is served and the others are kept. */
  const expected = new Map<string, Set<string>>();
  const refused: string[] = [];
  let other = 0;
  for (let from = 0; from < files.length; from += 40) {
    const batch = files.slice(from, from + 40).map((file) => readFileSync(file));
    const answer = await store(multipartBody(batch), 'multipart/related; type="application/dicom"; boundary=next');
    const json = (await answer.json()) as DicomJson;
    const failed = (json["00081198"]?.Value ?? []) as DicomJson[];
    for (const item of failed) refused.push(String(item["00000902"]?.Value?.[0] ?? "no reason"));
    const stored = (json["00081199"]?.Value ?? []) as DicomJson[];
    assert.equal(stored.length + failed.length, batch.length);
    const places = placesOf(batch, stored, failed);
    for (const [at, url] of places) {
      const sent = expected.get(url) ?? new Set();
      if (sent.size > 0) other++;
      expected.set(url, sent.add(digest(asKept(batch[at] ?? Buffer.alloc(0)))));
    }
  }
  for (const reason of refused) assert.match(reason, refusedFor);
  for (const [url, sent] of expected) {
    const answer = await house.fetch(new URL(url).pathname, {
      headers: { accept: "application/dicom;transfer-syntax=*" },
    });
    assert.ok(sent.has(digest(await bytesOf(answer))), url);
  }
  t.diagnostic(
    `${expected.size} came back; ${other} are held behind another of the same UID; ${refused.length} refused`,
  );
  assert.ok(expected.size > 500);
});

/** Which part of a batch each stored item is: those that failed are found by trying, since order is all there is. */
function placesOf(
  batch: readonly Buffer[],
  stored: readonly DicomJson[],
  failed: readonly DicomJson[],
): [number, string][] {
  const url = (item: DicomJson) => String(item["00081190"]?.Value?.[0]);
  if (failed.length === 0) return stored.map((item, at) => [at, url(item)]);
  const left = [...stored];
  return batch.flatMap((bytes, at) => {
    const sopUid = String(left[0]?.["00081155"]?.Value?.[0]);
    if (left.length === 0 || !bytes.includes(sopUid, 0, "latin1")) return [];
    const item = left.shift();
    return item === undefined ? [] : [[at, url(item)] as [number, string]];
  });
}

function digest(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

test("a study of several series comes as one multipart answer", async () => {
  const files = [1, 2, 3].flatMap((series) => [1, 2].map((sop) => imageFile({ study: 7, series, sop })));
  assert.equal(
    (await store(multipartBody(files), "multipart/related; type=application/dicom; boundary=next")).status,
    200,
  );
  const answer = await house.fetch(`/dicom-web/studies/${studyUidOf(7)}`, { headers: { accept: asStored } });
  const parts = partsOf(answer.headers.get("content-type") ?? "", await bytesOf(answer));
  assert.deepEqual(new Set(parts.map(({ body }) => digest(body))), new Set(files.map(digest)));
  const [study] = (await (
    await house.fetch(`/dicom-web/studies?StudyInstanceUID=${studyUidOf(7)}`)
  ).json()) as DicomJson[];
  assert.equal(study?.["00081190"]?.Value?.[0], `https://localhost:${house.https}/dicom-web/studies/${studyUidOf(7)}`);
});

/** Resident memory of the server, and the most it ever had, in MiB. */
function memoryMib(): { now: number; most: number } {
  const status = readFileSync(`/proc/${house.pid}/status`, "utf8");
  const mib = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  return { now: mib("VmRSS"), most: mib("VmHWM") };
}

/** Sends one instance of so many bytes as the only part of a multipart body, chunked, as fast as the server takes it. */
async function sendLarge(mib: number, study: number): Promise<{ status: number; most: number; sha256: string }> {
  const columns = 32_768;
  const rows = mib * 16;
  const small = imageFile({ study, rows: 1, columns: 8, values: { Rows: rows, Columns: columns } });
  const head = Buffer.from(small.subarray(0, small.length - 16));
  head.writeUInt32LE(rows * columns * 2, head.length - 4);
  const hash = createHash("sha256").update(head);
  const agent = new Agent({ ca: readFileSync(house.ca) });
  let most = 0;
  const answered = new Promise<number>((resolve, reject) => {
    const sent = request(
      `https://localhost:${house.https}/dicom-web/studies`,
      {
        method: "POST",
        agent,
        headers: {
          authorization: `Bearer ${house.token()}`,
          "content-type": 'multipart/related; type="application/dicom"; boundary=next',
        },
      },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      },
    );
    sent.on("error", reject);
    void (async () => {
      sent.write("--next\r\nContent-Type: application/dicom\r\n\r\n");
      sent.write(head);
      const piece = Buffer.alloc(1024 * 1024);
      for (let at = 0; at < mib; at++) {
        piece.fill(at & 0xff);
        piece.writeUInt32LE(at, 0);
        hash.update(piece);
        if (!sent.write(Buffer.from(piece))) await new Promise((drained) => sent.once("drain", drained));
        if (at % 16 === 0) most = Math.max(most, memoryMib().now);
      }
      sent.end("\r\n--next--\r\n");
    })().catch(reject);
  });
  const status = await answered;
  agent.destroy();
  return { status, most: Math.max(most, memoryMib().now), sha256: hash.digest("hex") };
}

/** Memory while so much comes in, and while it goes out again. */
async function largeInstance(
  mib: number,
  study: number,
  moreMibMax: number,
  t: { diagnostic(text: string): void },
): Promise<void> {
  const before = memoryMib().now;
  const sent = await sendLarge(mib, study);
  assert.equal(sent.status, 200);
  const url = `/dicom-web/studies/${studyUidOf(study)}/series/${studyUidOf(study)}.1/instances/${sopUidOf(study, 1, 1)}`;
  const answer = await house.fetch(url, { headers: { accept: "application/dicom; transfer-syntax=*" } });
  assert.equal(answer.status, 200);
  const hash = createHash("sha256");
  let most = sent.most;
  let pieces = 0;
  for await (const piece of answer.body ?? []) {
    hash.update(piece);
    if (++pieces % 256 === 0) most = Math.max(most, memoryMib().now);
  }
  assert.equal(hash.digest("hex"), sent.sha256);
  const figures = [before, sent.most, most].map((figure) => figure.toFixed(0));
  t.diagnostic(
    `${mib} MiB: ${figures[0]} MiB before, ${figures[1]} MiB at most while it came in, ${figures[2]} in all`,
  );
  assert.ok(most - before < moreMibMax, `${(most - before).toFixed(0)} MiB more memory for an upload of ${mib} MiB`);
}

test("an instance of 300 MiB goes in and out in little memory", { timeout: 120_000 }, async (t) => {
  if (!existsSync(`/proc/${house.pid}/status`)) return t.skip("needs /proc to see the server's memory");
  await largeInstance(300, 301, 80, t);
});

test("an instance of 2 GiB goes in and out in little memory", { timeout: 600_000 }, async (t) => {
  if (process.env.LEADGLASS_LONG !== "1") return t.skip("takes long: set LEADGLASS_LONG=1");
  await largeInstance(2_047, 302, 80, t);
});

test("curl and DCMTK read what is served", async (t) => {
  if (!has("curl") || !has("dcmdump")) return t.skip("needs curl and dcmtk: apt install curl dcmtk");
  const file = imageFile({ study: 9 });
  assert.equal((await store(file)).status, 200);
  const url = `https://localhost:${house.https}/dicom-web/studies/${studyUidOf(9)}/series/${studyUidOf(9)}.1/instances/${sopUidOf(9, 1, 1)}`;
  const out = join(house.home, "curl.dcm");
  const words = ["-sS", "--cacert", house.ca, "-H", `Authorization: Bearer ${house.token()}`];
  const got = spawnSync("curl", [...words, "-H", "Accept: application/dicom; transfer-syntax=*", "-o", out, url]);
  assert.equal(got.status, 0, got.stderr.toString());
  assert.ok(readFileSync(out).equals(file));
  const dump = spawnSync("dcmdump", ["+P", "PatientID", out]).stdout.toString();
  assert.match(dump, /\[P9\]/);
});
