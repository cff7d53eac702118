import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { StatusView } from "#formats/api";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { asOperator, type Slice, search, slicesOf, stow, wholeLog } from "./modality.fixture.ts";

/*
 * A script with a token that copies the archive, on a real server: it is stopped, and let go again by the operator.
 */
let house: RunningHouse;
const patients = [1, 2, 3, 4].map((seed) => slicesOf({ kind: "mr-brain", slices: 1, size: 32, seed })[0] as Slice);

before(async () => {
  house = await startHouse({ environment: { LEADGLASS_REVEALS_PER_MINUTE: "3" } });
});
after(() => house?.remove());

const look = (slice: Slice) => house.fetch(`/dicom-web/studies?StudyInstanceUID=${slice.studyUid}`);

test("who sees more patients in a minute than allowed is stopped, shown to the operator, and goes on when released", async () => {
  assert.equal((await stow(house, patients)).status, 200);
  for (const slice of patients.slice(0, 3)) assert.equal((await look(slice)).status, 200);
  assert.equal((await look(patients[0] as Slice)).status, 200, "one that was seen before does not count");
  assert.equal((await look(patients[3] as Slice)).status, 429);
  assert.equal((await look(patients[0] as Slice)).status, 429, "from then on there is nothing more to see");

  const { stopped } = await asOperator<StatusView>(house, "/api/status");
  assert.equal(stopped.length, 1);
  const actor = stopped[0]?.actor ?? "";
  assert.match(actor, /^client:/);
  assert.match(house.command(["status"]), new RegExp(`stopped: ${actor} since .*leadglass release ${actor}`));
  const refused = (await wholeLog(house)).filter(
    ({ act, outcome }) => act === "identity.search" && outcome === "refused",
  );
  assert.ok(refused.length >= 2);

  assert.equal(house.tryCommand(["release", "client:ff"]).status, 1);
  house.command(["release", actor]);
  assert.equal((await search(house, `/studies?StudyInstanceUID=${patients[0]?.studyUid}`)).length, 1);
});
