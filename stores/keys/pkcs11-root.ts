import { Worker } from "node:worker_threads";
import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import { Problem, type ProblemCode } from "#base/problem";
import { createTurns } from "#base/turns";
import { anotherKind, type RootKey, type RootKeySettings, type RootKeySource } from "#trust/vault";
import { parsePkcs11Uri } from "./pkcs11-uri.ts";
import type { Pkcs11Reply, Pkcs11Request, Pkcs11WorkerData } from "./pkcs11-worker.ts";

const kind = "pkcs11";
const nonceBytes = 12;
const tagBytes = 16;

/** A device that answers slower is counted as gone. */
const answerMsMax = 30_000;

/**
 * A root key in a PKCS#11 token: an AES-256 key that cannot be taken out, used with CKM_AES_GCM and the context as additional data. For a new
 * keyring the key is made where the token has none of that name.
 */
export function pkcs11Root(options: {
  /** RFC 7512, with module-path and pin-source. */
  readonly uri: string;
  /** Reads the file that holds the PIN. */
  readonly readPin: (file: string) => Promise<Uint8Array>;
  readonly random: Random;
  readonly clock: Clock;
}): RootKeySource {
  const place = parsePkcs11Uri(options.uri);
  return async (settings) => {
    if (settings !== undefined && settings.kind !== kind) throw anotherKind(settings, kind);
    const pin = withoutLineEnd(await options.readPin(place.pinFile));
    const token = startWorker({ place, pin, makes: settings === undefined }, options.clock);
    pin.fill(0);
    try {
      const reply = await token.ready;
      const id = "id" in reply ? reply.id : "";
      return rootKeyIn(
        token,
        settings ?? { kind, token: place.token ?? place.serial, object: place.object, id },
        options,
      );
    } catch (error) {
      await token.end();
      throw error;
    }
  };
}

/** A copy with memory of its own: what goes to another thread takes all of the memory with it that it lies in. */
function ownCopy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}

function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 10 || bytes[end - 1] === 13)) end--;
  const text = ownCopy(bytes.subarray(0, end));
  bytes.fill(0);
  return text;
}

function rootKeyIn(token: TokenThread, settings: RootKeySettings, { random }: { readonly random: Random }): RootKey {
  const ask = async (
    does: Pkcs11Request["does"],
    message: Uint8Array,
    nonce: Uint8Array,
    context: string,
  ): Promise<Buffer | undefined> => {
    const bound = ownCopy(Buffer.from(`leadglass root ${context}`, "utf8"));
    const reply = await token.ask({ does, bytes: ownCopy(message), nonce: ownCopy(nonce), context: bound });
    return "bytes" in reply && reply.bytes !== undefined ? Buffer.from(reply.bytes.buffer) : undefined;
  };
  return {
    settings,
    async wrap(key, context) {
      const nonce = random(Buffer.alloc(nonceBytes));
      const sealed = await ask("encrypt", key, nonce, context);
      if (sealed?.length !== key.length + tagBytes) throw problemOf("answer");
      return Buffer.concat([nonce, sealed]);
    },
    async unwrap(wrapped, context) {
      if (wrapped.length < nonceBytes + tagBytes) return undefined;
      const nonce = wrapped.subarray(0, nonceBytes);
      return ask("decrypt", wrapped.subarray(nonceBytes), nonce, context);
    },
    close: () => token.end(),
  };
}

interface TokenThread {
  readonly ready: Promise<Pkcs11Reply>;
  /** One after the other: a session does one thing at a time. */
  ask(request: Pkcs11Request): Promise<Pkcs11Reply>;
  end(): Promise<void>;
}

