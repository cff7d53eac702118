import { isTestCode } from "./layout.ts";

/** Something that only some folders may touch, and the reason; everyone else takes it as an argument. */
export interface Home {
  /** Modules of Node or packages (a trailing `*` stands for any ending). */
  readonly modules?: readonly string[];
  /** Exports of those modules that anyone may import: they only reckon. */
  readonly harmless?: readonly string[];
  /** Exports of `node:crypto`. */
  readonly crypto?: readonly string[];
  /** Globals, or members of globals. */
  readonly globals?: readonly string[];
  /** Starts of paths. */
  readonly at: readonly string[];
  /** Whether test code may as well: a test of files needs files. */
  readonly inTests: boolean;
  readonly instead: string;
}

/** The one table of who may touch what. The reason for each home stands beside it. */
export const homes: readonly Home[] = [
  {
    // base/io is the way to files; apps read configuration before there is anything to inject.
    modules: ["node:fs", "node:fs/promises"],
    at: ["base/io/", "apps/server/", "apps/cli/", "apps/web/vite.config.ts"],
    inTests: true,
    instead: "take Files (#base/io) as an argument",
  },
  {
    // Doors are the wire; apps open the listeners.
    modules: [
      "node:net",
      "node:tls",
      "node:http",
      "node:https",
      "node:http2",
      "node:dgram",
      "node:dns",
      "node:dns/promises",
    ],
    at: ["doors/", "apps/server/", "apps/cli/"],
    inTests: true,
    harmless: ["isIP", "isIPv4", "isIPv6", "BlockList", "SocketAddress"],
    instead: "sockets belong to doors: state a port",
  },
  {
    // S3 is reached by fetch; the browser application asks its server.
    globals: ["fetch", "WebSocket", "XMLHttpRequest", "EventSource", "navigator.sendBeacon"],
    at: ["doors/", "stores/", "apps/"],
    inTests: true,
    instead: "requests belong to doors and stores: state a port",
  },
  {
    modules: ["fastify", "@fastify/*", "ws"],
    at: ["doors/", "apps/server/"],
    inTests: true,
    instead: "HTTP belongs to doors",
  },
  {
    // The one schema and the one set of queries.
    modules: ["pg", "kysely", "node:sqlite"],
    at: ["stores/sql/"],
    inTests: true,
    instead: "databases belong to stores/sql: state a port",
  },
  {
    modules: ["node:child_process", "node:cluster", "node:repl", "node:inspector", "node:v8", "node:vm", "node:module"],
    at: ["apps/server/", "apps/cli/"],
    inTests: true,
    instead: "processes are started by apps: take the part as an argument",
  },
  {
    // SQLite runs in a worker of its own: it would block the loop.
    modules: ["node:worker_threads"],
    at: ["stores/", "apps/server/", "apps/cli/"],
    inTests: true,
    instead: "workers are started by apps and stores: take the part as an argument",
  },
  {
    modules: ["node:process"],
    globals: ["process"],
    at: ["apps/server/", "apps/cli/", "apps/web/vite.config.ts"],
    inTests: true,
    instead: "only apps read the environment: take the value as an argument",
  },
  {
    modules: ["node:os"],
    at: ["base/io/", "apps/server/", "apps/cli/"],
    inTests: true,
    instead: "only apps read the machine: take the value as an argument",
  },
  {
    // The browser application has the browser's clock alone: it may not import base.
    modules: ["node:timers", "node:timers/promises", "node:perf_hooks"],
    globals: [
      "Date.now",
      "performance.now",
      "performance.timeOrigin",
      "setTimeout",
      "setInterval",
      "AbortSignal.timeout",
    ],
    at: ["base/clock/", "apps/web/"],
    inTests: true,
    instead: "take Clock (#base/clock) as an argument",
  },
  {
    crypto: ["randomBytes", "randomFill", "randomFillSync", "randomInt", "randomUUID", "getRandomValues"],
    globals: ["crypto.getRandomValues", "crypto.randomUUID"],
    at: ["base/id/", "apps/web/"],
    inTests: true,
    instead: "take Random (#base/id) as an argument",
  },
  {
    // A key pair is drawn where keys are made; there is no way to hand OpenSSL our own randomness.
    crypto: ["generateKey", "generateKeySync", "generateKeyPair", "generateKeyPairSync", "generatePrime", "webcrypto"],
    at: ["trust/", "stores/keys/", "apps/server/", "apps/cli/"],
    inTests: true,
    instead: "keys are made in trust and stores/keys",
  },
  {
    globals: ["Math.random"],
    at: [],
    inTests: false,
    instead: "take Random (#base/id) as an argument; seededRandom where it must repeat",
  },
  {
    // Memory that was somebody else's: only where every byte is written before any is read. See allowances.ts.
    globals: ["Buffer.allocUnsafe", "Buffer.allocUnsafeSlow"],
    at: [],
    inTests: true,
    instead: "use Buffer.alloc, or list the file in tools/tidy/allowances.ts with the reason",
  },
  {
    globals: ["eval", "Function"],
    at: [],
    inTests: false,
    instead: "code is never made from text",
  },
  {
    // The viewer keeps nothing on the reader's disk.
    globals: ["localStorage", "sessionStorage", "indexedDB", "caches", "document.cookie", "navigator.serviceWorker"],
    at: [],
    inTests: true,
    instead: "the browser keeps nothing on disk: keep it in memory or on the server",
  },
];

export function isAtHome(path: string, home: Home): boolean {
  return (home.inTests && isTestCode(path)) || home.at.some((start) => path.startsWith(start));
}
