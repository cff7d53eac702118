/** The floors from the ground up, as DESIGN and CONTRIBUTING name them. A floor imports only what stands below it. */
const height: Readonly<Record<string, number>> = {
  base: 0,
  formats: 1,
  imaging: 2,
  trust: 3,
  radiology: 4,
  stores: 5,
  doors: 5,
  apps: 6,
  bench: 7,
  tests: 7,
  tools: 7,
};

export const floors = Object.keys(height);

/** The floors that are the product. The rest measures, tests or makes it. */
export const productFloors = ["base", "formats", "imaging", "trust", "radiology", "stores", "doors", "apps"];

/** Floors that run in the browser too: nothing of Node in them. */
export const browserFloors = ["formats", "imaging"];

/** Who may import whom on one floor: each folder those after it in the line, never back. A folder not named stands apart. */
export const lines: Readonly<Record<string, readonly string[]>> = {
  radiology: [
    "uplink",
    "migration",
    "relay",
    "routing",
    "reports",
    "worklist",
    "images",
    "archive",
    "workitems",
    "schedule",
    "orders",
    "patients",
  ],
  trust: ["residency", "parcels", "vault", "access", "audit"],
  apps: ["cli", "server", "home"],
  // The spool writes as packs do, and finds by a database.
  stores: ["spool", "packs", "sql"],
  // The ground floor has no line of its own: clock, problem, id, log, io and limits use each other without a circle.
};

/** Where a file stands. `folder` is empty for a file that lies on the floor itself (`bench/main.ts`). */
export interface Place {
  readonly floor: string;
  readonly folder: string;
}

export function placeOf(path: string): Place | undefined {
  const [floor = "", folder = "", ...rest] = path.split("/");
  if (height[floor] === undefined || folder === "") return undefined;
  return { floor, folder: rest.length > 0 ? folder : "" };
}

export function isBelow(lower: string, upper: string): boolean {
  return (height[lower] ?? Number.POSITIVE_INFINITY) < (height[upper] ?? Number.NEGATIVE_INFINITY);
}

/** Test code may use more than the product: files, time, the memory stores. The product never imports it. */
export function isTestCode(path: string): boolean {
  return /\.(test|contract|fixture)\.(ts|tsx)$/.test(path) || /^(tests|bench|tools)\//.test(path);
}

export function isGenerated(path: string): boolean {
  return path.endsWith(".generated.ts");
}

export function isWeb(path: string): boolean {
  return path.startsWith("apps/web/");
}
