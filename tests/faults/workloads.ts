import type { VirtualClock } from "#base/clock";
import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import { actorOf, operator } from "#trust/access";
import { passphraseRoot } from "#trust/vault";
import { backupFolder, cost, type HouseOnFiles, passing } from "./house-on-files.ts";
import type { Ledger } from "./ledger.ts";
import {
  type SmallImage,
  seriesUidOf,
  smallImage,
  sopClassUid,
  studyUidOf,
  transferSyntaxUid,
} from "./small-images.ts";

/** A house at work, and the book of what it was told to do. */
export interface Scene {
  readonly house: HouseOnFiles;
  readonly ledger: Ledger;
  readonly clock: VirtualClock;
  readonly random: Random;
}

export interface Workload {
  /** What stands there already, durably. */
  prepare(scene: Scene): Promise<void>;
  run(scene: Scene): Promise<void>;
}

/** One sender after C-STORE: a data set in pieces. */
async function cStore({ house, ledger }: Scene, of: SmallImage, isGivenUp = false): Promise<void> {
  const copy = smallImage({ ...of });
  const claimed = isGivenUp ? { ...copy, isRefused: true } : copy;
  await ledger.doing({ kind: "store", copy: claimed }, async () => {
    const header = { sopClassUid, sopInstanceUid: copy.sopUid, transferSyntaxUid };
    const receiving = house.archive.receiveDataSet(actorOf("device", "ct"), header);
    try {
      for (let at = 0; at < copy.dataSet.length; at += 700) await receiving.write(copy.dataSet.subarray(at, at + 700));
      if (isGivenUp) throw new Problem("unavailable", "its sender went away");
      await receiving.finish();
    } catch (error) {
      await receiving.abort();
      throw error;
    }
  });
}

/** One part of a STOW request, or one file of an import. */
export async function stow({ house, ledger }: Scene, of: SmallImage): Promise<void> {
  const copy = smallImage(of);
  await ledger.doing({ kind: "store", copy }, async () => {
    const receiving = house.archive.receiveFile(actorOf("client", "web"));
    try {
      await receiving.write(copy.file);
      await receiving.finish();
    } catch (error) {
      await receiving.abort();
      throw error;
    }
  });
}

async function eachOf(scene: Scene, images: readonly SmallImage[], store = cStore): Promise<void> {
  for (const image of images) await store(scene, image);
}

const numbers = (count: number, from = 1) => Array.from({ length: count }, (_, at) => at + from);
const imagesOf = (study: number, count: number, more: Partial<SmallImage> = {}, from = 1): SmallImage[] =>
  numbers(count, from).map((number) => ({ study, number, ...more }));

async function tokenOf({ house }: Scene, study: number): Promise<string> {
  return (await tokenedStudy(house, study)).studyToken;
}

const pair = actorOf("pair", "two");

/** As two administrators have it done. */
async function shred({ house, ledger, clock }: Scene, study: number): Promise<void> {
  const { studyToken } = await tokenedStudy(house, study);
  await ledger.doing({ kind: "remove", studyUid: studyUidOf(study) }, () =>
    passing(clock, house.gate.pass(pair, "study.shred", { kind: "study", id: studyToken }, house.shredding.study)),
  );
}

async function shredPatientOf({ house, ledger, clock }: Scene, study: number, all: readonly number[]): Promise<void> {
  const { studyToken } = await tokenedStudy(house, study);
  const { on } = await house.shredding.plan(studyToken, true);
  let done: Promise<unknown> | undefined;
  const once = () => {
    done ??= passing(clock, house.gate.pass(pair, "patient.shred", on, house.shredding.patient));
    return done;
  };
  await Promise.all(all.map((each) => ledger.doing({ kind: "remove", studyUid: studyUidOf(each) }, once)));
}

async function tokenedStudy(house: HouseOnFiles, study: number) {
  await house.archive.settled();
  const found = await house.index.study(studyUidOf(study));
  if (found === undefined) throw new Problem("absent", "the study is not there");
  return found;
}

