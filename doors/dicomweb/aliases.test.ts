import assert from "node:assert/strict";
import { test } from "node:test";
import { createAliases } from "./aliases.ts";

test("paths of other archives lead to ours, for our own AE title alone", () => {
  const of = createAliases({ root: "/dicom-web", aeTitle: "LEAD GLASS" });
  const same = ["/", "/studies", "/wadox", "/aets/OTHER/rs/studies", "/aets/LEAD%20GLASSX/rs", "/dicomwebs", "//wado"];
  assert.deepEqual(same.map(of), same);
  const others = [
    "/aets/LEAD%20GLASS/rs/studies?limit=1",
    "/aets/LEAD%20GLASS/wado?a=b",
    "/dicomweb/studies",
    "/wado?x",
  ];
  assert.deepEqual(others.map(of), [
    "/dicom-web/studies?limit=1",
    "/dicom-web/wado?a=b",
    "/dicom-web/studies",
    "/dicom-web/wado?x",
  ]);
});
