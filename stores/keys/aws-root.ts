import { AwsClient } from "aws4fetch";
import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import { Problem, type ProblemCode } from "#base/problem";
import { anotherKind, type RootKeySource } from "#trust/vault";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const kind = "awskms";
const arnPattern = /^arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:(key|alias)\/[A-Za-z0-9/_-]+$/;

const tries = 5;
const firstPauseMs = 100;
const answerMsMax = 5_000;
const answerBytesMax = 64 * 1024;

/**
 * A root key in AWS KMS: masters are encrypted and decrypted there, with the context as encryption context, so that a decryption shows in
 * the account's own log with the tenant's random id. The key never leaves KMS.
 */
export function awsRoot(options: {
  readonly keyArn: string;
  /** Asked for each call, since some last an hour only. */
  readonly credentials: () => Promise<AwsCredentials>;
  /** Where KMS answers, when not at the region's own address: https, or http on this machine. */
  readonly endpoint?: string;
  readonly clock: Clock;
  readonly random: Random;
}): RootKeySource {
  const { keyArn } = options;
  const region = arnPattern.exec(keyArn)?.[1];
  if (region === undefined) {
    throw new Problem("invalid", "the AWS KMS key is not named by its ARN", {
      remedy: "LEADGLASS_ROOT_KEY=awskms:arn:aws:kms:REGION:ACCOUNT:key/ID",
    });
  }
  const endpoint = checkedEndpoint(options.endpoint ?? `https://kms.${region}.amazonaws.com/`);
  const call = createCaller({ ...options, region, endpoint });
  return async (settings) => {
    if (settings !== undefined && settings.kind !== kind) throw anotherKind(settings, kind);
    let isClosed = false;
    const checkOpen = () => {
      if (isClosed) throw new Problem("unavailable", "the root key is closed");
    };
    return {
      settings: settings ?? { kind, key: keyArn },
      async wrap(key, context) {
        checkOpen();
        const { CiphertextBlob } = await call("Encrypt", { Plaintext: base64(key), ...bound(keyArn, context) });
        return bytesOf(CiphertextBlob);
      },
      async unwrap(wrapped, context) {
        checkOpen();
        if (wrapped.length === 0) return undefined;
        try {
          const { Plaintext } = await call("Decrypt", { CiphertextBlob: base64(wrapped), ...bound(keyArn, context) });
          return bytesOf(Plaintext);
        } catch (error) {
          if (error instanceof Refusal && unproven.includes(error.type)) return undefined;
          throw error;
        }
      },
      async close() {
        isClosed = true;
      },
    };
  };
}

const bound = (keyArn: string, context: string) => ({ KeyId: keyArn, EncryptionContext: { leadglass: context } });
const base64 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");

function bytesOf(text: unknown): Buffer {
  if (typeof text === "string" && text !== "") return Buffer.from(text, "base64");
  throw new Problem("fault", "AWS KMS answered with what cannot be", { remedy: "check the endpoint of the root key" });
}

function checkedEndpoint(text: string): string {
  const url = URL.parse(text);
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(url?.hostname ?? "");
  if (url?.protocol === "https:" || (url?.protocol === "http:" && isLocal)) return url.href;
  throw new Problem("invalid", "the endpoint of the root key is not an https address", {
    remedy: "set LEADGLASS_ROOT_KEY_ENDPOINT to https://…",
  });
}

/** What KMS refused, by its own name for it. */
class Refusal extends Problem {
  readonly type: string;

  constructor(type: string) {
    const [code, message, remedy] = refusals[type] ?? [
      "fault",
      "AWS KMS refused the request",
      "see the key's log in AWS",
    ];
    super(code, `${message} (${type.replace(/[^A-Za-z]/g, "").slice(0, 60)})`, { remedy });
    this.type = type;
  }
}

const unproven = ["InvalidCiphertextException", "IncorrectKeyException"];
const notNow = [
  "ThrottlingException",
  "LimitExceededException",
  "KMSInternalException",
  "DependencyTimeoutException",
  "KeyUnavailableException",
];

const notAllowed = [
  "denied",
  "AWS KMS does not let us use the root key",
  "check the credentials and the key's policy",
] as const;
const notUsable = ["conflict", "the root key in AWS KMS is disabled or being deleted", "enable it in AWS"] as const;
const busy = ["unavailable", "AWS KMS does not answer", "try again; the key stays where it is"] as const;

const refusals: Readonly<Record<string, readonly [ProblemCode, string, string]>> = {
  AccessDeniedException: notAllowed,
  UnrecognizedClientException: notAllowed,
  InvalidSignatureException: [
    "denied",
    "AWS KMS does not accept our signature",
    "check the credentials and this machine's clock",
  ],
  ExpiredTokenException: ["denied", "the AWS credentials have expired", "renew them"],
  IncompleteSignature: notAllowed,
  MissingAuthenticationToken: notAllowed,
  NotFoundException: ["absent", "AWS KMS has no such key", "check the ARN in LEADGLASS_ROOT_KEY"],
  DisabledException: notUsable,
  KMSInvalidStateException: notUsable,
  ...Object.fromEntries(notNow.map((type) => [type, busy])),
};

interface Caller {
  readonly credentials: () => Promise<AwsCredentials>;
  readonly region: string;
  readonly endpoint: string;
  readonly clock: Clock;
  readonly random: Random;
}

type Answer = Readonly<Record<string, unknown>>;

/** Calls of one operation of KMS (AWS JSON 1.1), tried again with growing pauses where the answer is "not now". */
function createCaller(parts: Caller): (operation: string, body: object) => Promise<Answer> {
  const { clock, random } = parts;
  return async (operation, body) => {
    for (let nth = 1; ; nth++) {
      try {
        return await callOnce(parts, operation, JSON.stringify(body));
      } catch (error) {
        const mayPass = error instanceof Refusal ? notNow.includes(error.type) : !(error instanceof Problem);
        if (!mayPass) throw error;
        if (nth === tries) {
          if (error instanceof Problem) throw error;
          throw new Problem(busy[0], busy[1], { remedy: busy[2], cause: error });
        }
        const [jitter = 0] = random(new Uint8Array(1));
        await clock.sleep(firstPauseMs * 2 ** (nth - 1) * (0.5 + jitter / 256));
      }
    }
  };
}

async function callOnce(parts: Caller, operation: string, body: string): Promise<Answer> {
  const { credentials, region, endpoint, clock } = parts;
  const client = new AwsClient({ ...(await credentials()), region, service: "kms" });
  const aborter = new AbortController();
  const timer = clock.after(answerMsMax, () => aborter.abort());
  try {
    const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": `TrentService.${operation}` };
    const datetime = new Date(clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, "");
    const request = await client.sign(endpoint, { method: "POST", headers, body, aws: { datetime } });
    const response = await fetch(request, { redirect: "error", signal: aborter.signal });
    const answer = parsed(await textOf(response));
    if (response.ok && answer !== undefined) return answer;
    // The type may carry a name space in front and an address behind.
    const type = /(?:^|#)([A-Za-z]+)(?::|$)/.exec(String(answer?.__type ?? ""))?.[1];
    if (type !== undefined) throw new Refusal(type);
    throw new Error(`status ${response.status}`);
  } finally {
    timer.stop();
  }
}

async function textOf(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.length;
    if (bytes > answerBytesMax) throw new Error("an answer of too many bytes");
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

function parsed(text: string): Answer | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === "object" && answer !== null ? (answer as Answer) : undefined;
  } catch {
    return undefined;
  }
}
