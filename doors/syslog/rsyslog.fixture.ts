import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "#base/clock";
import { type AuditEvent, type AuditSource, auditMessages } from "./audit-message.ts";
import { type Collector, connectCollector } from "./collector.ts";
import { frameOf } from "./frame.ts";

/** Why there is no collector to test with, or false. */
export function whyNoRsyslog(): string | false {
  const hasDriver = spawnSync("find", ["/usr/lib", "-name", "lmnsd_ossl.so"], { encoding: "utf8" }).stdout !== "";
  const isThere = spawnSync("rsyslogd", ["-v"]).status === 0 || existsSync("/usr/sbin/rsyslogd");
  return isThere && hasDriver ? false : "needs rsyslog: apt install rsyslog rsyslog-openssl";
}

export interface Received {
  readonly priority: string;
  readonly appName: string;
  readonly messageId: string;
  readonly xml: string;
}

export interface Rsyslog {
  readonly port: number;
  start(): Promise<void>;
  /** As a crash does; what it had read and not written is lost. */
  kill(): Promise<void>;
  received(): Received[];
}

export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** A certificate of its own authority for these names, and its key, as PEM. */
export function certificateFor(names: readonly string[]): Identity {
  const folder = mkdtempSync(join(tmpdir(), "leadglass-certificate-"));
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const subject = ["-subj", "/CN=test", "-addext", `subjectAltName=${names.map((name) => `DNS:${name}`).join()}`];
  const made = spawnSync("openssl", ["req", "-x509", ...curve, ...subject, "-out", cert, "-keyout", key]);
  if (made.status !== 0) throw new Error("openssl made no certificate");
  const identity = { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
  rmSync(folder, { recursive: true });
  return identity;
}

export interface RsyslogFiles {
  /** For what it writes. */
  readonly folder: string;
  readonly identity: Identity;
  /** Authority that callers must have a certificate from; absent: they need none. */
  readonly callers?: string;
}

/** Debian's rsyslog as a collector over TLS, that writes each message before it reads the next. */
export async function createRsyslog({ folder, identity, callers }: RsyslogFiles): Promise<Rsyslog> {
  const port = await freePort();
  mkdirSync(folder, { recursive: true });
  const at = (name: string) => join(folder, name);
  writeFileSync(at("key.pem"), identity.key);
  writeFileSync(at("cert.pem"), identity.cert);
  writeFileSync(at("ca.pem"), callers ?? identity.cert);
  writeFileSync(
    at("rsyslog.conf"),
    `$MainMsgQueueType Direct
global(workDirectory="${folder}" maxMessageSize="64k" defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="${at("ca.pem")}"
  defaultNetstreamDriverCertFile="${at("cert.pem")}" defaultNetstreamDriverKeyFile="${at("key.pem")}")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="${callers === undefined ? "anon" : "x509/certvalid"}")
input(type="imtcp" address="127.0.0.1" port="${port}")
template(name="lines" type="string" string="%PRI%|%APP-NAME%|%MSGID%|%msg%\\n")
action(type="omfile" file="${at("messages")}" template="lines")
`,
  );
  let running: ChildProcess | undefined;
  return {
    port,
    async start() {
      running = spawn("/usr/sbin/rsyslogd", ["-n", "-f", at("rsyslog.conf"), "-i", at("pid")], { stdio: "ignore" });
      running.once("exit", () => {
        running = undefined;
      });
      // It names its process when it listens.
      for (let tries = 0; tries < 100 && !existsSync(at("pid")); tries++) await sleep(50);
    },
    async kill() {
      const stopping = running;
      if (stopping === undefined) return;
      const gone = new Promise((resolve) => stopping.once("exit", resolve));
      stopping.kill("SIGKILL");
      await gone;
      rmSync(at("pid"), { force: true });
    },
    received: () => (existsSync(at("messages")) ? linesOf(readFileSync(at("messages"), "utf8")) : []),
  };
}

/** A kill may leave half a line. */
function linesOf(text: string): Received[] {
  return text
    .split("\n")
    .filter((line) => line.endsWith("</AuditMessage>"))
    .map((line) => {
      const [priority = "", appName = "", messageId = "", ...rest] = line.split("|");
      return {
        priority,
        appName,
        messageId,
        xml: rest
          .join("|")
          .trimStart()
          .replace(/^\u{feff}/u, ""),
      };
    });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Sends events that stand in no log, as the sender would. */
export async function sendEvents(events: readonly AuditEvent[], to: Collector, source: AuditSource): Promise<void> {
  const link = await connectCollector(to, systemClock);
  for (const event of events) {
    for (const xml of auditMessages(event, source)) {
      await link.send(frameOf(xml, event, { hostname: "localhost", processId: 1 }));
    }
  }
  await link.finish();
}
