import { type Kysely, sql, type Transaction } from "kysely";
import { Problem } from "#base/problem";
import type { Tables } from "./tables.ts";

/**
 * Who may come in, to be taken to another database of either engine. In the order of their references. What ends by itself stays behind
 * (sessions, known browsers, tokens, invitations, links, requests, callers that wait): an older copy would bring back what was ended since.
 * So do the details of log entries: they may have been erased since. So do edges: one that was revoked since would come in again.
 * What they signed with comes along: what they vouched for is in the packs.
 */
const carried = [
  "accounts",
  "recovery_codes",
  "passkeys",
  "grants",
  "facilities",
  "identity_providers",
  "provided_accounts",
  "clients",
  "oauth_clients",
  "devices",
  "reviews",
  "marked_patients",
  "person_facts",
  "saved_views",
  "records",
  "edge_signing_keys",
] as const satisfies readonly (keyof Tables)[];

const format = "leadglass access 1";

type Value = string | number | null | { readonly base64: string };

interface AccessCopy {
  readonly format: string;
  readonly tables: Readonly<Record<string, readonly Readonly<Record<string, Value>>[]>>;
}

/** All rows that are carried, as they are at one moment. */
export async function copyAccess(database: Kysely<Tables>): Promise<Buffer> {
  const tables = await database
    .transaction()
    .setIsolationLevel("repeatable read")
    .execute(async (tx) => {
      const read: Record<string, Record<string, Value>[]> = {};
      for (const name of carried) {
        const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(name)}`.execute(tx);
        read[name] = rows.map((row) =>
          Object.fromEntries(Object.entries(row).map(([column, value]) => [column, plain(value)])),
        );
      }
      return read;
    });
  return Buffer.from(JSON.stringify({ format, tables } satisfies AccessCopy), "utf8");
}

/** Puts a copy into a database that holds no account, in one transaction. Problem "conflict" when it holds one. */
export async function placeAccess(database: Kysely<Tables>, copy: Uint8Array): Promise<void> {
  const { tables } = parse(copy);
  await database.transaction().execute(async (tx) => {
    const { rows } = await sql`select 1 from accounts limit 1`.execute(tx);
    if (rows.length > 0) {
      throw new Problem("conflict", "the database holds accounts already", { remedy: "name an empty database" });
    }
    for (const name of carried) for (const row of tables[name] ?? []) await insert(tx, name, row);
  });
}

async function insert(tx: Transaction<Tables>, name: string, row: Readonly<Record<string, Value>>): Promise<void> {
  const columns = sql.join(Object.keys(row).map((column) => sql.ref(column)));
  const values = sql.join(Object.values(row).map((value) => sql.val(stored(value))));
  await sql`insert into ${sql.table(name)} (${columns}) values (${values})`.execute(tx);
}

function parse(copy: Uint8Array): AccessCopy {
  const content = JSON.parse(Buffer.from(copy).toString("utf8")) as AccessCopy;
  if (content.format === format) return content;
  throw new Problem("unsupported", "accounts were saved by a version that this one does not know", {
    remedy: "restore with the version that made the backup, or a newer one",
  });
}

function plain(value: unknown): Value {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString("base64") };
  if (value === null || typeof value === "string" || typeof value === "number") return value;
  throw new Problem("fault", "a column of a kind that is not copied");
}

function stored(value: Value): string | number | null | Buffer {
  return typeof value === "object" && value !== null ? Buffer.from(value.base64, "base64") : value;
}
