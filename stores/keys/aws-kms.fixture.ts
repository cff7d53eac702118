import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A stand-in for AWS KMS that speaks its wire: JSON 1.1, Signature Version 4 checked, opaque blobs, its error types. */
export interface KmsStandIn {
  readonly endpoint: string;
  /** What it answers the next calls with, before it does its work again. */
  readonly next: (
    | "silence"
    | "hang-up"
    | "not JSON"
    | "endless"
    | { readonly status: number; readonly type: string }
  )[];
  /** Operations that came, with their encryption contexts. */
  readonly calls: { readonly target: string; readonly context: unknown }[];
  close(): Promise<void>;
}

export const accessKeyId = "AKIDEXAMPLE";
export const secretAccessKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

class KmsError extends Error {}

export async function startKms(keyArns: readonly string[]): Promise<KmsStandIn> {
  const keys = new Map(keyArns.map((arn) => [arn, randomBytes(32)]));
  const next: KmsStandIn["next"] = [];
  const calls: { target: string; context: unknown }[] = [];
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces);
    const target = String(request.headers["x-amz-target"]);
    const asked = JSON.parse(body.toString("utf8")) as Asked;
    calls.push({ target, context: asked.EncryptionContext });
    const send = (status: number, answer: object) =>
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(answer));
    const fault = next.shift();
    if (fault === "silence") return;
    if (fault === "hang-up") return void request.socket.destroy();
    if (fault === "not JSON") return void response.writeHead(200).end("<html>");
    if (fault === "endless") return void response.writeHead(200).end(Buffer.alloc(1024 * 1024, 0x20));
    if (fault !== undefined) return void send(fault.status, { __type: fault.type, message: "as told" });
    try {
      checkSignature(request, body);
      send(200, act(keys, target, asked));
    } catch (error) {
      if (!(error instanceof KmsError)) throw error;
      send(400, { __type: `com.amazonaws.kms#${error.message}`, message: "" });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    next,
    calls,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Asked {
  readonly KeyId: string;
  readonly Plaintext?: string;
  readonly CiphertextBlob?: string;
  readonly EncryptionContext?: Readonly<Record<string, string>>;
}

function act(keys: ReadonlyMap<string, Buffer>, target: string, asked: Asked): object {
  const key = keys.get(asked.KeyId);
  if (key === undefined) throw new KmsError("NotFoundException");
  const context = Buffer.from(JSON.stringify(Object.entries(asked.EncryptionContext ?? {}).sort()));
  const name = createHash("sha256").update(asked.KeyId).digest().subarray(0, 8);
  if (target === "TrentService.Encrypt") {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(context);
    const sealed = [cipher.update(Buffer.from(asked.Plaintext ?? "", "base64")), cipher.final(), cipher.getAuthTag()];
    const CiphertextBlob = Buffer.concat([name, nonce, ...sealed]).toString("base64");
    return { CiphertextBlob, KeyId: asked.KeyId, EncryptionAlgorithm: "SYMMETRIC_DEFAULT" };
  }
  if (target !== "TrentService.Decrypt") throw new KmsError("UnknownOperationException");
  const blob = Buffer.from(asked.CiphertextBlob ?? "", "base64");
  if (blob.length < 36) throw new KmsError("InvalidCiphertextException");
  if (!blob.subarray(0, 8).equals(name)) throw new KmsError("IncorrectKeyException");
  const decipher = createDecipheriv("aes-256-gcm", key, blob.subarray(8, 20)).setAAD(context);
  decipher.setAuthTag(blob.subarray(-16));
  try {
    const plain = Buffer.concat([decipher.update(blob.subarray(20, -16)), decipher.final()]);
    return { Plaintext: plain.toString("base64"), KeyId: asked.KeyId };
  } catch {
    throw new KmsError("InvalidCiphertextException");
  }
}

/** Signature Version 4 as AWS describes it, written without a look at any client. */
function checkSignature(request: IncomingMessage, body: Buffer): void {
  const given =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/((\d{8})\/([^/]+)\/kms\/aws4_request), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? "",
    );
  if (given === null) throw new KmsError("MissingAuthenticationToken");
  const [, id, scope = "", day = "", region = "", names = "", signature] = given;
  if (id !== accessKeyId) throw new KmsError("UnrecognizedClientException");
  const signed = names.split(";");
  for (const needed of ["host", "x-amz-date", "x-amz-target"]) {
    if (!signed.includes(needed)) throw new KmsError("IncompleteSignature");
  }
  const date = String(request.headers["x-amz-date"]);
  const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!(Math.abs(at - Date.now()) < 300_000)) throw new KmsError("InvalidSignatureException");
  const sha256 = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("hex");
  const headers = signed
    .map((name) => `${name}:${String(request.headers[name]).trim().replace(/ +/g, " ")}\n`)
    .join("");
  const canonical = ["POST", "/", "", headers, names, sha256(body)].join("\n");
  const text = ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n");
  const mac = (key: string | Buffer, data: string) => createHmac("sha256", key).update(data).digest();
  const key = mac(mac(mac(mac(`AWS4${secretAccessKey}`, day), region), "kms"), "aws4_request");
  if (mac(key, text).toString("hex") !== signature) throw new KmsError("InvalidSignatureException");
}

// In a process of its own, for a test that waits for commands: node aws-kms.fixture.ts ARN…
if (import.meta.main) process.stdout.write((await startKms(process.argv.slice(2))).endpoint);
