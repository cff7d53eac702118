import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type TestContext, test } from "node:test";
import { type Clock, systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { createTracedFiles } from "#base/io";
import { isProblem } from "#base/problem";
import { createKeyring, openKeyring } from "#trust/vault";
import { testRootKey } from "../../trust/vault/root-key.contract.ts";
import { accessKeyId, secretAccessKey, startKms } from "./aws-kms.fixture.ts";
import { awsRoot } from "./index.ts";

const keyArn = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const otherArn = "arn:aws:kms:eu-central-1:111122223333:alias/other";

/** Pauses and time limits pass at once; the pauses are counted. */
function quickClock(): Clock & { readonly pauses: number[] } {
  const pauses: number[] = [];
  return {
    ...systemClock,
    pauses,
    after: (_, fire) => systemClock.after(300, fire),
    async sleep(ms) {
      pauses.push(ms);
    },
  };
}

async function standIn(t: TestContext) {
  const kms = await startKms([keyArn, otherArn]);
  t.after(() => kms.close());
  const clock = quickClock();
  const credentials = async () => ({ accessKeyId, secretAccessKey });
  const rootAt = (arn: string, changed: { secretAccessKey?: string } = {}) =>
    awsRoot({
      keyArn: arn,
      endpoint: kms.endpoint,
      clock,
      random: systemRandom,
      credentials: async () => ({ ...(await credentials()), ...changed }),
    });
  return { kms, clock, rootAt };
}

testRootKey("AWS KMS", async (t) => {
  const { rootAt } = await standIn(t);
  return { source: rootAt(keyArn), other: rootAt(otherArn) };
});

test("a keyring stands under a key in AWS KMS, whose log shows the tenant's random id and no name", async (t) => {
  const { kms, rootAt } = await standIn(t);
  const { files } = createTracedFiles();
  const place = { files, folder: "home", random: systemRandom, root: rootAt(keyArn), tenants: ["main"] };
  const made = await createKeyring(place);
  const opened = await openKeyring(place);
  assert.deepEqual(opened.tenant("main").key("x", 32), made.tenant("main").key("x", 32));
  const id = made.tenant("main").id.toString("hex");
  assert.deepEqual(kms.calls.at(-1), {
    target: "TrentService.Decrypt",
    context: { leadglass: `tenant ${id} master key 2` },
  });
});

test("not now is tried again with growing pauses, and then told", async (t) => {
  const { kms, clock, rootAt } = await standIn(t);
  const root = await rootAt(keyArn)();
  kms.next.push({ status: 400, type: "ThrottlingException" }, "hang-up", { status: 503, type: "" }, "not JSON");
  const key = randomBytes(32);
  assert.deepEqual(await root.unwrap(await root.wrap(key, "c"), "c"), key);
  assert.equal(clock.pauses.length, 4);
  assert.ok(
    clock.pauses.every((ms, at) => ms >= 50 * 2 ** at && ms <= 150 * 2 ** at),
    String(clock.pauses),
  );
  for (const fault of [
    { status: 400, type: "com.amazonaws.kms#ThrottlingException:http://x" },
    { status: 500, type: "KMSInternalException" },
    "silence",
    "endless",
    "hang-up",
  ] as const) {
    const before = kms.calls.length;
    kms.next.push(...Array.from({ length: 5 }, () => fault));
    await assert.rejects(root.wrap(key, "c"), (error) => isProblem(error, "unavailable") || isProblem(error, "busy"));
    assert.equal(kms.calls.length - before, 5);
  }
});

test("a refusal is told at once, by what is to be done about it", async (t) => {
  const { kms, clock, rootAt } = await standIn(t);
  const root = await rootAt(keyArn)();
  for (const [type, code] of [
    ["AccessDeniedException", "denied"],
    ["ExpiredTokenException", "denied"],
    ["DisabledException", "conflict"],
    ["NotFoundException", "absent"],
    ["SomethingNewException", "fault"],
  ] as const) {
    kms.next.push({ status: 400, type });
    await assert.rejects(
      root.wrap(randomBytes(32), "c"),
      (error) => isProblem(error, code) && error.message.includes(type),
    );
  }
  assert.equal(clock.pauses.length, 0);
  const wrong = await rootAt(keyArn, { secretAccessKey: "another" })();
  await assert.rejects(wrong.wrap(randomBytes(32), "c"), (error) => {
    assert.ok(isProblem(error, "denied"));
    assert.ok(!JSON.stringify(error).includes("another"));
    return /signature/.test(error.message);
  });
});

test("a key that is no ARN and an endpoint in the clear are refused", () => {
  const parts = {
    clock: systemClock,
    random: systemRandom,
    credentials: async () => ({ accessKeyId, secretAccessKey }),
  };
  for (const arn of ["", "alias/x", "arn:aws:s3:::bucket", "arn:aws:kms:eu/../x:111122223333:key/1"]) {
    assert.throws(
      () => awsRoot({ ...parts, keyArn: arn }),
      (error) => isProblem(error, "invalid"),
    );
  }
  for (const endpoint of ["http://kms.example.org/", "ftp://127.0.0.1/", "x"]) {
    assert.throws(
      () => awsRoot({ ...parts, keyArn, endpoint }),
      (error) => isProblem(error, "invalid"),
    );
  }
});
