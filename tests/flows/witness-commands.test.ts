import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { hash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freePort, has, newHome, type RunningHouse, root, startHouse } from "../house/index.ts";

let folder: string;
let port: number;
let house: RunningHouse;
let logKey: string;
let witnessKey: string;
let witness: ChildProcess | undefined;

const command = [join(root, "apps", "cli", "main.ts")];

/** A `leadglass` command without a home. */
function leadglass(...words: string[]) {
  const done = spawnSync(process.execPath, [...command, ...words], {
    env: { ...process.env, LEADGLASS_HOME: "/nonexistent" },
  });
  return { status: done.status, stdout: done.stdout.toString().trim(), stderr: done.stderr.toString() };
}

async function startWitness(...more: string[]): Promise<ChildProcess> {
  const words = ["witness", "run", folder, "--log", logKey, "--listen", `127.0.0.1:${port}`, ...more];
  const child = spawn(process.execPath, [...command, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`the witness ended with ${code}`)));
  });
  return child;
}

async function stopWitness(signal: NodeJS.Signals): Promise<void> {
  if (witness === undefined) return;
  const ended = new Promise((resolve) => witness?.once("exit", resolve));
  witness.kill(signal);
  await ended;
  witness = undefined;
}

function ask(body: string, path = "/add-checkpoint"): Promise<{ status: number; type: string; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, method: "POST" }, (answer) => {
      let text = "";
      answer.on("data", (piece: Buffer) => (text += piece.toString()));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, type: String(answer.headers["content-type"]), text }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const statusOf = () =>
  (
    JSON.parse(house.command(["status", "--json"])) as {
      audit: { witnesses: { name: string; state: string; why?: string; signedEntries: number }[] };
    }
  ).audit.witnesses;

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  assert.ok(holds());
}

before(async () => {
  folder = join(newHome(), "witness");
  port = await freePort();
  witnessKey = leadglass("witness", "init", folder, "--name", "auditor.test/1").stdout;
  const home = newHome();
  mkdirSync(home, { recursive: true });
  const setting = { url: `http://127.0.0.1:${port}/`, key: witnessKey };
  writeFileSync(join(home, "leadglass.json"), JSON.stringify({ witnesses: [setting] }));
  house = await startHouse({ home });
  house.command(["audit", "export", join(home, "first")]);
  logKey = readFileSync(join(home, "first", "verifier.key"), "utf8").trim();
});
after(async () => {
  await stopWitness("SIGKILL");
  await house.remove();
});

const exported = (name: string) => {
  house.command(["audit", "export", join(house.home, name)]);
  return join(house.home, name);
};

test("a witness that is away holds nothing up: the log is signed without it, status says so, and an auditor is told", async () => {
  assert.deepEqual(
    statusOf().map(({ name, state }) => [name, state]),
    [["auditor.test/1", "away"]],
  );
  const { status, stdout } = leadglass("audit", "verify", exported("away"), "--witness", witnessKey);
  assert.equal(status, 1);
  assert.match(stdout, /the newest checkpoint is not signed by the witness auditor\.test\/1; entry 0 is/);
  assert.equal(leadglass("audit", "verify", exported("without")).status, 0);
});

test("with the witness there, an export proves by its key too, and so does the second verifier", async (t) => {
  witness = await startWitness();
  const signed = exported("signed");
  const { status, stdout } = leadglass("audit", "verify", signed, "--witness", witnessKey);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /which auditor\.test\/1 signed too$/);
  assert.equal(statusOf()[0]?.why, undefined);
  if (!has("python3")) return t.skip("needs python3: apt install python3");
  const second = spawnSync("python3", [join(root, "tools", "verify_log.py"), signed, "--witness", witnessKey]);
  assert.equal(second.status, 0, second.stdout.toString());
  assert.match(second.stdout.toString(), /signed by auditor\.test\/1 too/);
});

test("the witness signs again after kill -9 and a new start, from where it was", async () => {
  await stopWitness("SIGKILL");
  exported("between");
  witness = await startWitness();
  const { status } = leadglass("audit", "verify", exported("again"), "--witness", witnessKey);
  assert.equal(status, 0);
});

test("a second process is not this witness beside the first, and a witness is not made anew", () => {
  const twice = leadglass("witness", "run", folder, "--log", logKey, "--listen", "127.0.0.1:0");
  assert.deepEqual([twice.status, /another process is this witness/.test(twice.stderr)], [1, true]);
  assert.equal(leadglass("witness", "init", folder).status, 1);
});

