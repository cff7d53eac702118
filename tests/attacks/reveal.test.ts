// "No other code path can open the identity half": the call graph of the product, by the compiler's types (reveal-graph.fixture.ts).
import assert from "node:assert/strict";
import { test } from "node:test";
import { root } from "../house/index.ts";
import { type Graph, type Reading, readGraph } from "./reveal-graph.fixture.ts";

/** What opens identity. */
const openings = [
  "trust/vault/index-box.ts openRow",
  "trust/vault/index-box.ts openRowWith",
  "trust/vault/identity-opening.ts IdentityOpening.row",
  "trust/vault/identity-opening.ts IdentityOpening.object",
  "trust/vault/create-vault.ts recoveredFrom",
];

/** The only ways there, and who may go them. */
const ways: Readonly<Record<string, RegExp>> = {
  // Behind the audit entry, the mask and the breaker.
  "trust/vault/reveal.ts createReveal.reveal": /^apps\/server\/house\.ts |^trust\/vault\/reveal\.ts /,
  "trust/vault/reveal.ts createReveal.reveal.openHalf": /^trust\/vault\/reveal\.ts /,
  // The blind index looks for itself; no value leaves it.
  "trust/vault/identity.ts IndexBox.examine": /^radiology\/archive\/blind-[a-z-]+\.ts /,
  "trust/vault/identity.ts IndexBox.amend": /^radiology\/archive\/blind-[a-z-]+\.ts /,
  // Makes the index again; the drill of a backup asks for places only.
  "trust/vault/vault.ts Vault.recover": /^radiology\/archive\/taking-in\.ts |^apps\/server\/drill\.ts proveSome$/,
};

/** Who may hold what opens, or a key that does. */
const holders: Readonly<Record<string, readonly string[]>> = {
  "trust/vault/identity-opening.ts identityOpeningOf": ["createReveal"],
  "trust/vault/identity-opening.ts IdentityOpening.row": ["createReveal.openRows"],
  "trust/vault/identity-opening.ts IdentityOpening.object": ["createReveal.reveal.openHalf"],
  "trust/vault/index-box.ts openRowWith": ["createIndexBox.amend", "createIndexBox.examine", "openRow"],
  "trust/vault/index-box.ts openRow": ["createVault.row"],
  "trust/vault/identity-keys.ts IdentityKeys.keyOf": [
    "createIndexBox.amend",
    "createIndexBox.examine",
    "createIndexBox.sealIdentity",
    "createVault.objectKeyOf",
    "openRow",
  ],
  "trust/vault/stored-half.ts StoredHalf.prove": [
    "createVault.object",
    "createVault.vault.open",
    "imageAt",
    "recoveredFrom",
  ],
};

const named = (graph: Graph, names: readonly string[]): string[] => {
  const found = graph.nodes((name) => names.includes(name));
  const missing = names.filter((name) => !found.some((node) => graph.nameOf(node) === name));
  assert.deepEqual(missing, [], "nothing of that name is in the product any more: this test looks at the wrong things");
  return found;
};

/** The vault's own files, in which the ways begin. */
const within = /^trust\/vault\/(reveal|identity-opening|index-box|create-vault|stored-half|opener|identity-keys)\.ts /;

/** Ways from anywhere else to what opens identity that do not pass by those that are shut. */
function shortcuts(graph: Graph, shut: readonly string[]): string[] {
  const everywhere = graph.nodes((name) => !within.test(name) && !shut.includes(name));
  const wanted = new Set(named(graph, openings));
  const reached = graph.reached(everywhere, new Set(named(graph, shut)));
  return [...wanted].flatMap((node) => {
    if (!reached.has(node)) return [];
    const way = [graph.nameOf(node)];
    for (let at = reached.get(node); at !== undefined; at = reached.get(at)) way.push(graph.nameOf(at));
    return [way.reverse().join(" > ")];
  });
}

