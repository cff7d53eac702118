import { readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { isIP } from "node:net";
import { join } from "node:path";
import { systemClock } from "#base/clock";
import { newToken, systemRandom } from "#base/id";
import { isLoopback, systemFiles } from "#base/io";
import { isProblem, Problem } from "#base/problem";
import { addCheckpointBytesMost, createCosigner, createWitness, createWitnessRecord, type Witness } from "#trust/audit";
import { type Command, type CommandContext, untilAskedToStop } from "../arguments.ts";

const keyFile = "witness.key";
const requestMsMost = 10_000;
const connectionsMost = 64;

export const witnessInit: Command = {
  words: "witness init",
  takes: "FOLDER [--name NAME]",
  does: "make the key of a witness, which signs that logs only grow (needs no home)",
  options: { name: "NAME  the witness's name in its signatures, for example witness.example.org/1" },
  async run(context) {
    const folder = folderOf(context);
    const name = context.options.name ?? `leadglass.witness/${newToken(systemRandom).slice(0, 16)}`;
    if (Buffer.byteLength(name) > 128) throw new Problem("invalid", "the name of a witness has at most 128 bytes");
    const seed = systemRandom(Buffer.alloc(32));
    const key = createCosigner(name, seed).verifierKey();
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const secret = `${JSON.stringify({ name, seed: Buffer.from(seed).toString("base64") })}\n`;
    await writeFile(join(folder, keyFile), secret, { mode: 0o600, flag: "wx", flush: true }).catch((cause) => {
      throw new Problem("conflict", "there is a witness in this folder, or it cannot be written", {
        remedy: "name another folder: a witness is never made anew, it would have forgotten what it signed",
        cause,
      });
    });
    await systemFiles.syncFolder(folder);
    context.print(key, { name, key });
  },
};

export const witnessRun: Command = {
  words: "witness run",
  takes: "FOLDER --log KEY… [--listen ADDRESS:PORT]",
  does: "sign checkpoints of the logs of these keys until Ctrl-C, each only when the log has only grown (needs no home)",
  options: {
    listen: "ADDRESS:PORT  where (127.0.0.1:7380); 0 picks a free port",
    "tls-cert": "FILE  certificate chain, PEM; needed beyond this machine",
    "tls-key": "FILE  its key, PEM",
  },
  lists: { log: "KEY  verifier key of a log, as `leadglass audit export` writes it; again for another" },
  async run(context) {
    const folder = folderOf(context);
    const { host, port } = listenOf(context.options.listen ?? "127.0.0.1:7380");
    const tls = tlsOf(context.options);
    if (tls === undefined && !isLoopback(host)) {
      throw new Problem("invalid", "refusing to listen beyond this machine without TLS", {
        remedy: "give --tls-cert and --tls-key, or listen on 127.0.0.1 behind something that has them",
      });
    }
    const logKeys = context.lists.log ?? [];
    if (logKeys.length === 0) throw new Problem("invalid", "name at least one log by its key with --log");
    const cosigner = await cosignerIn(folder);
    const { lockHome } = await import("#stores/sql");
    const lock = lockHome(join(folder, "lock"));
    if (lock === undefined) {
      throw new Problem("conflict", "another process is this witness", {
        remedy: "stop it first: two that do not know of each other could sign two trees",
      });
    }
    try {
      const record = createWitnessRecord(systemFiles, folder);
      const witness = await createWitness({ cosigner, logKeys, record, clock: systemClock });
      const listener = answering(witness, (line) => process.stderr.write(`${line}\n`));
      const server =
        tls === undefined ? createServer(limits, listener) : createTlsServer({ ...limits, ...tls }, listener);
      server.maxConnections = connectionsMost;
      const asked = untilAskedToStop(context);
      const bound = await listening(server, host, port);
      const url = `${tls === undefined ? "http" : "https"}://${isIP(host) === 6 ? `[${host}]` : host}:${bound}`;
      context.print(`the witness ${cosigner.verifierKey()} answers at ${url}`, { url, key: cosigner.verifierKey() });
      await asked;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    } finally {
      lock.release();
    }
  },
};

const limits = { requestTimeout: requestMsMost, headersTimeout: requestMsMost, maxHeaderSize: 8 * 1024 };

function folderOf({ positionals }: CommandContext): string {
  const [folder] = positionals;
  if (folder === undefined) throw new Problem("invalid", "name the folder of the witness");
  return folder;
}

function listenOf(text: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? "";
  if (isIP(host) === 0 || Number(port) > 65_535)
    throw new Problem("invalid", "--listen takes an IP address and a port");
  return { host, port: Number(port) };
}

function tlsOf(options: CommandContext["options"]): { cert: Buffer; key: Buffer } | undefined {
  const { "tls-cert": cert, "tls-key": key } = options;
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw new Problem("invalid", "--tls-cert and --tls-key go together");
  try {
    return { cert: readFileSync(cert), key: readFileSync(key) };
  } catch (cause) {
    throw new Problem("absent", "the certificate or its key cannot be read", { cause });
  }
}

async function cosignerIn(folder: string) {
  const text = await readFile(join(folder, keyFile), "utf8").catch((cause) => {
    throw new Problem("absent", "there is no witness in this folder", {
      remedy: "leadglass witness init FOLDER",
      cause,
    });
  });
  try {
    const { name, seed } = JSON.parse(text) as { name: string; seed: string };
    return createCosigner(name, Buffer.from(seed, "base64"));
  } catch (cause) {
    throw new Problem("damaged", "the key of the witness cannot be read", { remedy: "restore it from a copy", cause });
  }
}

function listening(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(new Problem("unavailable", "the witness cannot listen there", { remedy: "name another port", cause }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/** `POST …/add-checkpoint` and nothing else. */
function answering(witness: Witness, say: (line: string) => void): RequestListener {
  return async (request, response) => {
    const answer = (status: number, type: string, body: string) => {
      response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
      response.end(body);
    };
    try {
      if (request.url !== "/add-checkpoint") return answer(404, "text/plain", "not found\n");
      if (request.method !== "POST") return answer(405, "text/plain", "POST only\n");
      const pieces: Buffer[] = [];
      let length = 0;
      for await (const piece of request) {
        length += (piece as Buffer).length;
        if (length > addCheckpointBytesMost) break;
        pieces.push(piece as Buffer);
      }
      if (length > addCheckpointBytesMost) return answer(413, "text/plain", "too large\n");
      const { status, type, body } = await witness.addCheckpoint(Buffer.concat(pieces));
      if (status === 409 || status === 422) say(`refused with ${status}: ${body.trim()}`);
      answer(status, type, body);
    } catch (error) {
      say(`not answered: ${isProblem(error) ? error.message : "a request broke off"}`);
      if (!response.headersSent && !response.destroyed) answer(500, "text/plain", "internal error\n");
    }
  };
}
