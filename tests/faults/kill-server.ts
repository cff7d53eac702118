import { spawn } from "node:child_process";
import { join } from "node:path";
import { systemRandom } from "#base/id";
import type { DicomJson } from "#formats/dicom";
import { type PhantomInstance, phantomStudy } from "#imaging/phantoms";
import {
  associate,
  firstValue,
  retrieve,
  type Slice,
  search,
  sha256,
  sliceOf,
  store,
  wholeLog,
} from "../flows/modality.fixture.ts";
import { newHome, type RunningHouse, root, startHouse } from "../house/index.ts";

export interface KillServerReport {
  readonly kills: number;
  /** Of those, while the server was starting. */
  readonly killsAtStart: number;
  readonly acknowledged: number;
  /** From the start of the process to its ready file, each. */
  readonly readyMs: readonly number[];
  readonly logEntries: number;
}

/** What is remembered of an instance once it was acknowledged. */
type Acknowledged = Omit<Slice, "dataSet">;

/** What the sender knows. */
interface Modality {
  readonly acknowledged: Map<string, Acknowledged>;
  /** Sent, never answered: a modality sends them again. */
  readonly unanswered: Slice[];
  nextSerial: number;
}

const chance = () => Buffer.from(systemRandom(new Uint8Array(4))).readUInt32BE() / 2 ** 32;
const instancesPerStudy = 250;
/** Of so many kills one meets a server that is starting. */
const killsAStart = 8;

/**
 * Kills the whole server `times` times at random moments, most while one to three associations store, some while it starts, and
 * looks after each start by QIDO-RS and WADO-RS whether everything it ever acknowledged is there exactly once, as it was sent. In the
 * end the vault is checked and the log counted. Throws at the first that is not as it must be.
 */
export async function killServerAgainAndAgain(options: {
  readonly times: number;
  readonly seen?: (kill: number, acknowledged: number) => void;
}): Promise<KillServerReport> {
  const home = newHome();
  const modality: Modality = { acknowledged: new Map(), unanswered: [], nextSerial: 0 };
  const make = createSlices();
  const readyMs: number[] = [];
  let killsAtStart = 0;
  let house = await startHouse({ home });
  try {
    house.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
    const token = house.token();
    for (let kills = 0; kills < options.times; kills++) {
      const sent = await sendAndKill(house, modality, make);
      if (kills % killsAStart === killsAStart / 2) {
        await killWhileStarting(home);
        killsAtStart++;
        kills++;
      }
      house = withToken(await startHouse({ home }), token);
      readyMs.push(house.readyAfterMs);
      await checkStudies(house, modality, new Set(sent.map(({ studyUid }) => studyUid)));
      await checkContent(
        house,
        sent.filter(({ sopInstanceUid }) => modality.acknowledged.has(sopInstanceUid)),
      );
      options.seen?.(kills + 1, modality.acknowledged.size);
    }
    const all = [...modality.acknowledged.values()];
    await checkStudies(house, modality, new Set(all.map(({ studyUid }) => studyUid)));
    await checkContent(house, all);
    const logEntries = await checkVaultAndLog(house, all.length);
    return { kills: readyMs.length + killsAtStart, killsAtStart, acknowledged: all.length, readyMs, logEntries };
  } finally {
    await house.remove();
  }
}

/** The token of the first start is good for all: it is in the home. */
function withToken(house: RunningHouse, token: string): RunningHouse {
  return {
    ...house,
    token: () => token,
    fetch: (path, init = {}) =>
      house.fetch(path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } }),
  };
}

/** Slices of three sizes, no two alike; many share a study. */
function createSlices(): (serial: number) => Slice {
  const painted = [64, 128, 512].map((size) => {
    const [instance] = phantomStudy({ kind: "mr-brain", slices: 1, size, seed: size });
    return instance as PhantomInstance;
  });
  return (serial) => {
    const { attributes, frames } = painted[serial % painted.length] as PhantomInstance;
    const pixels = new Uint8Array(frames[0] ?? []);
    new DataView(pixels.buffer).setUint32(0, serial, true);
    const study = `1.2.826.0.1.3680043.10.1425.7.${Math.floor(serial / instancesPerStudy) + 1}`;
    return sliceOf({
      ...attributes,
      StudyInstanceUID: study,
      SeriesInstanceUID: `${study}.${(serial % 3) + 1}`,
      SOPInstanceUID: `${study}.${(serial % 3) + 1}.${serial + 1}`,
      InstanceNumber: serial + 1,
      PixelData: pixels,
    });
  };
}

