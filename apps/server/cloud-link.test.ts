import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { systemRandom } from "#base/id";
import { silentLog } from "#base/log";
import { asProblem } from "#base/problem";
import { encodeEnrolmentCode } from "#doors/link";
import type { EdgeEnrolmentRequest, EdgeReport } from "#formats/api";
import { soundReport } from "../../formats/api/edge-report.fixture.ts";
import { openCloudLink } from "./cloud-link.ts";
import { letThrough, plainSecrets, startLinks } from "./links.fixture.ts";
import { createParcelOffice, type ParcelOfficeKeeper } from "./parcel-office.ts";

/** What the cloud's routes do with a box, over the same registry and authority. */
async function answerTo(request: IncomingMessage): Promise<object> {
  const { edges, authority, links, clock } = house;
  const body = request.method === "POST" ? ((await json(request)) as EdgeEnrolmentRequest) : undefined;
  const { request: pem = "", signingKey = "" } = body ?? {};
  const asking = { software: "1", signingKey, issue: ({ id }: { id: string }) => authority.issue(pem, id) };
  if (request.url === "/api/edges/enrolment") {
    const edge = await edges.invited(Buffer.from(body?.secret ?? "", "hex"), "here");
    return { id: edge.id, name: edge.name, ...(await edges.enrol(edge, asking)) };
  }
  const id = (await links.actorAt(request.socket))?.id.slice("edge:".length) ?? "none";
  const { name } = await edges.named(id);
  if (request.url === "/api/edges/self/report") told.push(body as unknown as EdgeReport);
  if (/self(\/report)?$/.test(request.url ?? "")) return { id, name, at: clock.now(), ...(await office.cloudKeys(id)) };
  return { id, name, ...(await edges.renew(id, asking)) };
}

const told: EdgeReport[] = [];
let house: Awaited<ReturnType<typeof startLinks>>;
let office: ParcelOfficeKeeper;
before(async () => {
  house = await startLinks((request, response) => {
    answerTo(request)
      .catch((error) => {
        const { code, message, remedy } = asProblem(error, "answering");
        response.statusCode = 403;
        return { code, message, remedy };
      })
      .then((said) => response.end(JSON.stringify(said)));
  });
  const folder = mkdtempSync(join(tmpdir(), "lg-cloud-"));
  const { edges, clock } = house;
  office = createParcelOffice({ folder, vault: { secrets: plainSecrets }, edges, clock, random: systemRandom });
});
after(() => house?.close());

test("a box has what it needs of its cloud also where it cannot reach it, and hears of another parcel key", async () => {
  const { edges, authority, clock } = house;
  const parts = { ...{ gate: letThrough([]), clock, log: silentLog, software: "1" }, vault: { secrets: plainSecrets } };
  const folder = mkdtempSync(join(tmpdir(), "lg-box-"));
  const { edge, secret } = await edges.invite("East", "");
  const box = await openCloudLink({ ...parts, folder });
  assert.equal(box.keys(), undefined);
  const code = encodeEnrolmentCode(secret, authority.digest);
  await box.enrol({ url: `https://localhost:${house.cloud.port}`, code });
  const told = await office.cloudKeys(edge.id);
  const { signing, ...rest } = box.keys() ?? assert.fail("it has keys");
  assert.deepEqual(rest, { edgeId: edge.id, ...told });
  assert.deepEqual(await edges.signingKeysOf(edge.id), [signing.publicKey]);
  await box.renew({});
  assert.deepEqual(box.keys()?.signing, signing, "it signs on with its key");
  await box.close();

  const again = await openCloudLink({ ...parts, folder });
  assert.deepEqual(again.keys(), { ...rest, signing }, "nobody was asked");
  await office.changeParcelKey();
  await again.view();
  const { parcelKey } = await office.cloudKeys(edge.id);
  assert.notEqual(parcelKey.id, told.parcelKey.id);
  assert.deepEqual(again.keys(), { ...rest, parcelKey, signing });
  await again.close();
});

const dayMs = 86_400_000;
async function until(isSo: () => boolean): Promise<void> {
  do await new Promise(setImmediate);
  while (!isSo());
  await new Promise(setImmediate);
}

test("a box renews its certificate by itself at two thirds of its life, and says when it is shut out", async () => {
  const { edges, authority, clock } = house;
  const parts = { ...{ gate: letThrough([]), clock, log: silentLog, software: "1" }, vault: { secrets: plainSecrets } };
  const folder = mkdtempSync(join(tmpdir(), "lg-box-"));
  const { edge, secret } = await edges.invite("North", "");
  const code = encodeEnrolmentCode(secret, authority.digest);
  const first = await openCloudLink({ ...parts, folder });
  const enrolled = await first.enrol({ url: `https://localhost:${house.cloud.port}`, code });
  assert.deepEqual([enrolled.name, enrolled.error, enrolled.clockAheadMs], ["North", null, 0]);
  await first.close();

  const again = await openCloudLink({ ...parts, folder });
  clock.advance(19 * dayMs);
  assert.equal((await again.view())?.certificateEndsAt, enrolled.certificateEndsAt);
  again.begin(async () => soundReport(clock.now()));
  const { serial } = await edges.named(edge.id);
  const renewed = Promise.withResolvers<void>();
  const stop = edges.watch(() => void edges.named(edge.id).then(({ nextSerial }) => nextSerial && renewed.resolve()));
  clock.advance(dayMs);
  await renewed.promise;
  stop();
  const view = await again.view();
  assert.ok((view?.certificateEndsAt ?? 0) > enrolled.certificateEndsAt + 18 * dayMs);
  const taken = await edges.named(edge.id);
  assert.deepEqual([taken.serial !== serial, taken.nextSerial], [true, ""], "the new one was shown");

  await edges.revoke(edge.id);
  assert.match((await again.view())?.error?.message ?? "", /was revoked/);
  await assert.rejects(again.renew({}), { code: "unproven" });
  await again.close();
});

test("a box tells how it does once a minute, over one connection; who is shut out stands as not reached", async () => {
  const { edges, authority, clock, acts } = house;
  const parts = { ...{ gate: letThrough([]), clock, log: silentLog, software: "1" }, vault: { secrets: plainSecrets } };
  const { edge, secret } = await edges.invite("South", "");
  const box = await openCloudLink({ ...parts, folder: mkdtempSync(join(tmpdir(), "lg-box-")) });
  assert.equal(box.standing(), undefined);
  await box.enrol({
    url: `https://localhost:${house.cloud.port}`,
    code: encodeEnrolmentCode(secret, authority.digest),
  });
  assert.deepEqual([box.standing()?.isReached, box.standing()?.since], [true, clock.now()]);
  const since = clock.now();
  const connections = () => acts.filter((act) => act === "edge.connect").length;
  const [before, reportsBefore] = [connections(), told.length];
  box.begin(async () => soundReport(clock.now()));
  for (let minute = 0; minute < 3; minute++) {
    clock.advance(minute === 0 ? 0 : 60_000);
    await until(() => told.length === reportsBefore + minute + 1 && box.standing()?.lastContactAt === clock.now());
  }
  assert.deepEqual([told.length - reportsBefore, connections() - before], [3, 1]);
  assert.equal(told.at(-1)?.at, clock.now());
  await edges.revoke(edge.id);
  clock.advance(60_000);
  await until(() => box.standing()?.isReached === false);
  const standing = box.standing();
  assert.match(standing?.error?.message ?? "", /was revoked/);
  assert.deepEqual([standing?.isReached, standing?.since], [false, clock.now()]);
  assert.ok((standing?.since ?? 0) > since);
  await box.close();
});