const reason = { code: "CORRECT", text: "a test" } as const;

/** Ends when all have ended, also when one fails: who is still at work when its house is closed is cut off, which is another story. */
async function together(works: readonly Promise<unknown>[]): Promise<void> {
  const ended = await Promise.allSettled(works);
  const failed = ended.find((each) => each.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

const workloads = {
  /** Several modalities at once: new studies, the same bytes again, other bytes under one UID, broken ones, one that goes away. */
  store: {
    prepare: (scene) => eachOf(scene, imagesOf(1, 2)),
    async run(scene) {
      await together([
        eachOf(scene, imagesOf(1, 3, { pixelBytes: 3000 }, 3)),
        eachOf(scene, [...imagesOf(2, 2), { study: 2, number: 1 }, { study: 2, number: 2, copy: 1 }]),
        eachOf(scene, [...imagesOf(3, 2, { patient: 2 }), { study: 3, number: 9, isRefused: true }]),
        cStore(scene, { study: 4, number: 1, pixelBytes: 5000 }, true),
        cStore(scene, { study: 1, number: 1, copy: 2 }),
      ]);
      await scene.house.audit.checkpoint();
      await eachOf(scene, imagesOf(5, 2));
    },
  },
  /** Files from the web, series at rest whose metadata is kept, reading meanwhile. */
  stow: {
    prepare: (scene) => eachOf(scene, imagesOf(1, 2), stow),
    async run(scene) {
      const { house, clock } = scene;
      await together([
        eachOf(scene, imagesOf(1, 2, { series: 2 }, 3), stow),
        eachOf(scene, imagesOf(2, 3, { pixelBytes: 900 }), stow),
      ]);
      await house.archive.settled();
      clock.advance(5_000);
      await house.archive.refreshBlobs();
      await house.archive.seriesMetadata(operator, studyUidOf(2), seriesUidOf(2));
      await together([
        eachOf(scene, imagesOf(2, 2, {}, 8), stow),
        house.archive.read(operator, { studyUid: studyUidOf(1) }),
      ]);
      clock.advance(5_000);
      await house.archive.refreshBlobs();
    },
  },
  /** A study, a patient of several studies, a merge, a move; images come meanwhile. */
  correct: {
    async prepare(scene) {
      await eachOf(scene, [...imagesOf(1, 1), ...imagesOf(2, 1, { patient: 1 }), ...imagesOf(3, 1), ...imagesOf(4, 1)]);
    },
    async run(scene) {
      const { house } = scene;
      const { archive } = house;
      const on = async (studies: readonly number[], values: Record<string, string>, work: () => Promise<unknown>) => {
        let done: Promise<unknown> | undefined;
        const once = () => {
          done ??= work();
          return done;
        };
        const claims = studies.map((study) => ({ kind: "correct" as const, studyUid: studyUidOf(study), values }));
        await Promise.all(claims.map((claim) => scene.ledger.doing(claim, once)));
      };
      const first = await tokenOf(scene, 1);
      const third = await tokenOf(scene, 3);
      await on([1], { StudyDescription: "Corrected once" }, () =>
        archive.correctStudy(operator, first, { StudyDescription: "Corrected once" }, reason),
      );
      await together([
        on([1, 2], { PatientName: "Canary^Renamed" }, () =>
          archive.correctPatient(operator, { PatientID: "PID-1" }, { PatientName: "Canary^Renamed" }, reason),
        ),
        eachOf(scene, imagesOf(1, 1, {}, 5)),
      ]);
      await on([4], { PatientID: "PID-1", PatientName: "Canary^Renamed" }, () =>
        archive.mergePatients(operator, { PatientID: "PID-4" }, { PatientID: "PID-1" }, reason),
      );
      const moved = { PatientID: "PID-77", PatientName: "Canary^Moved" };
      await on([3], moved, () => archive.moveStudy(operator, third, moved, reason));
      await eachOf(scene, [...imagesOf(4, 1, {}, 6), ...imagesOf(3, 1, {}, 6)]);
    },
  },
  /** New keys at every level while images arrive and are read. */
  rotate: {
    prepare: (scene) => eachOf(scene, [...imagesOf(1, 2), ...imagesOf(2, 1), ...imagesOf(3, 1, { patient: 2 })]),
    async run(scene) {
      const { house, ledger, random } = scene;
      await together([
        ledger.doing({ kind: "rotate", what: "tenant" }, () => house.keyRotation.rotateTenant(operator)),
        eachOf(scene, [...imagesOf(4, 2), ...imagesOf(1, 1, {}, 7)]),
        house.archive.read(operator, { studyUid: studyUidOf(1) }),
      ]);
      const kit: { kind: "kit"; shares?: readonly string[] } = { kind: "kit" };
      await ledger.doing(kit, async () => {
        kit.shares = await house.keyring.makeRecoveryKit();
      });
      const passphrase = "the second of two phrases";
      await together([
        ledger.doing({ kind: "root", passphrase }, () =>
          house.keyring.changeRoot(passphraseRoot({ passphrase, cost, random })),
        ),
        eachOf(scene, imagesOf(5, 1)),
      ]);
      const tokens = [await tokenOf(scene, 1), await tokenOf(scene, 3)];
      await ledger.doing({ kind: "rotate", what: "studies" }, () => house.keyRotation.rotateStudies(operator, tokens));
    },
  },
  /** Studies are shredded while others arrive. */
  shred: {
    prepare: (scene) =>
      eachOf(scene, [...imagesOf(1, 2), ...imagesOf(2, 3), ...imagesOf(3, 1), ...imagesOf(6, 1, { patient: 3 })]),
    async run(scene) {
      await together([shred(scene, 2), eachOf(scene, [...imagesOf(5, 2), ...imagesOf(4, 2)])]);
      await shredPatientOf(scene, 3, [3, 6]);
      await eachOf(scene, imagesOf(1, 1, {}, 9));
    },
  },
  /** What was shredded leaves the packs, while others come into them. */
  compact: {
    async prepare(scene) {
      const mixed = numbers(4).flatMap((number) => [1, 2, 3].map((study) => ({ study, number, pixelBytes: 1500 })));
      await eachOf(scene, mixed);
      await scene.house.archive.settled();
      scene.clock.advance(5_000);
      await scene.house.archive.refreshBlobs();
    },
    async run(scene) {
      const { house, ledger } = scene;
      const token = await tokenOf(scene, 2);
      await ledger.doing({ kind: "remove", studyUid: studyUidOf(2) }, () => house.remove(token));
      await together([ledger.doing({ kind: "compact" }, () => house.compact()), eachOf(scene, imagesOf(4, 2))]);
      await ledger.doing({ kind: "compact" }, () => house.compact());
      await eachOf(scene, imagesOf(1, 1, {}, 12));
    },
  },
  /** Two backups, the second while images arrive and a study goes. */
  backup: {
    prepare: (scene) => eachOf(scene, [...imagesOf(1, 2), ...imagesOf(2, 2)]),
    async run(scene) {
      const { house, ledger } = scene;
      const taking = { folder: backupFolder, keepPoints: 14, verify: false, beginAnew: false };
      const take = () => house.backups.take(taking, () => {});
      await ledger.doing({ kind: "backup" }, take);
      const token = await tokenOf(scene, 2);
      await ledger.doing({ kind: "remove", studyUid: studyUidOf(2) }, () => house.remove(token));
      await together([ledger.doing({ kind: "backup" }, take), eachOf(scene, imagesOf(3, 3))]);
    },
  },
} satisfies Record<string, Workload>;

export type WorkloadName = keyof typeof workloads;
export const workloadNames = Object.keys(workloads) as WorkloadName[];
export const workloadOf = (name: WorkloadName): Workload => workloads[name];
