import type { Import } from "../imports.ts";
import { isBelow, isTestCode, isWeb, lines, type Place, placeOf, productFloors } from "../layout.ts";
import { type Finding, type Rule, type Source, type Target, type Tree, targetOf } from "../tree.ts";

/** An import and the first of the rules below that it breaks. */
interface Judgement {
  readonly rule: "floors" | "front-door" | "apart" | "sideways" | "test-code";
  readonly message: string;
}

type FileTarget = Extract<Target, { kind: "file" }>;

/** Both ends of an import between two folders. */
interface Step {
  readonly from: Place;
  readonly to: Place;
  readonly path: string;
  readonly target: FileTarget;
}

const webMayUse = ["formats", "imaging"];
const madeOfOneFolder = ["tests", "bench"];

function judge(source: Source, { specifier }: Import): Judgement | undefined {
  const from = placeOf(source.path);
  if (from === undefined) return undefined;
  if (specifier === undefined) return judgeComputed(source.path);
  const target = targetOf(source.path, specifier);
  if (target.kind === "unknown") {
    return { rule: "front-door", message: `"${specifier}" is no front door: write #floor/folder, as in #trust/vault` };
  }
  if (target.kind === "package" && from.floor === "base" && !isTestCode(source.path)) {
    return { rule: "floors", message: `base imports nothing, and this imports the package ${target.name}: move it up` };
  }
  if (target.kind !== "file") return undefined;
  const to = placeOf(target.path);
  if (to === undefined) return judgeOutside(source.path, specifier);
  if (!isTestCode(source.path) && isTestCode(target.path)) {
    return { rule: "test-code", message: `${target.path} is test code: the product never imports it` };
  }
  const step: Step = { from, to, path: source.path, target };
  return isOwn(from, to) ? judgeOwn(step) : (judgeDirection(step) ?? judgeDoor(step));
}

function isOwn(from: Place, to: Place): boolean {
  if (from.floor !== to.floor) return false;
  return from.folder === to.folder || madeOfOneFolder.includes(from.floor);
}

function judgeComputed(path: string): Judgement | undefined {
  if (isTestCode(path)) return undefined;
  return {
    rule: "front-door",
    message: "a computed import cannot be followed: name the file, or take what it gives as an argument",
  };
}

function judgeOutside(path: string, specifier: string): Judgement | undefined {
  if (isTestCode(path) || path.split("/").length <= 3) return undefined;
  return { rule: "front-door", message: `"${specifier}" leaves the floors: take it as an argument` };
}

function judgeOwn({ to, target }: Step): Judgement | undefined {
  if (!target.byName) return undefined;
  return {
    rule: "front-door",
    message: `a file imports its own folder as ./x.ts, not through #${to.floor}/${to.folder}`,
  };
}

function judgeDirection({ from, to, path, target }: Step): Judgement | undefined {
  const names = `${nameOf(from)} imports ${nameOf(to)}`;
  if (isTestCode(path) && mayTestUse(target.path)) return undefined;
  if (isWeb(path)) {
    if (webMayUse.includes(to.floor)) return undefined;
    return {
      rule: "apart",
      message: `${names}: the browser application uses formats and imaging only; ask the server for the rest`,
    };
  }
  if (areApart(from, to)) {
    return {
      rule: "apart",
      message: `${names}: doors, stores and each other door never meet; apps bring them together`,
    };
  }
  if (from.floor === to.floor) return judgeSideways(from, to);
  if (isBelow(to.floor, from.floor) || !productFloors.includes(from.floor)) return undefined;
  return {
    rule: "floors",
    message: `${names}: imports go down only; state what you need as a port in ${nameOf(from)}`,
  };
}

/** The stores that stand in for the real ones, the contracts that implementations run, and what those are run on. */
function mayTestUse(path: string): boolean {
  return path === "stores/memory/index.ts" || isShared(path);
}

function isShared(path: string): boolean {
  return /\.(contract|fixture)\.ts$/.test(path);
}

function areApart(from: Place, to: Place): boolean {
  const kept = ["doors", "stores"];
  return kept.includes(from.floor) && kept.includes(to.floor) && !followLine(from, to);
}

function followLine(from: Place, to: Place): boolean {
  const line = lines[from.floor] ?? [];
  const [start, end] = [line.indexOf(from.folder), line.indexOf(to.folder)];
  return from.floor === to.floor && start >= 0 && end > start;
}

function judgeSideways(from: Place, to: Place): Judgement | undefined {
  if (from.floor === "base" || from.floor === "tools" || followLine(from, to)) return undefined;
  const line = lines[from.floor] ?? [];
  const allowed = line.length > 0 ? `the line is ${line.join(" → ")}` : `${from.floor} has no line`;
  return {
    rule: "sideways",
    message: `${nameOf(from)} imports ${nameOf(to)}: ${allowed}; take it as an argument or move it down`,
  };
}

/** Below the apps a folder is reached by its name alone; apps, tests, bench and tools have none, and are reached by path. */
function judgeDoor({ from, to, path, target }: Step): Judgement | undefined {
  if (target.byName) return undefined;
  const hasName = productFloors.includes(to.floor) && to.floor !== "apps";
  if (isTestCode(path) && isShared(target.path)) return undefined;
  // A generator shares with the folder it writes into what both must agree on.
  if (path.startsWith("tools/generators/")) return undefined;
  if ((!hasName || isWeb(path)) && /\/(index|main)\.(ts|mjs)$/.test(target.path)) return undefined;
  const way = hasName ? `import #${to.floor}/${to.folder}` : `import its index.ts or main.ts`;
  return { rule: "front-door", message: `${nameOf(from)} reaches into ${target.path}: ${way}` };
}

function nameOf({ floor, folder }: Place): string {
  return folder === "" ? floor : `${floor}/${folder}`;
}

function findings(tree: Tree, rule: Judgement["rule"]): Finding[] {
  return tree.sources.flatMap((source) =>
    source.imports.flatMap((each) => {
      const judged = judge(source, each);
      if (judged?.rule !== rule) return [];
      return [{ file: source.path, line: source.lineOf(each.at), message: judged.message }];
    }),
  );
}

/** A folder without an index.ts has no front door at all. */
function closedFolders(tree: Tree): Finding[] {
  const closed = new Map<string, Finding>();
  for (const { path } of tree.sources) {
    const place = placeOf(path);
    if (place === undefined || place.folder === "" || place.floor === "apps") continue;
    if (!productFloors.includes(place.floor) || isTestCode(path)) continue;
    const name = nameOf(place);
    if (tree.source(`${name}/index.ts`) !== undefined) continue;
    closed.set(name, {
      file: path,
      line: 1,
      message: `${name} has no index.ts: add one that exports what others may use`,
    });
  }
  return [...closed.values()];
}

export const directionRules: readonly Rule[] = [
  { id: "floors", what: "imports go down only, and base imports nothing", check: (tree) => findings(tree, "floors") },
  {
    id: "front-door",
    what: "another folder is imported through its index.ts by subpath, the own folder by ./x.ts",
    check: (tree) => [...findings(tree, "front-door"), ...closedFolders(tree)],
  },
  {
    id: "apart",
    what: "doors and stores never meet, no door or store imports another, the browser uses formats and imaging only",
    check: (tree) => findings(tree, "apart"),
  },
  {
    id: "sideways",
    what: "sideways imports follow the lines of radiology and trust",
    check: (tree) => findings(tree, "sideways"),
  },
  { id: "test-code", what: "the product imports no test code", check: (tree) => findings(tree, "test-code") },
];
