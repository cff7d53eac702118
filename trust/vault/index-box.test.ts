import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openVault } from "./vault.fixture.ts";

test("rows of one study are as long whatever the name is, and open as they were", async () => {
  const { vault } = await openVault();
  const studyToken = await vault.studyToken("1.2.3", "patient");
  const lengths = new Set<number>();
  const rest = "x".repeat(200);
  for (const name of [
    "Li^Bo",
    "Wolfeschlegelsteinhausen^Hubert",
    "J\u00f6rg^M\u00fcller",
    "\u5c71\u7530^\u592a\u90ce",
  ]) {
    const identity = { uid: "1.2.3", values: { PatientName: name, StudyDescription: rest } };
    const sealed = await vault.indexBox.sealIdentity(studyToken, identity);
    lengths.add(sealed.length);
    await vault.indexBox.examine([{ studyToken, sealed }], (opened) => {
      assert.deepEqual(opened, identity);
      return true;
    });
  }
  assert.equal(lengths.size, 1);
  await vault.close();
});

test("a row of any values is a multiple of 128 bytes and opens as it was, amended too", async () => {
  const { vault } = await openVault();
  const studyToken = await vault.studyToken("1.2.3", "patient");
  const overhead = 1 + 12 + 16;
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string(), fc.string({ unit: "grapheme" })), fc.string(), async (values, uid) => {
      const sealed = await vault.indexBox.sealIdentity(studyToken, { uid, values });
      const amended = await vault.indexBox.amend({ studyToken, sealed }, (held) => ({ ...held, uid: `${held.uid}1` }));
      assert.ok(amended);
      for (const row of [sealed, amended]) assert.equal((row.length - overhead) % 128, 0);
      const [isSame] = await vault.indexBox.examine([{ studyToken, sealed: amended }], (opened) => {
        return opened.uid === `${uid}1` && JSON.stringify(opened.values) === JSON.stringify(values);
      });
      assert.ok(isSame);
    }),
    { numRuns: 200 },
  );
  await vault.close();
});
