import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { allAttributes, isIdentifying, pixelDataTags, Tag, tagOf } from "./index.ts";

test("Every attribute of PS3.15 Table E.1-1 identifies", (t) => {
  const data = process.env.LEADGLASS_DATA ?? join(import.meta.dirname, "../../../shared/data");
  const table = join(data, "standard/confidentiality_profile_attributes.json");
  if (!existsSync(table)) return t.skip("needs the standard's tables: set LEADGLASS_DATA");
  const rows = JSON.parse(readFileSync(table, "utf8")) as { tag: string }[];
  assert.ok(rows.length > 600);
  for (const { tag } of rows) {
    const digits = tag.startsWith("(GGGG") ? "00091001" : tag.replace(/[(),]/g, "");
    for (const digit of ["2", "E"]) {
      assert.ok(isIdentifying(Number.parseInt(digits.replaceAll("X", digit), 16)), `${tag} does not identify`);
    }
  }
});

test("What a picture is made from does not identify", () => {
  const names = `
    SOPClassUID SpecificCharacterSet Modality ImageType Manufacturer SliceThickness KVP ImagePositionPatient
    ImageOrientationPatient SamplesPerPixel PhotometricInterpretation PlanarConfiguration NumberOfFrames Rows Columns
    PixelSpacing BitsAllocated BitsStored HighBit PixelRepresentation WindowCenter WindowWidth RescaleIntercept
    RescaleSlope VOILUTSequence ModalityLUTSequence RedPaletteColorLookupTableData PerFrameFunctionalGroupsSequence
    ReferencedSOPClassUID SegmentSequence ROIContourSequence OverlayRows InstanceNumber SeriesNumber`;
  for (const keyword of names.trim().split(/\s+/)) assert.ok(!isIdentifying(tagOf(keyword)), keyword);
  for (const tag of pixelDataTags) assert.ok(!isIdentifying(tag));
  assert.ok(!isIdentifying(0x60020010));
  assert.ok(!isIdentifying(0x00100000), "a group length");
});

test("Names of people and machines, moments and UIDs identify although the table leaves some out", () => {
  const kinds = new Set(["PN", "AE", "DA", "DT", "TM"]);
  for (const { tag, vrs } of allAttributes()) if (kinds.has(vrs[0]!)) assert.ok(isIdentifying(tag), tag.toString(16));
  for (const keyword of ["SOPInstanceUIDOfConcatenationSource", "MultiFrameSourceSOPInstanceUID", "AssertionUID"]) {
    assert.ok(isIdentifying(tagOf(keyword)), keyword);
  }
});

test("What the dictionary does not know identifies, as do commands and retired repeating groups", () => {
  for (const tag of [0x00100011, 0x9c78d1ed, 0x00000600, 0x10100001, 0x50003000, 0x60013000, 0xfffcfffc]) {
    assert.ok(isIdentifying(tag), tag.toString(16));
  }
});

test("Of the file meta information only what says how the file is written stays", () => {
  const stays = [0x00020000, 0x00020001, 0x00020002, 0x00020010, 0x00020012, 0x00020013];
  for (let tag = 0x00020000; tag < 0x00020200; tag += 1) assert.equal(isIdentifying(tag), !stays.includes(tag));
  assert.equal(stays[3], Tag.TransferSyntaxUID);
});

test("Private elements identify, unless their creator's block is known and they are known safe in it", () => {
  assert.ok(isIdentifying(0x00191008));
  assert.ok(isIdentifying(0x0019100c, "ACME"));
  assert.ok(!isIdentifying(0x0019100c, "SIEMENS MR HEADER"));
  assert.ok(!isIdentifying(0x001942_0c, "SIEMENS MR HEADER"), "in whatever block");
  assert.ok(isIdentifying(0x0019100b, "SIEMENS MR HEADER"));
  assert.ok(isIdentifying(0x0021100c, "SIEMENS MR HEADER"), "in another group");
  assert.ok(!isIdentifying(0x7f011010, "HOLOGIC, Inc."));
  assert.ok(!isIdentifying(0x00190010, "SIEMENS MR HEADER"));
  assert.ok(isIdentifying(0x00190010, "Doe^Jane"));
  assert.ok(isIdentifying(0x0019000c, "SIEMENS MR HEADER"), "outside of all blocks");
});
