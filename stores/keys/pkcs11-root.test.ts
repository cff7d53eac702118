import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import type { PKCS11 } from "pkcs11js";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { createTracedFiles } from "#base/io";
import { isProblem } from "#base/problem";
import { createKeyring, openKeyring } from "#trust/vault";
import { testRootKey } from "../../trust/vault/root-key.contract.ts";
import { pkcs11Root } from "./index.ts";
import { type SoftHsm, softHsm } from "./softhsm.fixture.ts";

const parts = { readPin: (file: string) => readFile(file), random: systemRandom, clock: systemClock };
const rootAt = (uri: string) => pkcs11Root({ uri, ...parts });

/** The library in this thread, for what the product never does. */
function pkcs11(hsm: SoftHsm): { library: PKCS11; constants: typeof import("pkcs11js") } {
  const constants = createRequire(import.meta.url)("pkcs11js") as typeof import("pkcs11js");
  const library = new constants.PKCS11();
  library.load(hsm.modulePath);
  try {
    library.C_Initialize({ flags: constants.CKF_OS_LOCKING_OK });
  } catch {}
  return { library, constants };
}

testRootKey("PKCS#11", async (t) => {
  const hsm = softHsm(t);
  return hsm && { source: rootAt(hsm.uri("root")), other: rootAt(hsm.uri("other")) };
});

test("a keyring stands under a key that the token made and never gives out", async (t) => {
  const hsm = softHsm(t);
  if (hsm === undefined) return;
  const { files } = createTracedFiles();
  const place = { files, folder: "home", random: systemRandom, root: rootAt(hsm.uri("keyring", ";id=%01%ff")) };
  const made = await createKeyring(place);
  const opened = await openKeyring(place);
  assert.deepEqual(opened.tenant("main").key("x", 32), made.tenant("main").key("x", 32));
  assert.equal(opened.rootKind(), "pkcs11");
  const { library, constants } = pkcs11(hsm);
  const session = library.C_OpenSession(library.C_GetSlotList(true)[0] as Buffer, constants.CKF_SERIAL_SESSION);
  library.C_Login(session, constants.CKU_USER, (await readFile(hsm.pinFile, "utf8")).trim());
  library.C_FindObjectsInit(session, [{ type: constants.CKA_LABEL, value: "keyring" }]);
  const key = library.C_FindObjects(session) as Buffer;
  library.C_FindObjectsFinal(session);
  assert.throws(
    () => library.C_GetAttributeValue(session, key, [{ type: constants.CKA_VALUE }]),
    /CKR_ATTRIBUTE_SENSITIVE/,
  );
  library.C_CloseSession(session);
});

test("a wrong PIN is told and tried once, and nothing of it is in the error", async (t) => {
  const hsm = softHsm(t);
  if (hsm === undefined) return;
  const wrong = `${hsm.pinFile}.wrong`;
  await writeFile(wrong, "00000000\n");
  const root = rootAt(hsm.uri("root").replace(hsm.pinFile, wrong));
  await assert.rejects(root(), (error) => {
    assert.ok(isProblem(error, "denied"), String(error));
    assert.match(error.message, /PIN .* is wrong/);
    assert.ok(!JSON.stringify({ ...error, message: error.message, cause: String(error.cause) }).includes("00000000"));
    return true;
  });
  await (await rootAt(hsm.uri("root"))()).close();
});

test("a token, a key or a library that is not there is told, each by itself", async (t) => {
  const hsm = softHsm(t);
  if (hsm === undefined) return;
  const settings = { kind: "pkcs11" };
  await assert.rejects(rootAt(hsm.uri("nowhere"))(settings), (error) => isProblem(error, "absent"));
  const noToken = hsm.uri("root").replace("token=leadglass", "token=elsewhere");
  await assert.rejects(
    rootAt(noToken)(),
    (error) => isProblem(error, "unavailable") && /not there/.test(error.message),
  );
  const noLibrary = hsm.uri("root").replace("libsofthsm2", "libnothing");
  await assert.rejects(rootAt(noLibrary)(), (error) => isProblem(error, "unavailable"));
  const noLibraryAtAll = hsm.uri("root").replace("/usr/lib/softhsm/libsofthsm2.so", "/etc/hostname");
  await assert.rejects(rootAt(noLibraryAtAll)(), (error) => isProblem(error, "unavailable"));
});

test("a key that can be taken out of the token is refused", async (t) => {
  const hsm = softHsm(t);
  if (hsm === undefined) return;
  const { library, constants } = pkcs11(hsm);
  const flags = constants.CKF_SERIAL_SESSION | constants.CKF_RW_SESSION;
  const session = library.C_OpenSession(library.C_GetSlotList(true)[0] as Buffer, flags);
  library.C_Login(session, constants.CKU_USER, (await readFile(hsm.pinFile, "utf8")).trim());
  library.C_CreateObject(session, [
    { type: constants.CKA_CLASS, value: constants.CKO_SECRET_KEY },
    { type: constants.CKA_KEY_TYPE, value: constants.CKK_AES },
    { type: constants.CKA_TOKEN, value: true },
    { type: constants.CKA_LABEL, value: "brought" },
    { type: constants.CKA_VALUE, value: randomBytes(32) },
    { type: constants.CKA_SENSITIVE, value: true },
    { type: constants.CKA_EXTRACTABLE, value: false },
    { type: constants.CKA_ENCRYPT, value: true },
    { type: constants.CKA_DECRYPT, value: true },
  ]);
  library.C_CloseSession(session);
  // It lay outside a token once: the token says that it was not always sensitive.
  await assert.rejects(rootAt(hsm.uri("brought"))(), (error) => isProblem(error, "invalid"));
});

test("a lost session is opened again; a token that was removed is told and found again when it is back", async (t) => {
  const hsm = softHsm(t);
  if (hsm === undefined) return;
  const { library } = pkcs11(hsm);
  const root = await rootAt(hsm.uri("root"))();
  t.after(() => root.close());
  const key = randomBytes(32);
  const wrapped = await root.wrap(key, "context");
  library.C_CloseAllSessions(library.C_GetSlotList(true)[0] as Buffer);
  assert.deepEqual(await root.unwrap(wrapped, "context"), key);
  library.C_Finalize();
  const aside = join(hsm.tokens, "..", "..", "aside");
  await rename(hsm.tokens, aside);
  await assert.rejects(root.unwrap(wrapped, "context"), (error) => isProblem(error, "unavailable"));
  await rename(aside, hsm.tokens);
  // SoftHSM looks for tokens when it is initialised.
  library.C_Finalize();
  assert.deepEqual(await root.unwrap(wrapped, "context"), key);
});