function startWorker(data: Pkcs11WorkerData, clock: Clock): TokenThread {
  // What is passed is copied: the caller wipes its own.
  const worker = new Worker(new URL("./pkcs11-worker.ts", import.meta.url), { workerData: data });
  let waiting: PromiseWithResolvers<Pkcs11Reply> | undefined;
  let ended: Problem | undefined;
  const settle = (reply: Pkcs11Reply) => {
    const asked = waiting;
    waiting = undefined;
    if ("error" in reply) asked?.reject(problemOf(reply.error));
    else asked?.resolve(reply);
  };
  const end = (problem: Problem) => {
    ended ??= problem;
    waiting?.reject(ended);
    waiting = undefined;
  };
  worker.on("message", settle);
  worker.on("error", (cause) => end(problemOf("library", cause)));
  worker.on("exit", () => end(problemOf("library")));

  const exchange = async (request?: Pkcs11Request): Promise<Pkcs11Reply> => {
    if (ended !== undefined) throw ended;
    waiting = Promise.withResolvers();
    const timer = clock.after(answerMsMax, () => {
      end(problemOf("silent"));
      void worker.terminate();
    });
    if (request !== undefined) worker.postMessage(request, [request.bytes.buffer]);
    try {
      return await waiting.promise;
    } finally {
      timer.stop();
    }
  };
  const turns = createTurns();
  return {
    ready: turns.take(() => exchange()),
    ask: (request) => turns.take(() => exchange(request)),
    async end() {
      await turns.idle();
      const isFirst = ended === undefined;
      ended ??= new Problem("unavailable", "the root key is closed");
      if (isFirst) worker.postMessage("close");
      // The message is served before the thread ends by itself; one that failed has nothing to serve.
      if (isFirst) await new Promise((resolve) => worker.once("exit", resolve));
      await worker.terminate();
    },
  };
}

const told: Readonly<Record<string, readonly [ProblemCode, string, string]>> = {
  "add-on": [
    "unsupported",
    "the add-on for PKCS#11 is not built",
    "build it once: npm rebuild pkcs11js (needs g++, make and python3)",
  ],
  "no token": [
    "unavailable",
    "the PKCS#11 token is not there",
    "plug it in, or check token, serial and slot-id in LEADGLASS_ROOT_KEY",
  ],
  "no key": ["absent", "the PKCS#11 token holds no such key", "check object and id in LEADGLASS_ROOT_KEY"],
  "many keys": [
    "conflict",
    "the PKCS#11 token holds more than one such key",
    "name the one by id in LEADGLASS_ROOT_KEY",
  ],
  "not AES": [
    "invalid",
    "the key in the PKCS#11 token is not an AES key of 256 bits",
    "name another, or let Leadglass make it",
  ],
  extractable: ["invalid", "the key in the PKCS#11 token can be taken out of it", "let Leadglass make one that cannot"],
  silent: ["unavailable", "the PKCS#11 token does not answer", "check the device and its connection"],
  answer: ["fault", "the PKCS#11 token answered with what cannot be", "check that it supports CKM_AES_GCM"],
  CKR_PIN_INCORRECT: [
    "denied",
    "the PIN of the PKCS#11 token is wrong",
    "correct the file that pin-source names; a few more tries lock the token",
  ],
  CKR_PIN_LEN_RANGE: ["denied", "the PIN of the PKCS#11 token is wrong", "correct the file that pin-source names"],
  CKR_PIN_INVALID: ["denied", "the PIN of the PKCS#11 token is wrong", "correct the file that pin-source names"],
  CKR_PIN_LOCKED: ["denied", "the PIN of the PKCS#11 token is locked", "unlock it with the security officer's PIN"],
  CKR_PIN_EXPIRED: ["denied", "the PIN of the PKCS#11 token has expired", "set a new one with the token's own tool"],
  CKR_MECHANISM_INVALID: ["unsupported", "the PKCS#11 token does not know CKM_AES_GCM", "choose a token that does"],
  CKR_TOKEN_NOT_PRESENT: ["unavailable", "the PKCS#11 token was removed", "put it back and try again"],
  CKR_DEVICE_REMOVED: ["unavailable", "the PKCS#11 token was removed", "put it back and try again"],
  CKR_TOKEN_WRITE_PROTECTED: [
    "denied",
    "the PKCS#11 token is write-protected",
    "make the key with the token's own tool",
  ],
};

function problemOf(code: string, cause?: unknown): Problem {
  const [kindOf, message, remedy] = told[code] ?? [
    "unavailable",
    `the PKCS#11 token's library failed (${code})`,
    "check module-path in LEADGLASS_ROOT_KEY, and the token with its own tool",
  ];
  return new Problem(kindOf, message, { remedy, cause });
}
