import assert from "node:assert/strict";
import { test } from "node:test";
import { elementsOf, readDataSet, writeDataSet } from "#formats/dicom";
import { renderFrame } from "#imaging/rendering";
import { displayOf } from "./display.ts";

const words = (...values: number[]) => new Uint8Array(Uint16Array.from(values).buffer);

test("a palette is found in its data set and shown, its first value held below and above", () => {
  const descriptor = new Uint8Array(Uint16Array.of(2, 1, 16).buffer);
  const dataSet = readDataSet(
    writeDataSet(
      elementsOf({
        PhotometricInterpretation: "PALETTE COLOR",
        RedPaletteColorLookupTableDescriptor: descriptor,
        GreenPaletteColorLookupTableDescriptor: descriptor,
        BluePaletteColorLookupTableDescriptor: descriptor,
        RedPaletteColorLookupTableData: words(0, 65535),
        GreenPaletteColorLookupTableData: words(0x8080, 0),
        BluePaletteColorLookupTableData: words(65535, 0x4040),
      }),
      { transferSyntaxUid: "1.2.840.10008.1.2.1" },
    ),
    { transferSyntaxUid: "1.2.840.10008.1.2.1" },
  );
  const frame = {
    ...{ pixels: Uint8Array.of(0, 1, 2), rows: 1, columns: 3, samplesPerPixel: 1, bitsAllocated: 8, bitsStored: 8 },
    ...{ pixelRepresentation: 0, planarConfiguration: 0 as const, photometricInterpretation: "PALETTE COLOR" },
  };
  const picture = renderFrame(frame, displayOf(dataSet, 0, false));
  assert.deepEqual([...picture.pixels], [0, 128, 255, 0, 128, 255, 255, 0, 64]);
});

test("the functional groups of a frame go before the shared ones and those before the data set", () => {
  const group = (center: number) => ({ FrameVOILUTSequence: [{ WindowCenter: center, WindowWidth: 10 }] });
  const dataSet = readDataSet(
    writeDataSet(
      elementsOf({
        WindowCenter: 1,
        WindowWidth: 10,
        SharedFunctionalGroupsSequence: [
          {
            PixelValueTransformationSequence: [{ RescaleSlope: 2, RescaleIntercept: -5, RescaleType: "US" }],
            ...group(2),
          },
        ],
        PerFrameFunctionalGroupsSequence: [{}, group(3)],
      }),
      { transferSyntaxUid: "1.2.840.10008.1.2" },
    ),
    { transferSyntaxUid: "1.2.840.10008.1.2" },
  );
  const centers = [0, 1].map((frame) => displayOf(dataSet, frame, false).windows?.[0]?.center);
  assert.deepEqual(centers, [2, 3]);
  assert.equal(displayOf(dataSet, 1, false).rescaleSlope, 2);
});