/** Sends over one to three associations until the server is dead; what was on its way then is sent again next time. */
async function sendAndKill(
  house: RunningHouse,
  modality: Modality,
  make: (serial: number) => Slice,
): Promise<Acknowledged[]> {
  const sent: Acknowledged[] = [];
  let dead = false;
  const next = (): Slice => modality.unanswered.pop() ?? make(modality.nextSerial++);
  const sendForever = async () => {
    const association = await associate(house, [make(0)]).catch(() => undefined);
    while (association !== undefined && !dead) {
      const slice = next();
      const { dataSet: _, ...told } = slice;
      sent.push(told);
      const status = await store(association, slice).catch(() => undefined);
      if (status === 0) {
        modality.acknowledged.set(slice.sopInstanceUid, told);
      } else {
        modality.unanswered.push(slice);
        if (status !== undefined) throw new Error(`a store was answered with status ${status.toString(16)}`);
        return;
      }
    }
  };
  const associations = 1 + Math.floor(chance() * 3);
  const sending = Promise.all(Array.from({ length: associations }, sendForever));
  const killing = new Promise((resolve) => setTimeout(resolve, chance() ** 2 * 1_000)).then(() => {
    dead = true;
    return house.stop("SIGKILL");
  });
  await Promise.all([sending, killing]);
  return sent;
}

/** A start that does not come to its end: it was taking up what the kill before had left. */
async function killWhileStarting(home: string): Promise<void> {
  const environment = {
    ...process.env,
    LEADGLASS_HTTPS_PORT: "0",
    LEADGLASS_DICOM_PORT: "0",
    LEADGLASS_DICOM_TLS_PORT: "off",
    LEADGLASS_HL7_PORT: "off",
  };
  const words = [join(root, "apps", "cli", "main.ts"), "start", "--home", home];
  const child = spawn(process.execPath, words, { env: environment, stdio: "ignore" });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once("exit", (_, signal) => resolve(signal)));
  setTimeout(() => child.kill("SIGKILL"), 150 + chance() * 700);
  const signal = await ended;
  if (signal !== "SIGKILL") throw new Error(`a server that was starting ended by itself (${signal ?? "exit"})`);
}

async function checkStudies(house: RunningHouse, modality: Modality, studies: ReadonlySet<string>): Promise<void> {
  for (const studyUid of studies) {
    const listed = (await search(house, `/studies/${studyUid}/instances`)).map((json: DicomJson) =>
      String(firstValue(json, "00080018")),
    );
    const found = new Set(listed);
    if (found.size !== listed.length) throw new Error(`an instance of study ${studyUid} is there twice`);
    for (const slice of modality.acknowledged.values()) {
      if (slice.studyUid !== studyUid || found.has(slice.sopInstanceUid)) continue;
      throw new Error(`instance ${slice.sopInstanceUid} was acknowledged and is lost (home ${house.home})`);
    }
  }
}

async function checkContent(house: RunningHouse, slices: readonly Acknowledged[]): Promise<void> {
  for (const slice of slices) {
    const found = sha256(await retrieve(house, slice));
    if (found !== slice.sha256) throw new Error(`instance ${slice.sopInstanceUid} is not what was sent`);
  }
}

/** Every object opens, every entry is proven, and each instance that was acknowledged has one. Returns how many entries there are. */
async function checkVaultAndLog(house: RunningHouse, acknowledged: number): Promise<number> {
  house.command(["vault", "check"]);
  const verdict = JSON.parse(house.command(["audit", "verify", "--json"])) as { ok: boolean; size: number };
  const log = await wholeLog(house);
  if (!verdict.ok || verdict.size > log.length) throw new Error("the log is not what was signed");
  const stores = log.filter(({ act, outcome }) => act === "instance.store" && outcome === "done");
  const logged = new Set(stores.map(({ on }) => on?.id)).size;
  if (logged < acknowledged) throw new Error(`${acknowledged} were acknowledged, ${logged} are in the log`);
  return verdict.size;
}
