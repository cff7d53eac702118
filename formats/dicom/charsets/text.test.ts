import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem } from "#base/problem";
import { characterSetsFor, decodeText, encodeText, isKnownCharacterSet, splitValues } from "./index.ts";

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const fromHex = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ""), "hex"));
const fromLatin1 = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));

/** The examples of PS3.5 Annexes H to K. I.3 escapes at the head of the line, which is read; we escape where it is needed. */
const examples: { of: string; set: string[]; vr: string; text: string; hex: string; readOnly?: true }[] = [
  {
    of: "H.3.1 Japanese, value 1 empty",
    set: ["", "ISO 2022 IR 87"],
    vr: "PN",
    text: "Yamada^Tarou=山田^太郎=やまだ^たろう",
    hex: `59616d6164615e5461726f753d 1b2442 3b334544 1b2842 5e 1b2442 42404f3a 1b2842 3d
          1b2442 2464245e2440 1b2842 5e 1b2442 243f246d2426 1b2842`,
  },
  {
    of: "H.3.2 Japanese, value 1 ISO 2022 IR 13",
    set: ["ISO 2022 IR 13", "ISO 2022 IR 87"],
    vr: "PN",
    text: "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    hex: `d4cfc0de5ec0dbb33d 1b2442 3b334544 1b284a 5e 1b2442 42404f3a 1b284a 3d
          1b2442 2464245e2440 1b284a 5e 1b2442 243f246d2426 1b284a`,
  },
  {
    of: "I.2 Korean",
    set: ["", "ISO 2022 IR 149"],
    vr: "PN",
    text: "Hong^Gildong=洪^吉洞=홍^길동",
    hex: `486f6e675e47696c646f6e673d 1b242943 fbf3 5e 1b242943 d1ced4d7 3d 1b242943 c8ab 5e 1b242943 b1e6b5bf`,
  },
  {
    of: "I.3 Korean long text",
    set: ["", "ISO 2022 IR 149"],
    vr: "LT",
    text: "The first line includes 한글.\r\nThe second line includes 한글, too.\r\nThe third line",
    hex: `1b242943 546865206669727374206c696e6520696e636c7564657320 c7d1b1db 2e0d0a
          1b242943 546865207365636f6e64206c696e6520696e636c7564657320 c7d1b1db 2c20746f6f2e0d0a
          546865207468697264206c696e65`,
    readOnly: true,
  },
  {
    of: "J.1 Chinese in UTF-8",
    set: ["ISO_IR 192"],
    vr: "PN",
    text: "Wang^XiaoDong=王^小東=",
    hex: "57616e675e5869616f446f6e673d e78e8b 5e e5b08f e69db1 3d",
  },
  {
    of: "J.3 Chinese in GB18030",
    set: ["GB18030"],
    vr: "PN",
    text: "Wang^XiaoDong=王^小东=",
    hex: "57616e675e5869616f446f6e673d cdf5 5e d0a1b6ab 3d",
  },
  {
    of: "J.3 Chinese in GBK",
    set: ["GBK"],
    vr: "PN",
    text: "Wang^XiaoDong=王^小东=",
    hex: "57616e675e5869616f446f6e673d cdf5 5e d0a1b6ab 3d",
  },
  {
    of: "J.4 Chinese long text in GB18030",
    set: ["GB18030"],
    vr: "LT",
    text: "The first line includes中文.\r\nThe third line.\r\n",
    hex: `546865206669727374206c696e6520696e636c75646573 d6d0cec4 2e0d0a 546865207468697264206c696e652e0d0a`,
  },
  {
    of: "K.2 Chinese with code extensions",
    set: ["", "ISO 2022 IR 58"],
    vr: "PN",
    text: "Zhang^XiaoDong=张^小东= ",
    hex: `5a68616e675e5869616f446f6e673d 1b242941 d5c5 5e 1b242941 d0a1b6ab 3d20`,
  },
  {
    of: "K.3 Chinese long text with code extensions",
    set: ["", "ISO 2022 IR 58"],
    vr: "LT",
    text: "1.第一行文字。\r\n2.第二行文字。\r\n3.第三行文字。\r\n",
    hex: `312e 1b242941 b5dad2bbd0d0cec4d7d6a1a3 0d0a 322e 1b242941 b5dab6fed0d0cec4d7d6a1a3 0d0a
          332e 1b242941 b5dac8fdd0d0cec4d7d6a1a3 0d0a`,
  },
];

for (const { of, set, vr, text, hex, readOnly } of examples) {
  test(`the example of PS3.5 ${of} is read${readOnly ? "" : ", and written byte for byte"}`, () => {
    const bytes = fromHex(hex);
    assert.equal(decodeText(bytes, set, vr), text);
    if (!readOnly) assert.equal(latin1(encodeText(text, set, vr)), latin1(bytes));
    assert.equal(decodeText(encodeText(text, set, vr), set, vr), text);
  });
}

test("each single-byte character set is read and written, with and without the ISO 2022 form of its term", () => {
  const vectors: [string, string, string][] = [
    ["100", "Buc^J\xe9r\xf4me", "Buc^Jérôme"],
    ["101", "J\xeazyk tre\xb6ci", "Język treści"],
    ["109", "\xa6elwa \xb1", "Ĥelwa ħ"],
    ["110", "\xa3\xe0", "Ŗā"],
    ["144", "\xbb\xee\xdace\xdc\xd1yp\xd3", "Люкceмбypг"],
    ["127", "\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1", "قباني^لنزار"],
    ["126", "\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος"],
    ["138", "\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", "שרון^דבורה"],
    ["148", "\xde\xfd\xf0", "Şığ"],
    ["203", "\xbcuvre 5 \xa4", "Œuvre 5 €"],
    ["166", "\xca\xc1\xaa\xd2\xc2", "สมชาย"],
    ["13", "\xd4\xcf\xc0\xde^\xc0\xdb\xb3", "ﾔﾏﾀﾞ^ﾀﾛｳ"],
  ];
  for (const [number, raw, text] of vectors) {
    for (const term of [`ISO_IR ${number}`, `ISO 2022 IR ${number}`]) {
      assert.equal(decodeText(fromLatin1(raw), [term], "PN"), text, term);
      assert.equal(latin1(encodeText(text, [term], "PN")), raw, term);
    }
  }
});

test("a term is known in the spellings files use, and unknown otherwise", () => {
  const spellings = [
    "ISO_IR 100",
    "ISO IR 100",
    "ISO-IR 100",
    "ISO_IR_100",
    "iso_ir 100 ",
    "ISO 2022 IR 100",
    "ISO2022IR100",
  ];
  for (const term of [...spellings, "ISO-2022-IR-100", "ISO_2022_IR_100\0", "ISO-8859-1", "ISO_IR100"]) {
    assert.equal(isKnownCharacterSet(term), true, term);
    assert.equal(decodeText(fromLatin1("J\xe9r"), [term], "LO"), "Jér", term);
  }
  for (const term of [
    "",
    " ",
    "ISO 2022 IR 6",
    "ISO_IR 6",
    "ISO_IR 192",
    "utf-8",
    "GB18030",
    "gbk",
    "ISO 2022 58",
    "ISO 2022 GBK",
  ]) {
    assert.equal(isKnownCharacterSet(term), true, term);
  }
  for (const term of ["ISO_IR 1000", "ISO_IR 99", "KLINGON", "ISO_IR", "ISO-8859-12", "x".repeat(100_000)]) {
    assert.equal(isKnownCharacterSet(term), false, term.slice(0, 20));
  }
});

test("an escape reaches to the delimiter only, and value 1 is in force behind it", () => {
  const set = ["ISO 2022 IR 100", "ISO 2022 IR 126"];
  const greek = "\x1b-F\xe9";
  for (const delimiter of ["^", "=", "\\", "\r", "\n", "\f", "\t"]) {
    assert.equal(decodeText(fromLatin1(`${greek}${delimiter}\xe9`), set, "PN"), `ι${delimiter}é`);
  }
  for (const delimiter of ["\\", "\r", "\n", "\f", "\t"]) {
    assert.equal(decodeText(fromLatin1(`${greek}${delimiter}\xe9`), set, "LO"), `ι${delimiter}é`);
  }
  assert.equal(decodeText(fromLatin1(`${greek}^=\xe9`), set, "LO"), "ι^=ι", "only a name is parted at ^ and =");
  assert.equal(decodeText(fromLatin1(`${greek}\\\xe9`), set, "LT"), "ι\\ι", "long text has one value");
});

test("what is written in another set returns to value 1 before the delimiter and at the end", () => {
  const set = ["ISO 2022 IR 100", "ISO 2022 IR 126"];
  assert.equal(latin1(encodeText("é^ι=ιé", set, "PN")), "\xe9^\x1b-F\xe9\x1b-A=\x1b-F\xe9\x1b-A\xe9");
  assert.equal(latin1(encodeText("ι\r\né", set, "ST")), "\x1b-F\xe9\x1b-A\r\n\xe9");
});

test("JIS X 0208 and JIS X 0212 are told apart in one value", () => {
  const set = ["", "ISO 2022 IR 87", "ISO 2022 IR 159"];
  const text = "山丂^骶";
  assert.equal(latin1(encodeText(text, set, "PN")), "\x1b$B;3\x1b$(D0!\x1b(B^\x1b$(Di]\x1b(B");
  assert.equal(decodeText(encodeText(text, set, "PN"), set, "PN"), text);
});

test("0x5C is a yen sign in JIS X 0201 text, a delimiter between values, and half a character in multi-byte sets", () => {
  assert.equal(decodeText(fromLatin1("a\\~\xb1"), ["ISO_IR 13"], "LT"), "a¥‾ｱ");
  assert.equal(decodeText(fromLatin1("a\\~\xb1"), ["ISO_IR 13"], "LO"), "a\\‾ｱ");
  assert.equal(latin1(encodeText("¥", ["ISO_IR 13"], "LT")), "\\");
  assert.throws(() => encodeText("¥", ["ISO_IR 13"], "LO"), /ISO_IR 13/);
  assert.equal(latin1(encodeText("\\~", ["ISO 2022 IR 13"], "LT")), "\x1b(B\\~\x1b(J");

  const japanese = encodeText("構\\構", ["", "ISO 2022 IR 87"], "LO");
  assert.equal(latin1(japanese), "\x1b$B9=\x1b(B\\\x1b$B9=\x1b(B");
  const kanjiWithBackslash = "\x1b$B\\!\x1b(B";
  assert.deepEqual(splitValues(fromLatin1(`${kanjiWithBackslash}\\b`), ["", "ISO 2022 IR 87"], "LO").map(latin1), [
    kanjiWithBackslash,
    "b",
  ]);
  const chinese = fromLatin1("\x81\\\\\x95\\");
  for (const set of [["GB18030"], ["GBK"]]) {
    assert.deepEqual(splitValues(chinese, set, "PN").map(latin1), ["\x81\\", "\x95\\"]);
    assert.equal(decodeText(chinese, set, "PN"), "乗\\昞", set[0]);
  }
  assert.equal(splitValues(fromLatin1("\x95\\"), ["ISO_IR 100"], "PN").length, 2);
});

test("values are parted at every backslash in other VRs, and not at all in those with one value", () => {
  const bytes = fromLatin1("ORIGINAL\\PRIMARY\\");
  assert.deepEqual(splitValues(bytes, ["GB18030"], "CS").map(latin1), ["ORIGINAL", "PRIMARY", ""]);
  for (const vr of ["ST", "LT", "UT", "UR"]) assert.deepEqual(splitValues(bytes, [], vr), [bytes]);
  assert.deepEqual(splitValues(new Uint8Array(), [], "LO"), [new Uint8Array()]);
  assert.equal(splitValues(bytes, [], "LO")[0]?.buffer, bytes.buffer, "values are views");
});

test("VRs outside the seven have the default repertoire, whose high bytes are kept", () => {
  for (const vr of ["CS", "DA", "UI", "AE", "IS", "UR"]) {
    assert.equal(decodeText(fromLatin1("A\x80\xe9\x1b$B"), ["ISO_IR 192"], vr), "A\x80é\x1b$B");
    assert.throws(() => encodeText("é", ["ISO_IR 192"], vr), /ISO_IR 6/);
  }
  assert.equal(decodeText(fromLatin1("J\xe9r"), [], "PN"), "Jér");
});

test("a name whose writer forgot the escapes behind the delimiters is still read", () => {
  const korean = fromLatin1("Hong=\x1b$)C\xfb\xf3^\xd1\xce\xd4\xd7");
  assert.equal(decodeText(korean, ["", "ISO 2022 IR 149"], "PN"), "Hong=洪^吉洞");
  const japanese = fromLatin1("\x1b$B;3^\x1b$BB@");
  assert.equal(decodeText(japanese, ["", "ISO 2022 IR 87"], "PN"), "山^太");
});

test("an encoding that stands alone wins over an empty value and gives way to any other", () => {
  const utf8 = Uint8Array.from(Buffer.from("Jérôme"));
  assert.equal(decodeText(utf8, ["", "ISO_IR 192"], "PN"), "Jérôme");
  assert.equal(decodeText(utf8, ["ISO_IR 192", "ISO 2022 IR 87"], "PN"), "Jérôme");
  assert.equal(decodeText(fromLatin1("J\xe9"), ["ISO 2022 IR 100", "ISO_IR 192"], "PN"), "Jé");
});

test("malformed bytes become U+FFFD and nothing behind them is lost", () => {
  const cases: [string, string[], string][] = [
    ["a\xffb", ["ISO_IR 192"], "a\ufffdb"],
    ["\xd2b", ["ISO_IR 126"], "\ufffdb"],
    ["\x1b$)C\xb0", ["", "ISO 2022 IR 149"], "\ufffd"],
    ["\x1b$)C\xb0^b", ["", "ISO 2022 IR 149"], "\ufffd^b"],
    ["\x1b$B;\x1b(Bb", ["", "ISO 2022 IR 87"], "\ufffdb"],
    ["a\x1b", ["", "ISO 2022 IR 87"], "a\ufffd"],
    ["a\x1b$Zb", ["", "ISO 2022 IR 87"], "a\ufffd$Zb"],
    ["\x1b$B;3\x1b%Gab", ["", "ISO 2022 IR 87"], "山\ufffd%Gab"],
    ["\x81", ["GB18030"], "\ufffd"],
    ["\x81\x30\x81", ["GB18030"], "\ufffd0\ufffd"],
    ["\xff\x81\x20", ["GB18030"], "\ufffd\ufffd "],
    ["\xfe\x39\xfe\x39", ["GB18030"], "\ufffd"],
  ];
  for (const [raw, set, text] of cases) assert.equal(decodeText(fromLatin1(raw), set, "PN"), text, JSON.stringify(raw));
});

test("an unknown term is passed over in reading, and nothing beyond ASCII is written under it", () => {
  assert.equal(decodeText(fromLatin1("J\xe9"), ["KLINGON"], "PN"), "Jé");
  assert.equal(latin1(encodeText("Doe^John", ["KLINGON"], "PN")), "Doe^John");
  assert.throws(
    () => encodeText("é", ["KLINGON", "ISO_IR 100"], "PN"),
    (error) => isProblem(error, "invalid"),
  );
});

test("what a character set lacks is refused with a problem that names the set and not the text", () => {
  const cases: [string, string[], string][] = [
    ["Müller", [], "ISO_IR 6"],
    ["王", ["ISO_IR 100"], "ISO_IR 100"],
    ["Müller", ["", "ISO 2022 IR 87"], "ISO 2022 IR 6\\ISO 2022 IR 87"],
    ["€", ["ISO_IR 126"], "ISO_IR 126"],
    ["𠀀", ["GBK"], "GBK"],
    ["㑇", ["GBK"], "GBK"],
    ["\ud800", ["ISO_IR 192"], "ISO_IR 192"],
    ["\ud800", ["GB18030"], "GB18030"],
    ["a\x1b$B", ["", "ISO 2022 IR 87"], "ISO 2022 IR 87"],
  ];
  for (const [text, set, name] of cases) {
    assert.throws(
      () => encodeText(text, set, "PN"),
      (error) => isProblem(error, "invalid") && error.message.includes(name) && !error.message.includes(text),
      name,
    );
  }
});

test("the wave dash and its kind are written from either Unicode character and read as the standard names them", () => {
  const set = ["", "ISO 2022 IR 87"];
  for (const [standard, fullwidth] of ["〜～", "−－", "‖∥", "¢￠", "£￡", "¬￢"]) {
    assert.ok(standard !== undefined && fullwidth !== undefined);
    assert.deepEqual(encodeText(fullwidth, set, "LO"), encodeText(standard, set, "LO"));
    assert.equal(decodeText(encodeText(fullwidth, set, "LO"), set, "LO"), standard);
  }
});

test("the declaration for a text is none for ASCII and UTF-8 for all else", () => {
  assert.deepEqual(characterSetsFor("Doe^John\r\n"), []);
  assert.deepEqual(characterSetsFor(""), []);
  assert.deepEqual(characterSetsFor("Dœ"), ["ISO_IR 192"]);
});
