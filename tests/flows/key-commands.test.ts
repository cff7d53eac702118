import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Secret, TOTP } from "otpauth";
import type { ConfirmationView, NewAccount, RecoverySharesView, RootView, RotationView } from "#formats/api";
import { accessKeyId, secretAccessKey } from "../../stores/keys/aws-kms.fixture.ts";
import { softHsm } from "../../stores/keys/softhsm.fixture.ts";
import { newHome, type RunningHouse, root, startHouse } from "../house/index.ts";
import { retrieve, type Slice, sha256, slicesOf, storeAll } from "./modality.fixture.ts";

async function assertHeld(house: RunningHouse, slices: readonly Slice[]): Promise<void> {
  for (const slice of slices) assert.equal(sha256(await retrieve(house, slice)), slice.sha256);
}

/** An administrator with a session and an authenticator. Codes are good once, each later than the one before: there are three. */
async function administrator(house: RunningHouse, name: string) {
  const password = `a long password of ${name}`;
  const words = ["init", "--admin", name, "--password-stdin", "--json"];
  const made = JSON.parse(house.command(words, `${password}\n`)) as NewAccount;
  const totp = new TOTP({ secret: Secret.fromBase32(made.totpSecret) });
  const began = Date.now();
  let step = -1;
  const code = () => totp.generate({ timestamp: began + 30_000 * step++ });
  const post = (path: string, body: object, headers = {}) =>
    house.fetch(path, {
      anonymous: true,
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", "x-leadglass": "1", ...headers },
    });
  const session = await post("/api/session", { name, password, code: code() });
  assert.equal(session.status, 200, await session.clone().text());
  const cookie = session.headers.get("set-cookie")?.split(";")[0] ?? "";
  return {
    async confirm(id: string) {
      const answer = await post(`/api/confirmations/${id}/confirm`, { code: code() }, { cookie });
      assert.equal(answer.status, 200, await answer.clone().text());
    },
  };
}

/** Asks at the console, has somebody confirm, and waits. */
async function together<Result>(
  house: RunningHouse,
  other: { confirm(id: string): Promise<void> },
  words: readonly string[],
): Promise<Result> {
  const { id } = JSON.parse(house.command([...words, "--no-wait", "--json"])) as ConfirmationView;
  await other.confirm(id);
  const waited = house.command(["confirmation", "wait", id, "--json"]);
  return (JSON.parse(waited) as { result: Result }).result;
}

test("keys rotate on a running home, and two administrators change its root; the old passphrase opens it no more", async () => {
  const home = newHome();
  let house = await startHouse({ home });
  try {
    house.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
    const slices = slicesOf({ kind: "mr-brain", slices: 3, size: 64, seed: 71 });
    await storeAll(house, slices);
    const before = readPacks(home);
    const tenant = JSON.parse(house.command(["vault", "rotate", "--level", "tenant", "--json"])) as RotationView;
    assert.deepEqual([tenant.damaged, tenant.isWhole], [0, true]);
    assert.ok(tenant.rewrapped >= 2, "the key of a study and of its patient");
    const study = JSON.parse(house.command(["vault", "rotate", "--level", "study", "--json"])) as RotationView;
    assert.equal(study.rewrapped, tenant.rewrapped);
    await assertHeld(house, slices);
    assert.ok(readPacks(home).subarray(0, before.length).equals(before), "no image was touched");

    await administrator(house, "ada");
    const bob = await administrator(house, "bob");
    const passphraseFile = join(home, "root.passphrase");
    const old = readFileSync(passphraseFile, "utf8");
    const changed = await together<RootView>(house, bob, ["vault", "rotate", "--level", "root"]);
    assert.equal(changed.root, "passphrase");
    assert.ok(changed.next.includes(passphraseFile));
    assert.notEqual(readFileSync(passphraseFile, "utf8"), old);
    assert.equal(statSync(passphraseFile).mode & 0o777, 0o600);
    assert.deepEqual(
      [...readdirSync(home), ...readdirSync(join(home, "keys"))].filter((name) => /part|next|new$/.test(name)),
      [],
    );
    assert.equal(JSON.parse(house.command(["vault", "rotate", "--level", "tenant", "--json"])).isWhole, true);
    await house.stop();
    const renewed = readFileSync(passphraseFile, "utf8");
    writeFileSync(passphraseFile, old);
    const refused = house.tryCommand(["status"]);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /root key does not open/);
    writeFileSync(passphraseFile, renewed);
    house = await startHouse({ home });
    await assertHeld(house, slices);
    assert.match(house.command(["audit", "verify"]), /entries, \d+ of them proven/);
  } finally {
    await house.remove();
  }
});

