import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { unescapeText } from "./escapes.ts";
import { escapeText, type Message, partOf, rawAt, readMessage, segmentNamed, textAt, writeMessage } from "./index.ts";

const bytesOf = (text: string) => Buffer.from(text, "utf8");
const header = "MSH|^~\\&|HIS|CLINIC|LEADGLASS|RAD|20260301080000||ADT^A08^ADT_A01|17|P|2.5.1";

function read(text: string | Uint8Array): Message {
  const reading = readMessage(typeof text === "string" ? bytesOf(text) : text);
  assert.equal(reading.kind, "message", JSON.stringify(reading));
  return (reading as { message: Message }).message;
}
function faultOf(
  text: string | Uint8Array,
  ...limits: Parameters<typeof readMessage> extends [unknown, ...infer L] ? L : never
) {
  const reading = readMessage(typeof text === "string" ? bytesOf(text) : text, ...limits);
  assert.equal(reading.kind, "refused");
  return (reading as { fault: { condition: string } }).fault.condition;
}

test("segments end in CR, LF or CRLF, and a line feed within a CR message is part of a value", () => {
  for (const end of ["\r", "\n", "\r\n"]) {
    const message = read([header, "PID|1||A1", "", "NTE|1||note"].join(end) + end);
    assert.deepEqual(
      message.segments.map(({ name }) => name),
      ["MSH", "PID", "NTE"],
    );
  }
  const inside = read(`${header}\rNTE|1||one\ntwo\r`);
  assert.equal(textAt(inside, segmentNamed(inside, "NTE"), 3), "one\ntwo");
});

test("a value that is absent says nothing, and one of two quotes that there is none", () => {
  const message = read(`${header}\rPID|1||""|`);
  const pid = segmentNamed(message, "PID");
  assert.deepEqual([rawAt(pid, 3), rawAt(pid, 4), rawAt(pid, 90)], ['""', "", ""]);
  assert.equal(textAt(message, pid, 3), "");
});

test("escape sequences stand for delimiters, bytes of the character set and line breaks; those not known stay as they are", () => {
  const value = (raw: string, set = "8859/1") => {
    const message = read(`${header}||||||${set}\rNTE|1||${raw}`);
    return textAt(message, segmentNamed(message, "NTE"), 3);
  };
  assert.equal(value("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f"), "a|b^c&d~e\\f");
  assert.equal(value("OPERA\\XC7\\\\XC3\\O"), "OPERAÇÃO");
  assert.equal(value("M\\XC3BC\\ller", "UNICODE UTF-8"), "Müller");
  assert.equal(value("M\\XC3\\\\XBC\\ller", "UNICODE UTF-8"), "Müller");
  assert.equal(value("one\\.br\\two\\.sp2\\three \\H\\loud\\N\\"), "one\ntwo\n\nthree loud");
  assert.equal(value("\\Zown\\ \\C2842\\ lone\\"), "\\Zown\\ \\C2842\\ lone\\");
});

test("character sets: what MSH-18 says, what senders without it really send, Japanese by its escape sequences", () => {
  const named = (set: string, bytes: Uint8Array) =>
    read(Buffer.concat([bytesOf(`${header}||||||${set}\rNTE|1||`), bytes, bytesOf("\r")]));
  const text = (message: Message) => textAt(message, segmentNamed(message, "NTE"), 3);
  assert.equal(text(named("8859/1", Buffer.from("Müller", "latin1"))), "Müller");
  assert.equal(text(named("", Buffer.from("Müller", "latin1"))), "Müller");
  assert.equal(text(named("", bytesOf("Müller"))), "Müller");
  assert.equal(text(named("8859/5", Uint8Array.of(0xb8, 0xd2, 0xd0, 0xdd))), "Иван");
  assert.equal(text(named("8859/15", Uint8Array.of(0xa4))), "€");
  // Yamada in JIS X 0208, whose second bytes are `|` and `^` elsewhere; katakana of JIS X 0201.
  const kanji = Buffer.from("\u001b$B;3ED\u001b(B", "latin1");
  const japanese = named("ISO IR14~ISO IR87", Buffer.concat([kanji, Uint8Array.of(0xd4, 0xcf)]));
  assert.equal(text(japanese), "山田ﾔﾏ");
  assert.deepEqual(Buffer.from(writeMessage(japanese) ?? []).includes(kanji), true);
});

