// Rows 11 and 12 of the attack table: who is on no list, and who guesses what stands on it.
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import type { ReviewPage } from "#formats/api";
import { asOperator, associate, type Slice, slicesOf } from "../flows/modality.fixture.ts";
import { type AttackedHouse, startAttackedHouse } from "./attacked-house.fixture.ts";
import { associateRq, pduTypes } from "./dimse-peer.fixture.ts";

let house: AttackedHouse;
before(async () => {
  house = await startAttackedHouse({ LEADGLASS_DICOM_TLS_PORT: "0" });
});
after(() => house?.remove());

/** The type of the PDU that an A-ASSOCIATE-RQ by that title is answered with, from an address of this machine. */
function answerTo(callingAe: string, localAddress = "127.0.0.1"): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ host: "127.0.0.1", port: house.dicom, localAddress, noDelay: true });
    socket.once("data", (bytes: Buffer) => {
      resolve(bytes[0]);
      socket.destroy();
    });
    socket.once("error", () => resolve(undefined));
    socket.once("close", () => resolve(undefined));
    socket.write(associateRq({ callingAe }));
  });
}

test("attack 11: a C-STORE of who is on no list, or shows no certificate, is refused before a byte of it, and stores nothing", async () => {
  const [slice] = slicesOf({ kind: "mr-brain", slices: 1, size: 16, seed: 11 }) as [Slice];
  await house.under({ inputBytes: slice.dataSet.length }, async () => {
    for (const title of ["CT1", "ANY-SCU", "LEADGLASS", "ORTHANC", "STORESCU"])
      await assert.rejects(associate(house, [slice], title), title);
    // Known at another address is not known.
    house.command(["device", "add", "MR7", "--address", "127.0.0.7"]);
    await assert.rejects(associate(house, [slice], "MR7"));
    assert.equal(await answerTo("MR7", "127.0.0.7"), pduTypes.ac);
    const { dicomTls } = house;
    assert.ok(dicomTls, "the TLS port is open");
    const answer = await new Promise<string>((resolve) => {
      const socket = connectTls({ host: "127.0.0.1", port: dicomTls, rejectUnauthorized: false });
      socket.once("secureConnect", () => socket.write(associateRq({ callingAe: "MR7" })));
      socket.once("data", (bytes: Buffer) => resolve(`answered ${bytes[0]}`));
      socket.once("error", () => resolve("ended"));
      socket.once("close", () => resolve("ended"));
    });
    assert.equal(answer, "ended", "without a certificate nothing is read");
  });
  const { waiting } = JSON.parse(house.command(["device", "list", "--json"])) as { waiting: { ae: string }[] };
  assert.ok(
    waiting.some(({ ae }) => ae === "ANY-SCU"),
    "who administers sees who came",
  );
});

test("attack 12: twenty guessed AE titles shut the address out, the right one too; others go on; who reviews is told", async () => {
  house.command(["device", "add", "CT9", "--address", "127.0.0.1"]);
  assert.equal(await answerTo("CT9"), pduTypes.ac);
  await house.under({ tells: /tries one AE title after the other/ }, async () => {
    for (let guess = 0; guess < 20; guess++) assert.equal(await answerTo(`CT-${guess}`), pduTypes.rj);
    assert.equal(await answerTo("CT9"), pduTypes.rj, "not even by the right title");
    assert.equal(await answerTo("MR7", "127.0.0.7"), pduTypes.ac, "from elsewhere as ever");
    assert.equal(await answerTo("MR7", "127.0.0.8"), pduTypes.rj, "a title alone grants nothing");
  });
  const { reviews } = await asOperator<ReviewPage>(house, "/api/reviews?state=open");
  assert.deepEqual(
    reviews.filter(({ kind }) => kind === "titles").map(({ count }) => count),
    [1],
  );
});