function readPacks(home: string): Buffer {
  const folder = join(home, "packs");
  const [name = ""] = readdirSync(folder).sort();
  return readFileSync(join(folder, name));
}

test("two shares of the recovery kit open a home whose passphrase is lost, and one does not", async () => {
  const home = newHome();
  let house = await startHouse({ home });
  try {
    house.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
    const slices = slicesOf({ kind: "mr-brain", slices: 2, size: 64, seed: 72 });
    await storeAll(house, slices);
    const alone = house.tryCommand(["vault", "recovery-kit", "--no-wait"]);
    assert.match(alone.stderr, /two administrators/);
    await administrator(house, "ada");
    const bob = await administrator(house, "bob");
    const { shares } = await together<RecoverySharesView>(house, bob, ["vault", "recovery-kit"]);
    assert.equal(shares.length, 3);
    for (const share of shares) assert.ok(!house.output().includes(share.slice(0, 9)), "a share is in the log");
    const [one = "", two = "", three = ""] = shares;
    assert.match(house.tryCommand(["vault", "recover"], `${one}\n${two}\n`).stderr, /has this home open/);
    await house.stop();

    rmSync(join(home, "root.passphrase"));
    assert.match(house.tryCommand(["status"]).stderr, /vault recover/);
    const tooFew = house.tryCommand(["vault", "recover"], `${three}\n`);
    assert.match(tooFew.stderr, /two shares are needed, 1 came/);
    const mistyped = house.tryCommand(
      ["vault", "recover"],
      `${three}\n\n${one.slice(0, -1)}${one.endsWith("0") ? "1" : "0"}\n`,
    );
    assert.match(mistyped.stderr, /share 2 as it was typed is not a share/);
    const nowhere = ["vault", "recover", "--passphrase-file", join(home, "ca.pem", "passphrase")];
    assert.match(house.tryCommand(nowhere, `${three}\n${one}\n`).stderr, /cannot be written/);
    const left = [...readdirSync(home), ...readdirSync(join(home, "keys"))].filter((name) =>
      name.includes("passphrase"),
    );
    assert.deepEqual(left, [], "what fails leaves no passphrase");
    // As it is printed: in rows, with an empty line behind.
    const rows = three.match(/.{1,30}/g)?.join("\n");
    assert.match(house.command(["vault", "recover"], `${rows}\n\n${one.toLowerCase()}\n`), /under a new passphrase/);
    house = await startHouse({ home });
    await assertHeld(house, slices);
    assert.match(house.command(["audit", "verify"]), /entries, \d+ of them proven/);
    const log = readdirSync(join(home, "audit")).map((name) => readFileSync(join(home, "audit", name), "latin1"));
    assert.ok(log.some((text) => text.includes("vault.recover")));
    assert.ok(log.some((text) => text.includes("recovery-kit.make")));
  } finally {
    await house.remove();
  }
});

test("a crash between keyring and passphrase file is settled at the next start, whichever of them was written", async () => {
  const home = newHome();
  const next = join(home, "keys", "next.passphrase");
  let house = await startHouse({ home });
  try {
    await house.stop();
    // The new passphrase was written, the keyring not: it is dropped.
    writeFileSync(next, "0000-0000-0000-0000-0000-0000-0000-0000\n");
    house.command(["status"]);
    assert.ok(!existsSync(next));
    // The keyring was written too: the new passphrase is taken.
    const passphraseFile = join(home, "root.passphrase");
    writeFileSync(next, readFileSync(passphraseFile));
    writeFileSync(passphraseFile, "0000-0000-0000-0000-0000-0000-0000-0000\n");
    house.command(["status"]);
    assert.ok(!existsSync(next));
    // Torn: it opens nothing.
    writeFileSync(next, "");
    house = await startHouse({ home });
    assert.ok(!existsSync(next));
  } finally {
    await house.remove();
  }
});