test("what is no message is refused with a reason, and the header is there to answer by where it is sound", () => {
  assert.equal(faultOf(""), "segmentSequence");
  assert.equal(faultOf("GET / HTTP/1.1\r\n"), "segmentSequence");
  assert.equal(faultOf(`FHS|^~\\&|HIS\rBHS|^~\\&|HIS\r${header}`), "segmentSequence");
  assert.equal(faultOf("MSH|^^\\&|HIS"), "segmentSequence");
  assert.equal(faultOf("MSHA^~\\&AHIS"), "segmentSequence");
  assert.equal(faultOf(`${header}\rnothing like a segment`), "segmentSequence");
  assert.equal(faultOf(`${header}\r${header}`), "segmentSequence");
  assert.equal(faultOf(`${header}||||||BIG-5\rPID|1`), "tableValue");
  assert.equal(
    faultOf(Buffer.concat([bytesOf(`${header}||||||UNICODE UTF-8\rNTE|1||`), Uint8Array.of(0xff)])),
    "dataType",
  );
  const limits = { bytesMax: 400, segmentsMax: 3, fieldsMax: 20 };
  assert.equal(faultOf(`${header}\r${"NTE|1\r".repeat(100)}`, limits), "internal");
  assert.equal(faultOf(`${header}\r\r\r\r\r${"NTE|1\r".repeat(3)}`, limits), "internal");
  assert.equal(faultOf(`${header}\rNTE${"|".repeat(30)}`, limits), "internal");
  const reading = readMessage(bytesOf(`${header}\r?`));
  assert.ok(reading.kind === "refused" && reading.header);
  assert.equal(textAt(reading.header, reading.header.segments[0], 10), "17");
});

test("whatever is written is read again as it was, in any delimiters", () => {
  const delimiter = fc.uniqueArray(fc.constantFrom(..."|^~\\&#!*%;:@"), { minLength: 5, maxLength: 6 });
  const text = fc.string({ unit: "binary", maxLength: 20 }).map((each) => each.replace(/\r\n?/g, "\n").trim());
  fc.assert(
    fc.property(delimiter, fc.array(text, { maxLength: 8 }), (characters, values) => {
      const [field = "", ...encoding] = characters;
      const start = read(`MSH${field}${encoding.join("")}${field}HIS`);
      const fields = values.map((value) => escapeText(value, start.delimiters));
      const written = writeMessage({ ...start, segments: [...start.segments, { name: "ZZZ", fields }] });
      assert.ok(written);
      const again = read(written);
      assert.equal(again.segments.length, 2, "no value ends a segment");
      const segment = segmentNamed(again, "ZZZ");
      for (const [at, value] of values.entries()) {
        if (rawAt(segment, at + 1) === '""') continue;
        assert.equal(partOf(again, rawAt(segment, at + 1), 1), value);
      }
      assert.deepEqual(writeMessage(again), written);
    }),
    { seed: 6, numRuns: 300 },
  );
});

test("whatever bytes come are read or refused", () => {
  const pieces = fc.constantFrom(
    header,
    "\r",
    "\n",
    "|",
    "^",
    "\\X",
    "\\",
    "PID|1||2^3&4~5",
    "\u001b$B",
    '""',
    "\ufffd",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 30 }), (parts) => {
      const reading = readMessage(bytesOf(parts.join("")));
      if (reading.kind === "refused") return;
      const { message } = reading;
      for (const segment of message.segments) for (const at of segment.fields.keys()) textAt(message, segment, at + 1);
      assert.deepEqual(writeMessage(read(writeMessage(message) ?? "")), writeMessage(message));
    }),
    { seed: 7, numRuns: 500 },
  );
  assert.equal(unescapeText("a", read(header).delimiters, undefined), "a");
});

test("every sample file is read, and written again byte for byte with CR after each segment", (t) => {
  const folder = join(process.env.LEADGLASS_DATA ?? join(import.meta.dirname, "../../../shared/data"), "hl7");
  if (!existsSync(folder)) return t.skip("needs the shared test data: set LEADGLASS_DATA");
  const files = readdirSync(folder).filter((name) => name.endsWith(".hl7"));
  assert.ok(files.length > 40);
  for (const file of files) {
    const bytes = readFileSync(join(folder, file));
    const message = read(bytes);
    const text = bytes.toString("latin1").replace(/^\u00ef\u00bb\u00bf/, "");
    const lines = text.split(/\r\n?|\n/).filter((line) => line.trim() !== "");
    assert.equal(Buffer.from(writeMessage(message) ?? []).toString("latin1"), `${lines.join("\r")}\r`, file);
  }
});