/** A holder of a value names it twice: itself, and the variable that it puts it in. */
function holdersOf(graph: Graph, name: string): string[] {
  const users = named(graph, [name]).flatMap((node) => graph.usersOf(node));
  const plain = [...new Set(users)].filter((user) => !users.some((other) => user.startsWith(`${other}.`)));
  return plain.map((user) => user.slice(user.indexOf(" ") + 1)).sort();
}

const product = readGraph(root);

test("whatever is called, identity opens through reveal, the blind index or recovery alone", () => {
  assert.deepEqual(shortcuts(product, Object.keys(ways)), []);
});

test("each of these ways does lead there: with one of them not shut, what opens identity is reached", () => {
  for (const open of Object.keys(ways)) {
    if (open === "trust/vault/reveal.ts createReveal.reveal.openHalf") continue;
    const shut = Object.keys(ways).filter((name) => name !== open);
    assert.notDeepEqual(shortcuts(product, shut), [], open);
  }
});

test("each way is gone by those alone for whom it is there", () => {
  for (const [name, by] of Object.entries(ways)) {
    const users = named(product, [name]).flatMap((node) => product.usersOf(node));
    assert.deepEqual(
      users.filter((user) => !by.test(user) && !user.startsWith("/")),
      [],
      name,
    );
  }
});

test("what opens identity, and the keys that do, are held by those that are known", () => {
  for (const [name, known] of Object.entries(holders)) assert.deepEqual(holdersOf(product, name), known, name);
});

/** Shortcuts as somebody in a hurry would make them. */
const hasty: readonly {
  readonly what: string;
  readonly changed: NonNullable<Reading["changed"]>;
  readonly found: RegExp;
}[] = [
  {
    what: "the vault lets rows be opened",
    changed: {
      "trust/vault/vault.ts": (text) =>
        text.replace(
          "export interface Vault {",
          "export interface Vault {\n  look(row: { studyToken: string; sealed: Uint8Array }): Promise<unknown>;",
        ),
      "trust/vault/create-vault.ts": (text) =>
        text.replace(
          "const vault: Vault = {",
          "const vault: Vault = {\n    look: (row) => openRow({ tenant, identityKeys }, row),",
        ),
      "radiology/archive/archive.ts": (text) =>
        text.replace(
          "function absent()",
          "export const peek = (v: Vault) => v.look(null as never);\nfunction absent()",
        ),
    },
    found: /Vault\.look > .*openRow$/,
  },
  {
    what: "reveal is built with a way past it",
    changed: {
      "trust/vault/reveal.ts": (text) =>
        text
          .replace(
            "return { reveal, breaker };",
            "return { reveal, breaker, peek: (row: SealedIdentity) => opening.row(row) };",
          )
          .replace(
            "readonly breaker: Breaker }",
            "readonly breaker: Breaker; readonly peek: (row: SealedIdentity) => Promise<IdentityValues> }",
          ),
      "radiology/archive/archive.ts": (text) =>
        text.replace(
          "function absent()",
          "export const peek = (r: ReturnType<typeof import('#trust/vault').createReveal>) => r.peek(null as never);\nfunction absent()",
        ),
    },
    found: /archive\.ts peek > .*IdentityOpening\.row$/,
  },
  {
    what: "a key is taken and the row opened by hand, under other names",
    changed: {
      "trust/vault/index-box.ts": (text) => `${text}\nexport const helpful = { really: openRowWith };`,
      "trust/vault/mask.ts": (text) =>
        `import { helpful } from "./index-box.ts";\n${text}\nexport function show() {\n  const { really } = helpful;\n  return [1].map(() => really(null as never, null as never, null as never));\n}`,
    },
    found: /mask\.ts show\b.* > .*openRowWith$/,
  },
];

for (const { what, changed, found } of hasty) {
  test(`a shortcut is found: ${what}`, () => {
    const graph = readGraph(root, { floors: ["trust/vault", "radiology/archive"], changed });
    const way = shortcuts(graph, Object.keys(ways));
    assert.ok(
      way.some((one) => found.test(one)),
      way.join("\n") || "none was found",
    );
  });
}
