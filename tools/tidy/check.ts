import { type Allowance, allowances } from "./allowances.ts";
import { circleRules } from "./rules/circles.ts";
import { dependencyRules } from "./rules/dependencies.ts";
import { directionRules } from "./rules/directions.ts";
import { homeRules } from "./rules/homes.ts";
import { keeperRules } from "./rules/keepers.ts";
import { nameRules } from "./rules/names.ts";
import { paperRules } from "./rules/papers.ts";
import { portRules } from "./rules/ports.ts";
import { sizeRules } from "./rules/sizes.ts";
import { statementRules } from "./rules/statements.ts";
import { testRules } from "./rules/tests.ts";
import { wordRules } from "./rules/words.ts";
import { type Finding, type Rule, readTree, type Tree } from "./tree.ts";

export interface RuleResult {
  readonly id: string;
  readonly what: string;
  readonly findings: readonly Finding[];
}

export const rules: readonly Rule[] = [
  ...directionRules,
  ...circleRules,
  ...portRules,
  ...homeRules,
  ...keeperRules,
  ...statementRules,
  ...wordRules,
  ...sizeRules,
  ...nameRules,
  ...testRules,
  ...paperRules,
  ...dependencyRules,
];

/** Checks every rule on the tree at `root`. */
export function check(root: string, allowed: readonly Allowance[] = allowances): RuleResult[] {
  const tree = readTree(root);
  const used = new Set<Allowance>();
  const results = rules.map(({ id, what, check: find }) => {
    const findings = find(tree).filter((finding) => {
      const excuse = allowed.find((each) => excuses(each, id, finding));
      if (excuse !== undefined) used.add(excuse);
      return excuse === undefined;
    });
    return { id, what, findings };
  });
  return [
    ...results,
    { id: "allowances", what: "every exception is still needed", findings: stale(tree, allowed, used) },
  ];
}

function excuses({ rule, file, about }: Allowance, id: string, finding: Finding): boolean {
  return rule === id && file === finding.file && (about === undefined || finding.message.includes(about));
}

function stale(tree: Tree, allowed: readonly Allowance[], used: ReadonlySet<Allowance>): Finding[] {
  const table = "tools/tidy/allowances.ts";
  if (tree.source(table) === undefined) return [];
  return allowed
    .filter((each) => !used.has(each))
    .map(({ rule, file }) => ({ file: table, line: 1, message: `${rule} for ${file} excuses nothing: remove it` }));
}
