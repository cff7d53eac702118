import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import { parsePkcs11Uri } from "./pkcs11-uri.ts";

const query = "?module-path=/lib/p11.so&pin-source=file:/run/pin";

test("a URI names token, key, library and the file of the PIN", () => {
  assert.deepEqual(
    parsePkcs11Uri(
      `pkcs11:token=Lead%20glass;object=root%3B1;id=%00%01ab;type=secret-key${query}`.replace("%00", "%02"),
    ),
    {
      modulePath: "/lib/p11.so",
      token: "Lead glass",
      object: "root;1",
      id: Buffer.from([2, 1, 0x61, 0x62]),
      pinFile: "/run/pin",
    },
  );
  const other = "pkcs11:serial=42;slot-id=7;object=k?pin-source=/run/pin&module-path=/x";
  assert.deepEqual(parsePkcs11Uri(other), {
    modulePath: "/x",
    serial: "42",
    slotId: 7,
    object: "k",
    pinFile: "/run/pin",
  });
});

test("what is missing, twice, unknown or unsafe is refused, and a PIN is never repeated", () => {
  for (const uri of [
    "pkcs12:token=a",
    `pkcs11:object=k${query}`,
    `pkcs11:token=a${query}`,
    `pkcs11:token=a;object=k;object=j${query}`,
    `pkcs11:token=a;object=k;type=private${query}`,
    `pkcs11:token=a;object=k;slot-id=x${query}`,
    `pkcs11:token=a;object=%zz${query}`,
    `pkcs11:token=a;object=a%00b${query}`,
    "pkcs11:token=a;object=k?module-path=lib.so&pin-source=/run/pin",
    "pkcs11:token=a;object=k?module-path=/lib.so&pin-source=|cat%20/run/pin",
    "pkcs11:token=a;object=k?module-path=/lib.so",
    `pkcs11:token=a;object=k${query}&pin-value=73194`,
    `pkcs11:token=a;object=k;pin-value=73194${query}`,
  ]) {
    assert.throws(
      () => parsePkcs11Uri(uri),
      (error) => isProblem(error, "invalid") && !error.message.includes("73194"),
      uri,
    );
  }
});

test("any text is parsed or refused, and any label comes back", () => {
  fc.assert(
    fc.property(fc.string(), fc.string({ minLength: 1, unit: "grapheme" }), (junk, label) => {
      try {
        parsePkcs11Uri(`pkcs11:${junk}`);
      } catch (error) {
        assert.ok(isProblem(error, "invalid"));
      }
      if (label.includes("\0")) return;
      let written: string;
      try {
        written = encodeURIComponent(label);
      } catch {
        return;
      }
      assert.equal(parsePkcs11Uri(`pkcs11:token=${written};object=${written}${query}`).object, label);
    }),
  );
});
