import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import type { PKCS11 } from "pkcs11js";
import type { Pkcs11Place } from "./pkcs11-uri.ts";

/**
 * One session with a PKCS#11 token, in a thread of its own: its calls do not return before the device has answered.
 */
export interface Pkcs11WorkerData {
  readonly place: Pkcs11Place;
  readonly pin: Uint8Array;
  /** Whether the key is made where the token has none. */
  readonly makes: boolean;
}

export interface Pkcs11Request {
  readonly does: "encrypt" | "decrypt";
  /** Alone in its memory, which goes over to the other thread. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly nonce: Uint8Array;
  readonly context: Uint8Array;
}

/** What the token said: `bytes` is undefined where it found that a message does not prove. The code is a CKR_ name or one of ours. */
export type Pkcs11Reply =
  | { readonly ready: true; readonly id: string }
  | { readonly bytes: Uint8Array<ArrayBuffer> | undefined }
  | { readonly error: string };

class Refusal extends Error {}

const tagBits = 128;
const tagBytes = tagBits / 8;

/** What a token says of a message whose tag is not right; SoftHSM calls it a general error. */
const unproven = [
  "CKR_ENCRYPTED_DATA_INVALID",
  "CKR_ENCRYPTED_DATA_LEN_RANGE",
  "CKR_AEAD_DECRYPT_FAILED",
  "CKR_DATA_INVALID",
  "CKR_GENERAL_ERROR",
];

/** The session is gone and the token may be there still: it is opened anew, once. */
const sessionLost = [
  "CKR_SESSION_HANDLE_INVALID",
  "CKR_SESSION_CLOSED",
  "CKR_USER_NOT_LOGGED_IN",
  "CKR_KEY_HANDLE_INVALID",
  "CKR_OBJECT_HANDLE_INVALID",
  "CKR_CRYPTOKI_NOT_INITIALIZED",
];

/** It is CommonJS and native: what it exports is seen as a whole only. */
async function loadAddOn(): Promise<typeof import("pkcs11js")> {
  try {
    return ((await import("pkcs11js")) as unknown as { default: typeof import("pkcs11js") }).default;
  } catch {
    throw new Refusal("add-on");
  }
}

interface Session {
  readonly session: Buffer;
  readonly key: Buffer;
  readonly id: string;
}

function codeOf(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  return /CKR_[A-Z0-9_]+/.exec((error as Error | undefined)?.message ?? "")?.[0] ?? "library";
}

async function serve(port: MessagePort, { place, pin, makes }: Pkcs11WorkerData): Promise<void> {
  const answer = (reply: Pkcs11Reply) => {
    port.postMessage(reply, "bytes" in reply && reply.bytes !== undefined ? [reply.bytes.buffer] : []);
  };
  let opened: Session;
  let library: PKCS11;
  let pkcs11: typeof import("pkcs11js");
  try {
    pkcs11 = await loadAddOn();
    library = new pkcs11.PKCS11();
    library.load(place.modulePath);
    opened = openSession({ library, pkcs11, place, pin }, makes);
  } catch (error) {
    answer({ error: codeOf(error) });
    return;
  }
  const once = ({ does, bytes, nonce, context }: Pkcs11Request): Uint8Array<ArrayBuffer> | undefined => {
    const parameter = {
      type: pkcs11.CK_PARAMS_AES_GCM,
      iv: Buffer.from(nonce),
      ivBits: nonce.length * 8,
      aad: Buffer.from(context),
      tagBits,
    };
    const mechanism = { mechanism: pkcs11.CKM_AES_GCM, parameter };
    const data = Buffer.from(bytes);
    const out = Buffer.alloc(data.length + 2 * tagBytes);
    try {
      if (does === "encrypt") {
        library.C_EncryptInit(opened.session, mechanism, opened.key);
        return Uint8Array.from(library.C_Encrypt(opened.session, data, out));
      }
      library.C_DecryptInit(opened.session, mechanism, opened.key);
      try {
        return Uint8Array.from(library.C_Decrypt(opened.session, data, out));
      } catch (error) {
        if (unproven.includes(codeOf(error))) return undefined;
        throw error;
      }
    } finally {
      data.fill(0);
      out.fill(0);
    }
  };
  const act = (request: Pkcs11Request): Uint8Array<ArrayBuffer> | undefined => {
    try {
      return once(request);
    } catch (error) {
      if (!sessionLost.includes(codeOf(error))) throw error;
      opened = openSession({ library, pkcs11, place, pin }, false);
      return once(request);
    }
  };
  port.on("message", (request: Pkcs11Request | "close") => {
    if (request === "close") {
      pin.fill(0);
      // Not C_Finalize nor C_Logout: they would end other sessions of this process too. The last session logs out.
      try {
        library.C_CloseSession(opened.session);
      } catch {}
      port.close();
      return;
    }
    try {
      answer({ bytes: act(request) });
    } catch (error) {
      answer({ error: codeOf(error) });
    }
    request.bytes.fill(0);
  });
  answer({ ready: true, id: opened.id });
}

interface Opening {
  readonly library: PKCS11;
  readonly pkcs11: typeof import("pkcs11js");
  readonly place: Pkcs11Place;
  readonly pin: Uint8Array;
}

function openSession(opening: Opening, makes: boolean): Session {
  const { library, pkcs11, pin } = opening;
  try {
    library.C_Initialize({ flags: pkcs11.CKF_OS_LOCKING_OK });
  } catch (error) {
    if (codeOf(error) !== "CKR_CRYPTOKI_ALREADY_INITIALIZED") throw error;
  }
  const slot = slotOf(opening);
  const session = library.C_OpenSession(slot, pkcs11.CKF_SERIAL_SESSION | (makes ? pkcs11.CKF_RW_SESSION : 0));
  try {
    try {
      library.C_Login(session, pkcs11.CKU_USER, Buffer.from(pin).toString("utf8"));
    } catch (error) {
      if (codeOf(error) !== "CKR_USER_ALREADY_LOGGED_IN") throw error;
    }
    return { session, ...keyIn(opening, session, makes) };
  } catch (error) {
    library.C_CloseSession(session);
    throw error;
  }
}

function slotOf({ library, place }: Opening): Buffer {
  for (const slot of library.C_GetSlotList(true)) {
    try {
      const { label, serialNumber } = library.C_GetTokenInfo(slot);
      const isMeant =
        (place.token === undefined || label.trim() === place.token) &&
        (place.serial === undefined || serialNumber.trim() === place.serial) &&
        (place.slotId === undefined || slot.readUInt32LE(0) === place.slotId);
      if (isMeant) return slot;
    } catch {
      // A slot whose token goes while we look is not the one.
    }
  }
  throw new Refusal("no token");
}

function keyIn(opening: Opening, session: Buffer, makes: boolean): Omit<Session, "session"> {
  const { library, pkcs11, place } = opening;
  const template = [
    { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_SECRET_KEY },
    { type: pkcs11.CKA_LABEL, value: place.object },
    ...(place.id ? [{ type: pkcs11.CKA_ID, value: Buffer.from(place.id) }] : []),
  ];
  library.C_FindObjectsInit(session, template);
  const found: Buffer[] = [];
  for (let next = library.C_FindObjects(session); next; next = library.C_FindObjects(session)) found.push(next);
  library.C_FindObjectsFinal(session);
  if (found.length > 1) throw new Refusal("many keys");
  const key = found[0] ?? (makes ? makeKey(opening, session) : undefined);
  if (key === undefined) throw new Refusal("no key");
  checkKey(opening, session, key);
  const [attribute] = library.C_GetAttributeValue(session, key, [{ type: pkcs11.CKA_ID }]);
  return { key, id: Buffer.from((attribute?.value as Buffer | undefined) ?? "").toString("hex") };
}

function makeKey({ library, pkcs11, place }: Opening, session: Buffer): Buffer {
  return library.C_GenerateKey(session, { mechanism: pkcs11.CKM_AES_KEY_GEN }, [
    { type: pkcs11.CKA_TOKEN, value: true },
    { type: pkcs11.CKA_LABEL, value: place.object },
    ...(place.id ? [{ type: pkcs11.CKA_ID, value: Buffer.from(place.id) }] : []),
    { type: pkcs11.CKA_VALUE_LEN, value: 32 },
    { type: pkcs11.CKA_PRIVATE, value: true },
    { type: pkcs11.CKA_SENSITIVE, value: true },
    { type: pkcs11.CKA_EXTRACTABLE, value: false },
    { type: pkcs11.CKA_MODIFIABLE, value: false },
    { type: pkcs11.CKA_ENCRYPT, value: true },
    { type: pkcs11.CKA_DECRYPT, value: true },
    { type: pkcs11.CKA_WRAP, value: false },
    { type: pkcs11.CKA_UNWRAP, value: false },
  ]);
}

/** A root key that can be taken out of its token, or ever could, is none. */
function checkKey({ library, pkcs11 }: Opening, session: Buffer, key: Buffer): void {
  const read = (type: number) => {
    const [attribute] = library.C_GetAttributeValue(session, key, [{ type }]);
    return attribute?.value as Buffer;
  };
  const isTrue = (type: number) => read(type)[0] === 1;
  if (read(pkcs11.CKA_KEY_TYPE).readUInt32LE(0) !== pkcs11.CKK_AES) throw new Refusal("not AES");
  if (read(pkcs11.CKA_VALUE_LEN).readUInt32LE(0) !== 32) throw new Refusal("not AES");
  if (isTrue(pkcs11.CKA_EXTRACTABLE) || !isTrue(pkcs11.CKA_SENSITIVE) || !isTrue(pkcs11.CKA_NEVER_EXTRACTABLE)) {
    throw new Refusal("extractable");
  }
}

if (parentPort !== null) await serve(parentPort, workerData as Pkcs11WorkerData);
