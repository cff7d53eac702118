import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { isProblem } from "#base/problem";
import { TransferSyntaxUid } from "#formats/dicom";
import { actorOf, operator } from "#trust/access";
import { newSigningKey, type Provenance, type SigningKey, signProvenance } from "#trust/parcels";
import { openArchive } from "./archive.fixture.ts";
import { imageFile } from "./corrections.fixture.ts";
import { type Archive, receivedBytes, type StoredInstance, wholeBytes } from "./index.ts";

const [former, current] = [newSigningKey(), newSigningKey()];
/** An edge that was enrolled twice. */
const signingKeysOf = async (edge: string) => (edge === "e1" ? [current.publicKey, former.publicKey] : []);
const isDamaged = (error: unknown) => isProblem(error, "damaged");

/** One instance that came by an edge, which signed for `change` of what it received. */
async function arrive(archive: Archive, key: SigningKey, change: Partial<Provenance> = {}, number = 1) {
  const file = imageFile({}, { number });
  // PS3.10 §7.1: the group length of the meta information stands behind preamble and prefix.
  const dataSet = file.subarray(144 + Buffer.from(file).readUInt32LE(140));
  const transferSyntaxUid = TransferSyntaxUid.explicitLittleEndian;
  const sha256 = createHash("sha256").update(dataSet).digest("hex");
  const received: Provenance = { edge: "e1", kind: "instance", sha256, transferSyntaxUid, receivedAt: 7 };
  const signature = signProvenance(key, { ...received, ...change });
  const [sopClassUid, sopInstanceUid] = ["1.2.840.10008.5.1.4.1.1.7", `1.2.826.0.1.3680043.10.1561.13.1.9.${number}`];
  const receiving = archive.receiveDataSet(actorOf("device", "1"), {
    ...{ sopClassUid, sopInstanceUid, transferSyntaxUid },
    provenance: () => ({ edge: received.edge, key: key.publicKey, receivedAt: received.receivedAt, signature }),
  });
  await receiving.write(dataSet);
  return { dataSet, stored: await receiving.finish() };
}

async function read(archive: Archive, { studyUid, seriesUid, sopUid }: StoredInstance): Promise<Buffer> {
  const [held] = await archive.read(operator, { studyUid, seriesUid, sopUid });
  const pieces: Buffer[] = [];
  for await (const piece of wholeBytes(held ?? assert.fail("it is found"))) pieces.push(piece);
  return Buffer.concat(pieces);
}

const flagsIn = ({ entries }: Awaited<ReturnType<typeof openArchive>>) =>
  entries.filter(({ act }) => act === "instance.flag").map(({ outcome }) => outcome);

test("what an edge received is served, by whichever of its keys it signed, and after the index was made again", async () => {
  const opened = await openArchive({ signingKeysOf });
  const [one, two] = [await arrive(opened.archive, former), await arrive(opened.archive, current, {}, 2)];
  const again = await openArchive({ signingKeysOf, stores: opened.stores });
  await again.archive.recover();
  for (const { archive } of [opened, again]) {
    for (const { stored, dataSet } of [one, two])
      assert.deepEqual((await read(archive, stored)).subarray(-dataSet.length), Buffer.from(dataSet));
    assert.deepEqual(await archive.check(operator, () => {}), []);
  }
  assert.deepEqual(flagsIn(opened), []);
});

test("what came by no edge is served as before", async () => {
  const { archive } = await openArchive();
  const file = imageFile();
  const receiving = archive.receiveFile(actorOf("device", "1"));
  await receiving.write(file);
  assert.deepEqual(await read(archive, await receiving.finish()), Buffer.from(file));
});

const forged: readonly (readonly [string, SigningKey, Partial<Provenance>])[] = [
  ["a key that no edge has", newSigningKey(), {}],
  ["another content", current, { sha256: "ab".repeat(32) }],
  ["another transfer syntax", current, { transferSyntaxUid: "1.2.840.10008.1.2" }],
  ["another time", current, { receivedAt: 8 }],
  ["another edge", current, { edge: "e2" }],
  ["a message of the same bytes", current, { kind: "hl7" }],
];
for (const [what, key, change] of forged) {
  test(`an instance that was put here with a signature of ${what} is not served, is flagged, and found by a check`, async () => {
    const opened = await openArchive({ signingKeysOf });
    const { archive } = opened;
    const { stored } = await arrive(archive, key, change);
    for (let times = 0; times < 2; times++) await assert.rejects(read(archive, stored), isDamaged);
    assert.deepEqual(flagsIn(opened), ["done"], "once");
    const [held] = await archive.read(operator, stored);
    await assert.rejects(receivedBytes(held ?? assert.fail("it is found")).next(), isDamaged);
    const [image] = await archive.images(operator, stored);
    await assert.rejects(image?.openWhole() ?? assert.fail("it is found"), isDamaged);
    const [damage, ...others] = await archive.check(operator, () => {});
    assert.deepEqual([damage?.half, others], ["identity", []]);
    assert.match(damage?.what ?? "", /not received by an edge of this house/);
  });
}

test("what an edge signed is not served where nothing is known of the keys that it had", async () => {
  const opened = await openArchive({ signingKeysOf });
  const { stored } = await arrive(opened.archive, current);
  const without = await openArchive({ stores: opened.stores });
  await without.archive.recover();
  await assert.rejects(read(without.archive, stored), isDamaged);
});

test("the scrub finds what no edge vouched for, and nothing in what one did", async () => {
  const { archive, vault } = await openArchive({ signingKeysOf });
  await arrive(archive, current);
  await arrive(archive, newSigningKey(), {}, 2);
  const findings: (string | undefined)[] = [];
  for await (const { place } of vault.recover(new Map()))
    findings.push(await vault.prove("identity", place, undefined, archive.faultIn));
  assert.deepEqual([findings.length, findings[0]], [2, undefined]);
  assert.match(findings[1] ?? "", /not received by an edge of this house/);
});
