import { type Finding, type Rule, type Tree, targetOf } from "../tree.ts";

/** Follows imports of every kind, types included, and tells each circle of files once. */
function circles(tree: Tree): Finding[] {
  const found: Finding[] = [];
  const done = new Set<string>();
  for (const { path } of tree.sources) if (!done.has(path)) search(tree, path, done, found);
  return found;
}

/** Depth first from one file: an import of a file that is still open closes a circle. */
function search(tree: Tree, start: string, done: Set<string>, found: Finding[]): void {
  const open: { path: string; next: number }[] = [{ path: start, next: 0 }];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const source = tree.source(top.path);
    const each = source?.imports[top.next++];
    if (source === undefined || each === undefined) {
      done.add(top.path);
      open.pop();
      continue;
    }
    const to = targetPath(tree, top.path, each.specifier);
    if (to === undefined || done.has(to)) continue;
    const back = open.findIndex((entry) => entry.path === to);
    if (back < 0) {
      open.push({ path: to, next: 0 });
      continue;
    }
    const round = [...open.slice(back).map((entry) => entry.path), to];
    const message = `a circle: ${round.join(" → ")}; move what they share into a file of its own`;
    found.push({ file: top.path, line: source.lineOf(each.at), message });
  }
}

function targetPath(tree: Tree, from: string, specifier: string | undefined): string | undefined {
  if (specifier === undefined) return undefined;
  const target = targetOf(from, specifier);
  return target.kind === "file" && tree.source(target.path) !== undefined ? target.path : undefined;
}

export const circleRules: readonly Rule[] = [
  { id: "circles", what: "files import each other without circles", check: circles },
];
