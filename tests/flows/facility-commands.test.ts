import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { DeviceView, FacilityView, StudyPage, StudyPlacesView } from "#formats/api";
import { imageFile } from "../../radiology/archive/corrections.fixture.ts";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { slicesOf, storeAll } from "./modality.fixture.ts";

/*
 * Facilities as the operator makes them, on a real server: the tests follow on each other.
 */
let house: RunningHouse;
let folder = "";
before(async () => {
  house = await startHouse();
  folder = mkdtempSync(join(tmpdir(), "lg-facility-"));
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await house?.remove();
});

const asJson = <T>(...words: string[]) => JSON.parse(house.command([...words, "--json"])) as T;

test("a facility is added, listed and renamed; its id stays", () => {
  assert.match(house.command(["facility", "list"]), /no facilities yet/);
  const north = asJson<FacilityView>("facility", "add", "North Wing");
  assert.deepEqual(asJson("facility", "rename", "North Wing", "North"), { ...north, name: "North" });
  assert.deepEqual(asJson<FacilityView[]>("facility", "list"), [{ ...north, name: "North" }]);
  const again = house.tryCommand(["facility", "add", "North"]);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /there already/);
  assert.match(house.tryCommand(["facility", "rename", "Nowhere", "X"]).stderr, /leadglass facility list/);
});

test("a device stands in the facility that it was put into", () => {
  const [north] = asJson<FacilityView[]>("facility", "list");
  const device = asJson<DeviceView>("device", "add", "CT7", "--address", "10.9.8.7", "--facility", "North");
  assert.equal(device.facility, north?.id);
  assert.match(house.command(["device", "list"]), /CT7 .*North/);
  assert.equal(asJson<DeviceView>("device", "add", "CT7", "--address", "10.9.8.7").facility, north?.id);
  assert.equal(asJson<DeviceView>("device", "add", "CT7", "--address", "10.9.8.7", "--facility", "-").facility, "");
  assert.equal(house.tryCommand(["device", "add", "MR1", "--address", "10.9.8.8", "--facility", "Z"]).status, 1);
});

test("what is imported from a facility lies there, and what comes without lies in none", async () => {
  const [north] = asJson<FacilityView[]>("facility", "list");
  const [here, nowhere] = [join(folder, "1.dcm"), join(folder, "2.dcm")];
  writeFileSync(here, imageFile({ AccessionNumber: "A1" }, { study: "1" }));
  writeFileSync(nowhere, imageFile({ PatientID: "P2", PatientName: "Roe^R" }, { study: "2" }));
  house.command(["import", here, "--facility", "North"]);
  house.command(["import", nowhere]);
  assert.equal(house.tryCommand(["import", here, "--facility", "South"]).status, 1);
  const { studies } = (await (await house.fetch("/api/studies")).json()) as StudyPage;
  const placesOf = (patientId: string) =>
    asJson<StudyPlacesView>("study", "places", studies.find((study) => study.patientId === patientId)?.token ?? "");
  assert.deepEqual([placesOf("P1").facility, placesOf("P2").facility], [north?.id, ""]);
  assert.match(placesOf("P1").order, /^[0-9a-f]{32}$/);
  assert.notEqual(placesOf("P1").patient, placesOf("P2").patient);
});

test("what a device sends lies where it stands, and stays there when another sends more of the study", async () => {
  const slices = slicesOf({
    ...{ kind: "mr-brain", slices: 2, size: 64, seed: 88, accessionNumber: "A-88" },
    patient: { name: "Stay^Here", id: "SH-1", birthDate: "19700102", sex: "F" },
  });
  house.command(["facility", "add", "South"]);
  house.command(["device", "add", "MR1", "--address", "127.0.0.1", "--facility", "South"]);
  house.command(["device", "add", "MR2", "--address", "127.0.0.1", "--facility", "North"]);
  await storeAll(house, slices.slice(0, 1), "MR1");
  await storeAll(house, slices.slice(1), "MR2");
  const { studies } = (await (await house.fetch("/api/studies?limit=9")).json()) as StudyPage;
  const study = studies.find(({ patientId }) => patientId === "SH-1");
  assert.equal(study?.instanceCount, 2);
  const south = asJson<FacilityView[]>("facility", "list").find(({ name }) => name === "South");
  assert.equal(asJson<StudyPlacesView>("study", "places", study?.token ?? "").facility, south?.id);
  house.command(["vault", "rebuild"]);
  assert.equal(asJson<StudyPlacesView>("study", "places", study?.token ?? "").facility, south?.id);
});
