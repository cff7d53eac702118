import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isProblem } from "#base/problem";
import { commands } from "../../apps/cli/commands/index.ts";
import { helpFor, parseFor } from "../../apps/cli/index.ts";
import { type RunningHouse, startHouse } from "../house/index.ts";

let house: RunningHouse;
before(async () => {
  house = await startHouse();
});
after(() => house?.remove());

/** Of each word that commands begin with one: started as a person would; what all of them say is looked at without. */
const started = [...new Map(commands.map((command) => [command.words.split(" ")[0], command])).values()].slice(0, 6);

test("every command says with --help what it takes, and does nothing", () => {
  for (const command of commands) {
    const said = helpFor(command);
    assert.ok(said.startsWith(`leadglass ${command.words}`), command.words);
    for (const part of [command.does, "--home", "--json"]) assert.ok(said.includes(part), `${command.words}: ${part}`);
  }
  for (const command of started) {
    const { status, stdout, stderr } = house.tryCommand([...command.words.split(" "), "--help"]);
    assert.deepEqual([status, stdout, stderr], [0, `${helpFor(command)}\n`, ""], command.words);
  }
  const all = house.tryCommand(["--help"]);
  assert.equal(all.status, 0);
  for (const { words } of commands) assert.ok(all.stdout.includes(`leadglass ${words}`));
});

test("a word or an option that is not understood exits with 2 and says what to type", () => {
  for (const command of commands) {
    const notUnderstood = (error: unknown) =>
      isProblem(error, "invalid") &&
      error.message.includes("--no-such-option") &&
      `${error.message} ${error.remedy}`.includes(`leadglass ${command.words} --help`);
    assert.throws(() => parseFor(command, ["--no-such-option"]), notUnderstood, command.words);
  }
  for (const { words } of started) {
    const { status, stdout, stderr } = house.tryCommand([...words.split(" "), "--no-such-option"]);
    assert.equal(status, 2, words);
    assert.equal(stdout, "");
    assert.ok(stderr.includes("--no-such-option") && stderr.includes(`leadglass ${words} --help`), stderr);
  }
  const unknown = house.tryCommand(["no-such-command"]);
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /no such command/);
  for (const incomplete of [
    ["device", "add", "CT1"],
    ["token"],
    ["token", "--client", "a", "--minutes", "-1"],
    ["import"],
  ])
    assert.equal(house.tryCommand(incomplete).status, 2, incomplete.join(" "));
});

test("what fails exits with 1, says why on standard error and what to do next", () => {
  const absent = house.tryCommand(["device", "remove", "NOBODY"]);
  assert.equal(absent.status, 1);
  assert.match(absent.stderr, /no such device\n {2}leadglass device list/);
  assert.equal(house.tryCommand(["import", "/no/such/folder"]).status, 1);
});

test("--json prints one JSON object on standard output and nothing else", () => {
  const lines = [
    ["status"],
    ["device", "add", "MR7", "--address", "127.0.0.7"],
    ["device", "list"],
    ["device", "remove", "MR7"],
    ["token", "--client", "script", "--minutes", "1"],
    ["vault", "check"],
    ["vault", "rebuild"],
    ["audit", "verify"],
  ];
  for (const words of lines) {
    const { status, stdout, stderr } = house.tryCommand([...words, "--json"]);
    assert.equal(status, 0, `${words.join(" ")}: ${stderr}`);
    assert.equal(stdout.trimEnd().split("\n").length, 1);
    assert.equal(typeof JSON.parse(stdout), "object", words.join(" "));
  }
});

test("a start that would open the plain DICOM port to the world is refused and says why", () => {
  const { status, stderr } = house.tryCommand(["start", "--dicom-host", "0.0.0.0"]);
  assert.equal(status, 2);
  assert.match(stderr, /refusing to start: dicomHost/);
});
