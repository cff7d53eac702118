import assert from "node:assert/strict";
import { type FastifyInstance, fastify } from "fastify";
import { systemClock } from "#base/clock";
import { silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import { createDicomwebDoor, type DicomwebParts } from "#doors/dicomweb";
import { leadglass } from "#doors/dimse";
import type { DicomJson } from "#formats/dicom";
import type { Archive } from "#radiology/archive";
import { createTranscoder } from "#radiology/images";
import { operator } from "#trust/access";
import { openArchive } from "../../radiology/archive/archive.fixture.ts";
import { pixelsHere } from "../../radiology/images/pixels-here.fixture.ts";
import { openWorkItems } from "../../radiology/workitems/work-items.fixture.ts";

const statuses: Readonly<Record<string, number>> = {
  invalid: 400,
  absent: 404,
  denied: 404,
  "too-large": 413,
  "no-room": 507,
  busy: 429,
  unsupported: 501,
  unavailable: 503,
};

export interface OpenDoor {
  readonly server: FastifyInstance;
  readonly archive: Archive;
  close(): Promise<void>;
}

/** The door over a real archive and vault on memory stores; everyone is the operator. `change` puts faults in between. */
export async function openDoor(
  change: (archive: Archive) => Archive = (archive) => archive,
  parts: Partial<DicomwebParts> = {},
): Promise<OpenDoor> {
  const { archive, vault } = await openArchive();
  const pixels = pixelsHere();
  const server = fastify({ routerOptions: { maxParamLength: 4_096 } });
  server.setErrorHandler((error, _request, reply) => {
    const status = isProblem(error)
      ? (statuses[error.code] ?? 500)
      : ((error as { statusCode?: number }).statusCode ?? 500);
    return reply.status(status).send({ message: (error as Error).message });
  });
  await server.register(
    createDicomwebDoor({
      archive: change(archive),
      intake: change(archive),
      actorOf: () => operator,
      clock: systemClock,
      log: silentLog,
      pixels,
      transcoder: createTranscoder({ pixels, implementation: leadglass }),
      implementation: leadglass,
      root: "/dicom-web",
      requireFacility: async (id) => id,
      isAllowedOrigin: () => false,
      workItems: (await openWorkItems()).items,
      takeUpgrade: () => undefined,
      watchEnded: () => () => {},
      ...parts,
    }),
  );
  await server.ready();
  return {
    server,
    archive,
    async close() {
      await server.close();
      await archive.close();
      await vault.close();
    },
  };
}

/** Stores a file by STOW-RS and gives the path of its instance; undefined when it was refused, which is never our fault. */
export async function storeIn({ server }: Pick<OpenDoor, "server">, bytes: Uint8Array): Promise<string | undefined> {
  const answer = await server.inject({
    method: "POST",
    url: "/dicom-web/studies",
    headers: { "content-type": "application/dicom" },
    payload: Buffer.from(bytes),
  });
  assert.ok(answer.statusCode < 500, `stored with ${answer.statusCode}: ${answer.body}`);
  const [item] = ((answer.json() as DicomJson)["00081199"]?.Value ?? []) as DicomJson[];
  const address = item?.["00081190"]?.Value?.[0];
  return typeof address === "string" ? new URL(address).pathname : undefined;
}
