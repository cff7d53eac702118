import type { Finding, Rule, Tree } from "../tree.ts";

const decisions = "docs/decisions/";

/** `docs/decisions/0001-what-was-decided.md`, without a gap or a double, each beginning with its title. */
function decisionFaults(tree: Tree): Finding[] {
  const records = tree.files.filter((file) => file.startsWith(decisions) && file !== `${decisions}README.md`);
  let last = 0;
  return records.flatMap((file) => {
    const [, digits = "", rest] = /^(\d{4})(-[a-z0-9-]+\.md)$/.exec(file.slice(decisions.length)) ?? [];
    const wanted = last + 1;
    if (rest === undefined)
      return [{ file, line: 1, message: "a decision is named 0001-what-was-decided.md, by its number" }];
    last = Number(digits);
    if (last < wanted)
      return [{ file, line: 1, message: `the number ${digits} is given twice: take the next free one` }];
    if (last > wanted)
      return [{ file, line: 1, message: `no decision has the number before ${digits}: number them in a row` }];
    return tree.read(file)?.startsWith("# ") ? [] : [{ file, line: 1, message: "begins with its title: # …" }];
  });
}

const binary = /\.(png|jpe?g|gif|ico|webp|wasm|woff2?|ttf|gz|zip|dcm|bin|sqlite|pdf)$/i;

/** Hosts that packages come from: a clone installs from whatever its machine is set up for. */
const host = /\b(?:registry|deb|pypi|mirror|npm)\.[a-z0-9-]+\.(?:org|net|com|io|dev)\b/;
const lockedHost = /^\s*"resolved": "https?:/;

function hostFaults(tree: Tree): Finding[] {
  return grep(tree, (line, file) => {
    if (file === "package-lock.json" && lockedHost.test(line)) {
      return "the lock file names a host: npm install --omit-lockfile-registry-resolved";
    }
    const found = host.exec(line)?.[0];
    return found === undefined ? undefined : `${found}: name the package, not the host it comes from`;
  });
}

const place = /(?<![\w.-])(?:\/work\/(?:main|shared)\b|\/home\/[a-z][a-z0-9_-]*\/|\/Users\/[A-Za-z])/;

function placeFaults(tree: Tree): Finding[] {
  return grep(tree, (line) => {
    const found = place.exec(line)?.[0];
    return found === undefined ? undefined : `${found} is a place on one machine: write it relative to the checkout`;
  });
}

function grep(tree: Tree, judge: (line: string, file: string) => string | undefined): Finding[] {
  return tree.files.flatMap((file) => {
    if (binary.test(file) || file.endsWith(".generated.ts")) return [];
    return (tree.source(file)?.text ?? tree.read(file) ?? "").split("\n").flatMap((line, index) => {
      const message = judge(line, file);
      return message === undefined ? [] : [{ file, line: index + 1, message }];
    });
  });
}

export const paperRules: readonly Rule[] = [
  { id: "decisions", what: "decisions are numbered in a row and titled", check: decisionFaults },
  { id: "hosts", what: "no file names a host that packages come from", check: hostFaults },
  { id: "places", what: "no file names a place on one machine", check: placeFaults },
];