test("a home is made under a key in a PKCS#11 token and moves to one in AWS KMS", async (t: TestContext) => {
  const hsm = softHsm(t);
  if (hsm === undefined) return;
  const keyArn = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
  // Not in this process, which stands still while a command runs.
  const kms = spawn(process.execPath, [join(root, "stores/keys/aws-kms.fixture.ts"), keyArn]);
  t.after(() => kms.kill());
  const endpoint = await new Promise<string>((resolve) => kms.stdout.once("data", (bytes) => resolve(String(bytes))));
  const uri = hsm.uri("home");
  const token = { SOFTHSM2_CONF: process.env.SOFTHSM2_CONF ?? "", LEADGLASS_ROOT_KEY: uri };
  const aws = {
    LEADGLASS_ROOT_KEY_ENDPOINT: endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
  const home = newHome();
  let house = await startHouse({
    home,
    environment: { ...token, ...aws, LEADGLASS_NEXT_ROOT_KEY: `awskms:${keyArn}` },
  });
  try {
    assert.ok(!existsSync(join(home, "root.passphrase")), "no passphrase is made");
    house.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
    const slices = slicesOf({ kind: "mr-brain", slices: 2, size: 64, seed: 73 });
    await storeAll(house, slices);
    await administrator(house, "ada");
    const bob = await administrator(house, "bob");
    const words = ["vault", "rotate", "--level", "root", "--to"];
    assert.equal((await together<RootView>(house, bob, [...words, "awskms"])).root, "awskms");
    assert.equal(JSON.parse(house.command(["vault", "rotate", "--level", "tenant", "--json"])).isWhole, true);
    await house.stop();
    // With both settings, as the crash of a change may leave them, and with the new one alone.
    for (const environment of [
      { ...token, ...aws, LEADGLASS_NEXT_ROOT_KEY: `awskms:${keyArn}` },
      { ...aws, LEADGLASS_ROOT_KEY: `awskms:${keyArn}` },
    ]) {
      house = await startHouse({ home, environment });
      await assertHeld(house, slices);
      await house.stop();
      const [pin, output] = [readFileSync(hsm.pinFile, "utf8").trim(), house.output()];
      assert.ok(!output.includes(pin) && !output.includes(secretAccessKey), "a secret is in the log");
    }
    await assert.rejects(startHouse({ home, environment: token }), /is not under a root key of the kind pkcs11/);
  } finally {
    await house.remove();
  }
});

/** `bin/leadglass` as it is, over this checkout, with a set-up that finds everything done. */
function checkoutWithoutSetUp(t: TestContext): string {
  const folder = newHome();
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(root, "bin"), join(folder, "bin"), { recursive: true });
  for (const name of ["apps", "node_modules"]) symlinkSync(join(root, name), join(folder, name));
  mkdirSync(join(folder, "tools", "setup"), { recursive: true });
  writeFileSync(join(folder, "tools", "setup", "run.mjs"), "");
  return folder;
}

test("a server that crashes leaves no core file, whatever limit it was started under", async (t: TestContext) => {
  if (process.platform !== "linux") return t.skip("needs /proc");
  const folder = checkoutWithoutSetUp(t);
  const ready = join(folder, "ready");
  const words = `start --home ${folder}/home --https-port 0 --dicom-port 0 --dicom-tls-port off --hl7-port off --ready-file ${ready}`;
  const script = `ulimit -S -c "$(ulimit -H -c)"; exec bin/leadglass ${words}`;
  const child = spawn("sh", ["-c", script], { cwd: folder, stdio: "ignore" });
  const exited = new Promise<NodeJS.Signals | null>((resolve) => child.once("exit", (_, signal) => resolve(signal)));
  for (let tries = 0; tries < 400 && !existsSync(ready) && child.exitCode === null; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { pid } = JSON.parse(readFileSync(ready, "utf8")) as { pid: number };
  assert.match(readFileSync(`/proc/${pid}/limits`, "utf8"), /^Max core file size +0 +0 +bytes/m);
  // A debugger would read the keys as well: the signal that opens one does nothing.
  process.kill(pid, "SIGUSR1");
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.ok(!readFileSync("/proc/net/tcp", "latin1").includes(":240D 00000000:0000 0A"), "port 9229 listens");
  process.kill(pid, "SIGABRT");
  assert.equal(await exited, "SIGABRT");
  assert.deepEqual(
    [...readdirSync(folder), ...readdirSync(join(folder, "home"))].filter((name) => name.startsWith("core")),
    [],
  );
});

test("the unit of systemd is well formed, alone and as an edge's, and leaves little to attack", (t: TestContext) => {
  const folder = newHome();
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const unit = join(folder, "leadglass.service");
  cpSync(join(root, "docs", "leadglass.service"), unit);
  for (const dropIn of [undefined, "leadglass-edge.conf"]) {
    if (dropIn !== undefined) cpSync(join(root, "docs", dropIn), join(folder, "leadglass.service.d", "edge.conf"));
    const verified = spawnSync("systemd-analyze", ["verify", unit], { encoding: "utf8" });
    if (verified.error !== undefined) return t.skip("needs systemd-analyze: apt install systemd");
    assert.equal(verified.stderr + verified.stdout, "");
    const security = ["security", "--offline=true", "--threshold=15", unit];
    assert.equal(spawnSync("systemd-analyze", security, { encoding: "utf8" }).status, 0);
  }
  const text = readFileSync(unit, "utf8");
  for (const line of [
    "LimitCORE=0",
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ProcSubset=pid",
    "PrivateTmp=yes",
    "MemorySwapMax=0",
  ]) {
    assert.ok(text.includes(`\n${line}\n`), line);
  }
});
