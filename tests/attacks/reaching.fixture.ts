import { type FastifyInstance, fastify } from "fastify";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { createTracedFiles } from "#base/io";
import { silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import { createApiDoor } from "#doors/api";
import { createDicomwebDoor } from "#doors/dicomweb";
import { leadglass } from "#doors/dimse";
import { createDisclosures, createExporting, type StoredInstance } from "#radiology/archive";
import { createTranscoder } from "#radiology/images";
import { actorOf, createPolicy, type Grant, operator, type Place, type Role, type StudyFacts } from "#trust/access";
import { openArchive } from "../../radiology/archive/archive.fixture.ts";
import { imageFile } from "../../radiology/archive/corrections.fixture.ts";
import { pixelsHere } from "../../radiology/images/pixels-here.fixture.ts";
import { grantOf } from "../../trust/access/grant-store.contract.ts";

export const north = "0f".repeat(16);
export const south = "0e".repeat(16);

/** A study of two images as the tests know it. */
export interface KnownStudy {
  readonly token: string;
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly sopUid: string;
  readonly facts: StudyFacts;
}

export interface ReachingHouse {
  readonly server: FastifyInstance;
  /** `GET /dicom-web/studies/:study`: all that the doors offer. */
  readonly routes: readonly string[];
  readonly studies: Readonly<Record<"own" | "other" | "sibling", KnownStudy>>;
  readonly archive: Awaited<ReturnType<typeof openArchive>>["archive"];
  readonly entries: Awaited<ReturnType<typeof openArchive>>["entries"];
  /** A person with this one grant; the name that requests give in `x-actor`. */
  grant(role: Role, place: Place): string;
  /** Ends all of somebody. */
  end(name: string): void;
  store(study: string, number: number, facility?: string): Promise<StoredInstance>;
  close(): Promise<void>;
}

const statuses: Readonly<Record<string, number>> = { invalid: 400, absent: 404, denied: 404, conflict: 409 };

/** Called or looked into, it is itself: what a route must not reach shows by what the gate says. */
const nothing: unknown = new Proxy(() => {}, {
  get: (_target, name) => (name === "then" || typeof name === "symbol" ? undefined : nothing),
  apply: () => nothing,
});

const patients: Readonly<Record<string, string>> = { own: "P1", other: "P2", sibling: "P2" };
const numbers: Readonly<Record<string, string>> = { own: "1", other: "2", sibling: "3" };

/** The doors over a real archive, gate and policy. Own and sibling came from the north, other and sibling are of one patient. */
export async function openReachingHouse(): Promise<ReachingHouse> {
  const held = new Map<string, readonly Grant[]>();
  const listeners = new Set<(holder: string) => void>();
  const policy = createPolicy({ liveOf: (holder) => held.get(holder) ?? [] });
  const opened = await openArchive({ policy });
  const { archive, index, vault, gate, entries } = opened;
  const store = async (study: string, number: number, facility = "") => {
    const values = {
      ...{ PatientID: patients[study] ?? "P9", PatientName: `Name^${study}`, AccessionNumber: `A-${study}` },
      ...{ SamplesPerPixel: 1, PhotometricInterpretation: "MONOCHROME2", BitsStored: 16, HighBit: 15 },
      PixelRepresentation: 0,
    };
    const receiving = archive.receiveFile(actorOf("device", "1"), facility);
    await receiving.write(imageFile(values, { study: numbers[study] ?? study, number }));
    return receiving.finish();
  };
  const known = async (study: string, facility: string): Promise<KnownStudy> => {
    const { studyUid, seriesUid, sopUid } = await store(study, 1, facility);
    await store(study, 2, facility);
    await archive.settled();
    const row = await index.study(studyUid);
    if (row === undefined) throw new Error("not stored");
    return { token: row.studyToken, studyUid, seriesUid, sopUid, facts: index.factsOf(row) };
  };
  const studies = {
    own: await known("own", north),
    other: await known("other", south),
    sibling: await known("sibling", north),
  };
  const routes: string[] = [];
  const server = fastify({ routerOptions: { maxParamLength: 4_096 } });
  server.addHook("onRoute", ({ method, url }) => {
    for (const one of [method].flat()) routes.push(`${one} ${url}`);
  });
  // As apps/server/http.ts answers.
  server.setErrorHandler((error, _request, reply) => {
    if (!isProblem(error)) {
      return reply.status((error as { statusCode?: number }).statusCode ?? 500).send({ code: "other" });
    }
    const { code, message, remedy } = error;
    return reply.status(statuses[code] ?? 500).send({ code: code === "denied" ? "absent" : code, message, remedy });
  });
  const here = {
    ...{
      archive,
      intake: archive,
      gate,
      policy,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      pixels: pixelsHere(),
      root: "/dicom-web",
    },
    actorOf: (request: { headers: Record<string, unknown> }) =>
      request.headers["x-actor"] === undefined ? operator : actorOf("user", String(request.headers["x-actor"])),
    exporting: createExporting({
      ...{ archive, index, vault, gate, clock: systemClock, random: systemRandom },
      ...{ files: createTracedFiles().files, folder: "exports" },
    }),
    disclosures: createDisclosures({ archive, index, gate, finder: { find: async () => ({ entries: [] }) } as never }),
    grants: {
      watchEnded(listener: (holder: string) => void) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    ...{
      transcoder: createTranscoder({ pixels: pixelsHere(), implementation: leadglass }),
      requireFacility: async (id: string) => id,
    },
  };
  const names = ["care", "audit", "breaker", "shredding", "signIn", "setup", "people", "confirmations", "facilities"];
  const others = [...names, "devices", "phantom", "backups", "status", "dicom", "keyRotation", "keyState"];
  const parts = new Proxy(here as Record<string, unknown>, {
    get: (target, name) => (typeof name === "string" && name in target ? target[name] : nothing),
    ownKeys: (target) => [...Object.keys(target), ...others],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  });
  await server.register(createApiDoor(parts as never));
  await server.register(createDicomwebDoor(here as never));
  await server.ready();
  let people = 0;
  return {
    ...{ server, routes, studies, archive, entries, store },
    grant(role, place) {
      const name = String(++people);
      held.set(`user:${name}`, [grantOf(name, `user:${name}`, { role, place })]);
      return name;
    },
    end(name) {
      held.delete(`user:${name}`);
      for (const listener of listeners) listener(`user:${name}`);
    },
    async close() {
      await server.close();
      await archive.close();
      await vault.close();
    },
  };
}
