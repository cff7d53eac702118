import assert from "node:assert/strict";
import { test } from "node:test";
import { allAttributes, attributeOf, findTag, implicitVrOf, isSignednessOpen, keywordOf, tagOf } from "./dictionary.ts";
import { attributeNameOf } from "./names.ts";
import { isStorageSopClass, sopClassOf, storageSopClasses } from "./sop-classes.ts";
import { formatTag, parseTag, Tag } from "./tags.ts";
import { allTransferSyntaxes, encodingOf, TransferSyntaxUid, transferSyntaxOf } from "./transfer-syntaxes.ts";
import { isUid } from "./uid.ts";
import { isVr } from "./vr.ts";

test("Every attribute is found by its tag and by its keyword, with VRs of the standard", () => {
  let count = 0;
  for (const { tag, keyword, vrs } of allAttributes()) {
    count += 1;
    assert.equal(attributeOf(tag)?.keyword, keyword);
    if (keyword !== "") assert.equal(findTag(keyword), tag);
    assert.ok(vrs.length > 0 && vrs.every(isVr), formatTag(tag));
    assert.equal(implicitVrOf(tag), vrs[0]);
  }
  assert.ok(count > 5000);
});

test("The tags for daily use are those of the dictionary", () => {
  for (const [keyword, tag] of Object.entries(Tag)) {
    if ((tag & 0xffff0000) >>> 0 !== 0xfffe0000) assert.equal(tagOf(keyword), tag, keyword);
  }
});

test("Repeating groups, private elements and group lengths have the VR of PS3.5", () => {
  assert.equal(keywordOf(0x60020010), "OverlayRows");
  assert.equal(implicitVrOf(0x601e3000), "OW");
  assert.equal(keywordOf(0x60010010), undefined);
  assert.equal(implicitVrOf(0x00290010), "LO");
  assert.equal(implicitVrOf(0x00291010), "UN");
  assert.equal(implicitVrOf(0x00080000), "UL");
  assert.equal(implicitVrOf(0x00020010), "UI");
  assert.equal(findTag("OverlayRows"), 0x60000010);
  assert.equal(isSignednessOpen(0x00280106), true);
  assert.throws(() => tagOf("NoSuchKeyword"), /no keyword NoSuchKeyword/);
});

test("Names are those of PS3.6", () => {
  assert.equal(attributeNameOf(Tag.PatientName), "Patient's Name");
  assert.equal(attributeNameOf(Tag.StudyInstanceUID), "Study Instance UID");
  assert.equal(attributeNameOf(0x00091001), undefined);
});

test("Tags are read from every way of writing them", () => {
  for (const text of ["00100020", "(0010,0020)", "0010,0020", "PatientID"]) assert.equal(parseTag(text), Tag.PatientID);
  for (const text of ["", "0010002", "__proto__", "toString", "0010,00zz"]) assert.equal(parseTag(text), undefined);
});

test("The Basic Profile's actions are those of PS3.15 Table E.1-1", () => {
  assert.equal(attributeOf(Tag.PatientName)?.profileAction, "Z");
  assert.equal(attributeOf(Tag.PatientID)?.profileAction, "Z/D");
  assert.equal(attributeOf(Tag.StudyInstanceUID)?.profileAction, "U");
  assert.equal(attributeOf(Tag.InstitutionName)?.profileAction, "X/Z/D");
  assert.equal(attributeOf(0x60003000)?.profileAction, "X");
  assert.equal(attributeOf(Tag.Rows)?.profileAction, undefined);
});

test("Storage is accepted for every storage class, standard, retired, private and to come, and for no other service", () => {
  assert.ok(storageSopClasses().length > 180);
  assert.equal(sopClassOf("1.2.840.10008.5.1.4.1.1.2")?.name, "CT Image Storage");
  for (const uid of ["1.2.840.10008.5.1.4.1.1.2", "1.3.12.2.1107.5.9.1", "1.2.840.10008.5.1.4.1.1.999"]) {
    assert.equal(isStorageSopClass(uid), true, uid);
  }
  for (const uid of ["1.2.840.10008.1.1", "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.1.3.10", "", "x", "1..2"]) {
    assert.equal(isStorageSopClass(uid), false, uid);
  }
});

test("Transfer syntaxes say how their data sets are written", () => {
  const of = (uid: string) => transferSyntaxOf(uid)!;
  assert.deepEqual(
    Object.values(TransferSyntaxUid).map((uid) => [of(uid).uid, of(uid).explicitVr]),
    Object.values(TransferSyntaxUid).map((uid) => [uid, uid !== "1.2.840.10008.1.2"]),
  );
  assert.equal(of(TransferSyntaxUid.htj2kLossless).loss, "lossless");
  assert.equal(of("1.2.840.10008.1.2.4.203").codec, "htj2k");
  assert.equal(of("1.2.840.10008.1.2.4.112").codec, "jpeg-xl");
  assert.equal(of("1.2.840.10008.1.2.8.1").codec, "deflate");
  assert.equal(of("1.2.840.10008.1.2.4.107").codec, "mpeg");
  assert.equal(encodingOf("1.3.46.1").encapsulated, true);
  assert.equal(new Set(allTransferSyntaxes().map(({ uid }) => uid)).size, allTransferSyntaxes().length);
  assert.ok(allTransferSyntaxes().every(({ uid }) => isUid(uid)));
});

test("A UID has digits, dots, no leading zero and at most 64 characters", () => {
  for (const uid of ["1.2", "2.25.0", "1.02", "1.2.840.10008.1.2"]) assert.equal(isUid(uid), true, uid);
  for (const uid of ["", "1", "1.", ".1", "1.2 ", `1.${"2".repeat(63)}`]) assert.equal(isUid(uid), false, uid);
});
