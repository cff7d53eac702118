import assert from "node:assert/strict";
import { test } from "node:test";
import type { DataSet } from "./data-set.ts";
import { isDecodedHere } from "./decodable.ts";
import { letters, markersFor } from "./orientation.ts";
import { outward } from "./outward.ts";
import { type Stack, sortSeries } from "./stacks.ts";

const root = "/dicom-web/studies/1/series/2";
const ct = "1.2.840.10008.5.1.4.1.1.2";
const axial = [1, 0, 0, 0, 1, 0];

function instance(values: Record<string, unknown[]>): DataSet {
  const whole = {
    "00080016": [ct],
    "00280010": [4],
    "00280011": [4],
    "00280004": ["MONOCHROME2"],
    "00280100": [16],
    "7FE00010": [],
    ...values,
  };
  return Object.fromEntries(Object.entries(whole).map(([tag, Value]) => [tag, { vr: "UN", Value }]));
}

const slice = (uid: number, number: number, z: number) =>
  instance({ "00080018": [String(uid)], "00200013": [number], "00200032": [0, 0, z], "00200037": axial });

const uidsOf = (stack: Stack) => stack.images.map((image) => image.instance["00080018"]?.Value?.[0]);

test("a spatial series goes by position, the way its numbers run", () => {
  const [down] = sortSeries(root, "2", [slice(1, 2, 30), slice(2, 1, 40), slice(3, 4, 10), slice(4, 3, 20)]) as [Stack];
  assert.deepEqual(uidsOf(down), ["2", "1", "4", "3"]);
  const [mixed] = sortSeries(root, "2", [slice(1, 1, 0), slice(2, 3, 10), slice(3, 2, 20), slice(4, 4, 30)]) as [Stack];
  assert.deepEqual(uidsOf(mixed), ["1", "2", "3", "4"], "numbers that jump do not tear the slices apart");
});

test("several acquisitions at the same places stay in the order of their numbers", () => {
  const [stack] = sortSeries(root, "2", [slice(1, 3, 0), slice(2, 1, 0), slice(3, 2, 10), slice(4, 4, 10)]) as [Stack];
  assert.deepEqual(uidsOf(stack), ["2", "3", "1", "4"]);
});

test("an object of many frames is a stack of its own, and what has no picture is named", () => {
  const shown = sortSeries(root, "2", [
    slice(1, 1, 0),
    instance({ "00080018": ["9"], "00280008": [3], "00181063": [50] }),
    instance({ "00080018": ["10"], "00080016": ["1.2.840.10008.5.1.4.1.1.88.33"], "00280010": [] }),
  ]);
  assert.deepEqual(
    shown.map((each) => (each.kind === "images" ? each.images.map((image) => image.imageId) : each.what)),
    [
      [`wadors:${root}/instances/1/frames/1`],
      [1, 2, 3].map((frame) => `wadors:${root}/instances/9/frames/${frame}`),
      "Structured report",
    ],
  );
  assert.equal((shown[1] as Stack).rate, 20, "frames a second from the frame time");
});

test("pixels that the page cannot decode are left to the server", () => {
  assert.equal(isDecodedHere(instance({ "00083002": ["1.2.840.10008.1.2.4.80"] })), true);
  assert.equal(isDecodedHere(instance({ "00083002": ["1.2.840.10008.1.2.4.92"] })), false);
  assert.equal(isDecodedHere(instance({ "00280002": [3], "00280004": ["RGB"], "00280100": [16] })), false);
  assert.equal(
    isDecodedHere(instance({ "00280004": ["YBR_FULL_422"], "00280100": [8], "00083002": ["1.2.840.10008.1.2.1"] })),
    false,
  );
  assert.equal(
    isDecodedHere(instance({ "00280004": ["YBR_FULL_422"], "00280100": [8], "00083002": ["1.2.840.10008.1.2.4.50"] })),
    true,
  );
});

test("the letters at the edges follow the patient, turned and mirrored", () => {
  const axialSlice = instance({ "00200037": axial });
  assert.deepEqual(markersFor(axialSlice, [1, 0, 0], [0, -1, 0]), { right: "L", left: "R", top: "A", bottom: "P" });
  assert.deepEqual(markersFor(axialSlice, [0, 1, 0], [1, 0, 0]), { right: "P", left: "A", top: "L", bottom: "R" });
  assert.equal(letters([0.7, 0.7, 0]), "LP");
  const chest = instance({ "00200020": ["L", "F"] });
  assert.deepEqual(markersFor(chest, [1, 0, 0], [0, -1, 0]), { right: "L", left: "R", top: "H", bottom: "F" });
  assert.equal(markersFor(instance({}), [1, 0, 0], [0, -1, 0]), undefined);
});

test("images are read ahead from the one in sight outward, each once", () => {
  assert.deepEqual(outward(3, 8, 8), [3, 4, 2, 5, 6, 1, 7, 0]);
  assert.deepEqual(outward(0, 5, 3), [0, 1, 2]);
  for (const at of [0, 4, 9]) assert.equal(new Set(outward(at, 10, 10)).size, 10);
});
