// The two ends of our own link, each a process of its own: `node bench/link-ends.ts cloud|edge JSON`. bench/link.ts starts them.
import { createHash, createHmac } from "node:crypto";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { connect, createServer, type TLSSocket } from "node:tls";
import { systemClock } from "#base/clock";
import { newToken, systemRandom } from "#base/id";
import { createLog } from "#base/log";
import {
  type Arrivals,
  createLinkReceiver,
  type OutgoingObject,
  type OutgoingQueue,
  startLinkSender,
} from "#doors/link";

export interface CloudOrder {
  readonly port: number;
  readonly certificate: string;
  readonly folder: string;
}

export interface EdgeOrder {
  readonly host: string;
  readonly port: number;
  readonly certificate: string;
  readonly files: readonly string[];
}

/** What the edge prints when all receipts are there. */
export interface EdgeReport {
  readonly bytes: number;
  readonly seconds: number;
  readonly streamsMost: number;
  readonly peakBytes: number;
}

const tls = { minVersion: "TLSv1.3" } as const;
const log = createLog({ sink: (line) => process.stderr.write(`${line}\n`), clock: systemClock });

/** Objects as files: written as they come, synced before the receipt. The receipt is an HMAC, which stands for the archive's signature. */
function arrivalsIn(folder: string): Arrivals {
  const key = systemRandom(new Uint8Array(32));
  const receipts = new Map<string, Uint8Array>();
  return {
    standing: async (objects) =>
      objects.map(({ id }) => {
        const receipt = receipts.get(id);
        return receipt === undefined ? { from: 0 } : { receipt };
      }),
    async open({ id, sha256 }) {
      const file = await open(join(folder, id), "w", 0o600);
      const hash = createHash("sha256");
      return {
        async write(from, bytes) {
          hash.update(bytes);
          await file.write(bytes, 0, bytes.length, from);
        },
        async finish() {
          if (!hash.digest().equals(sha256)) throw new Error("the bytes are not those that were offered");
          await file.datasync();
          await file.close();
          const receipt = createHmac("sha256", key).update(id).digest();
          receipts.set(id, receipt);
          return receipt;
        },
        abandon: () => file.close(),
      };
    },
  };
}

async function cloud({ port, certificate, folder }: CloudOrder): Promise<void> {
  const receiver = createLinkReceiver({ clock: systemClock, random: systemRandom, log });
  const arrivals = arrivalsIn(folder);
  const pair = { key: await readFile(`${certificate}.key`), cert: await readFile(`${certificate}.pem`) };
  createServer({ ...tls, ...pair }, (socket) => receiver.accept(socket, { edge: "bench", arrivals })).listen(port);
}

/** The slices, each an object, the first one of its series. */
async function queueOf(
  files: readonly string[],
  allSettled: () => void,
): Promise<{ queue: OutgoingQueue; bytes: number }> {
  const objects: { readonly path: string; readonly object: OutgoingObject }[] = [];
  for (const path of files) {
    const bytes = await readFile(path);
    const sha256 = createHash("sha256").update(bytes).digest();
    objects.push({ path, object: { id: newToken(systemRandom), length: bytes.length, sha256 } });
  }
  const lanes = {
    stat: [] as OutgoingObject[],
    first: [objects[0]!.object],
    routine: objects.slice(1).map((each) => each.object),
  };
  const paths = new Map(objects.map(({ path, object }) => [object.id, path]));
  const opened = new Map<string, Promise<FileHandle>>();
  const fileOf = (id: string) => {
    const file = opened.get(id) ?? open(paths.get(id)!);
    opened.set(id, file);
    return file;
  };
  const queue: OutgoingQueue = {
    take: async (urgency, most) => lanes[urgency].splice(0, most),
    async read(id, from, to) {
      const file = await fileOf(id);
      const into = Buffer.allocUnsafe(to - from);
      await file.read(into, 0, into.length, from);
      return into;
    },
    async settle(id) {
      await (await fileOf(id)).close();
      opened.delete(id);
      paths.delete(id);
      if (paths.size === 0) allSettled();
    },
    async refuse(_id, problem) {
      throw problem;
    },
    onArrival: () => () => {},
  };
  return { queue, bytes: objects.reduce((sum, { object }) => sum + object.length, 0) };
}

async function edge({ host, port, certificate, files }: EdgeOrder): Promise<void> {
  const done = Promise.withResolvers<void>();
  const { queue, bytes } = await queueOf(files, done.resolve);
  const ca = await readFile(`${certificate}.pem`);
  const dial = () =>
    new Promise<TLSSocket>((resolve, reject) => {
      const socket = connect({ ...tls, host, port, ca, checkServerIdentity: () => undefined });
      socket.once("secureConnect", () => resolve(socket));
      socket.once("error", reject);
    });
  const began = performance.now();
  const sender = startLinkSender({ queue, dial, clock: systemClock, random: systemRandom, log });
  let streamsMost = 0;
  const watch = setInterval(() => {
    streamsMost = Math.max(streamsMost, sender.state().streams);
  }, 400);
  await done.promise;
  const seconds = (performance.now() - began) / 1000;
  clearInterval(watch);
  await sender.close();
  const report: EdgeReport = { bytes, seconds, streamsMost, peakBytes: process.resourceUsage().maxRSS * 1024 };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exit();
}

const [role, order = ""] = process.argv.slice(2);
if (role === "cloud") await cloud(JSON.parse(order) as CloudOrder);
else await edge(JSON.parse(order) as EdgeOrder);
