import { execFile } from "node:child_process";
import { chmod, chown, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

export interface PostgresServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** The newest PostgreSQL that is installed here; undefined when there is none. */
export async function findPostgres(): Promise<string | undefined> {
  const root = "/usr/lib/postgresql";
  const versions = await readdir(root).catch(() => []);
  const newest = versions
    .map(Number)
    .filter(Number.isInteger)
    .sort((a, b) => b - a)[0];
  return newest === undefined ? undefined : join(root, String(newest), "bin");
}

export const needsPostgres = "needs PostgreSQL: apt install postgresql";

/** A server of its own in a temporary folder, reached by a socket there. It does not sync: it ends with the test. */
export async function startPostgres(programs: string): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), "leadglass-pg-"));
  const data = join(folder, "data");
  const asServer = await serverUser(folder);
  await asServer(join(programs, "initdb"), ["-D", data, "-U", "leadglass", "-A", "trust", "-E", "UTF8", "--no-sync"]);
  const settings = `-c listen_addresses='' -c unix_socket_directories='${folder}' -c fsync=off -c max_connections=20`;
  const control = join(programs, "pg_ctl");
  await asServer(control, ["-D", data, "-o", settings, "-l", join(folder, "log"), "-w", "-s", "start"]);
  return {
    url: `postgres://leadglass@/postgres?host=${encodeURIComponent(folder)}`,
    async stop() {
      await asServer(control, ["-D", data, "-m", "immediate", "-w", "-s", "stop"]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type Run = (program: string, args: readonly string[]) => Promise<unknown>;

/** PostgreSQL refuses to run as root: there, the user that its package made runs it. */
async function serverUser(folder: string): Promise<Run> {
  if (process.getuid?.() !== 0) return (program, args) => execute(program, [...args], { cwd: folder });
  const { stdout } = await execute("id", ["-u", "postgres"]);
  await chown(folder, Number(stdout), -1);
  await chmod(folder, 0o700);
  return (program, args) => execute("runuser", ["-u", "postgres", "--", program, ...args], { cwd: folder });
}