test("a witness without TLS does not listen beyond this machine, and needs a log's key", () => {
  const open = leadglass("witness", "run", folder, "--log", logKey, "--listen", "0.0.0.0:0");
  assert.deepEqual([open.status, /without TLS/.test(open.stderr)], [2, true]);
  const other = join(house.home, "other-witness");
  leadglass("witness", "init", other);
  assert.equal(leadglass("witness", "run", other).status, 2);
  assert.equal(leadglass("witness", "run", other, "--log", witnessKey, "--listen", "127.0.0.1:0").status, 2);
});

test("requests that are none are answered and end nothing", async () => {
  assert.equal((await ask("nonsense")).status, 400);
  assert.equal((await ask("x".repeat(100_000))).status, 413);
  assert.equal((await ask("old 0\n\nother.test\n0\n\n\n— other.test AAAAAAAA\n")).status, 404);
  assert.equal((await ask("old 0\n\n", "/other")).status, 404);
});

test("a log that was rolled back is refused and raises an alarm, in status and in the log of the server", async () => {
  const older = join(house.home, "older");
  await house.stop();
  cpSync(join(house.home, "audit"), older, { recursive: true });
  house = await startHouse({ home: house.home });
  assert.equal(leadglass("audit", "verify", exported("grown"), "--witness", witnessKey).status, 0);
  await house.stop();
  spawnSync("rm", ["-r", join(house.home, "audit")]);
  cpSync(older, join(house.home, "audit"), { recursive: true });
  house = await startHouse({ home: house.home });
  await until(() => statusOf()[0]?.state === "refuses");
  assert.match(house.command(["status"]), /witness auditor\.test\/1: ALARM, it signed/);
  await until(() => /"level":"error","what":"ALARM: a witness knows another tree than this log"/.test(house.output()));
  assert.equal(leadglass("audit", "verify", exported("rolled-back"), "--witness", witnessKey).status, 1);
});

test("one entry with its proof is proven without the rest of the log", () => {
  const out = join(house.home, "entry.json");
  house.command(["audit", "prove", "0", "--out", out]);
  const { status, stdout } = leadglass("audit", "verify", out);
  assert.equal(status, 0);
  assert.match(stdout, /^\{"at":.*\}\nentry 0, proven by the log as signed/s);
  assert.equal(leadglass("audit", "verify", out, "--witness", witnessKey).status, 1);
  const changed = readFileSync(out, "utf8").replace('\\"act\\":\\"', '\\"act\\":\\"x');
  writeFileSync(out, changed);
  assert.equal(leadglass("audit", "verify", out).status, 1);
  writeFileSync(out, "{}");
  assert.equal(leadglass("audit", "verify", out).status, 2);
  assert.equal(house.tryCommand(["audit", "prove", "999999"]).status, 1);
});

test("tiles and bundles are those of the log, whole and in part, and no path leads to another", async () => {
  const get = (path: string) =>
    new Promise<{ status: number; bytes: Buffer }>((resolve, reject) => {
      request(
        { socketPath: join(house.home, "control.sock"), path: `/api/audit/${path}`, headers: { host: "localhost" } },
        (answer) => {
          const pieces: Buffer[] = [];
          answer.on("data", (piece: Buffer) => pieces.push(piece));
          answer.on("end", () => resolve({ status: answer.statusCode ?? 0, bytes: Buffer.concat(pieces) }));
        },
      )
        .on("error", reject)
        .end();
    });
  const checkpoint = (await get("checkpoint")).bytes.toString();
  const size = Number(checkpoint.split("\n")[1]);
  const width = size % 256;
  assert.ok(size > 10 && size < 256, String(size));
  const bundle = await get(`tile/entries/000.p/${width}`);
  const tile = await get(`tile/0/000.p/${width}`);
  assert.deepEqual([bundle.status, tile.status, tile.bytes.length], [200, 200, width * 32]);
  let at = 0;
  for (let i = 0; i < width; i++) {
    const length = bundle.bytes.readUInt16BE(at);
    const leaf = hash(
      "sha256",
      Buffer.concat([Buffer.of(0), bundle.bytes.subarray(at + 2, at + 2 + length)]),
      "buffer",
    );
    assert.ok(leaf.equals(tile.bytes.subarray(i * 32, i * 32 + 32)), `entry ${i}`);
    at += 2 + length;
  }
  assert.equal(at, bundle.bytes.length);
  const none = [
    "0/000",
    `0/000.p/${size + 9}`,
    "1/000.p/1",
    "0/001.p/1",
    "63/000.p/1",
    "0/0.p/1",
    "0/x000/000.p/1",
    "64/000.p/1",
  ];
  for (const path of [...none, "00/000.p/1", "0/000.p/0", "0/000.p/256", "0/000.p/01", "entries/000", "data/000.p/1"]) {
    assert.equal((await get(`tile/${path}`)).status, 404, path);
  }
});
