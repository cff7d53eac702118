// What the fuzzer (tests/fuzz) feeds: a connection's bytes, read into frames, each answered. A target throws where it does what it must not.
import assert from "node:assert/strict";
import fc from "fast-check";
import { acknowledgmentIn, describedMessage, readMessage } from "#formats/hl7";
import { answersTo } from "./answers.ts";
import { createFrameReader, framed } from "./framing.ts";
import { recordingPartners } from "./recording.fixture.ts";

const header = (type: string) => `MSH|^~\\&|HIS|CLINIC|LEADGLASS|RAD|20260301||${type}|1|P|2.5.1||||||8859/1`;
const pid = "PID|1||P1^^^HOSP&1.2.3&ISO^MR~2||Doe&van^Jane^M^Jr^Dr^^L^A||19700102|F|||Street^^Town";
const bodies = [
  [
    header("ORM^O01"),
    pid,
    "PV1|1|O",
    "ORC|NW|1|F1||||^^^20260302",
    "OBR|1|1|F1|CT^Head^L||||||||||||||A1|R1|S1||||CT",
    "ZDS|1.2.3",
  ],
  [
    header("OMI^O23"),
    pid,
    "ORC|XO|2",
    "TQ1|||||||202603021015||S",
    "OBR|1|2||CT^Head",
    "IPC|A2|R2|1.2.4|S2|MR|C^Code^L|N|L|MR1~CT1",
  ],
  [header("SIU^S12"), pid, "SCH|1|2|||||||||^^^20260302", "AIS|1||CT^Head|202603021015", "AIG|1||CT1|CT"],
  [header("ADT^A40"), pid, "MRG|P2^^^HOSP"],
  [header("ADT^A08"), 'PID|1||""^\\F\\\\X41\\||""||19|U'],
];
const texts = (parts: readonly string[]) => Uint8Array.from(Buffer.from(parts.join("\r"), "latin1"));
const word = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));

export const hl7Target = {
  seeds: () => bodies.map((body) => framed(texts(body))),
  words: [
    "\u000b",
    "\u001c\r",
    "\r",
    "\n",
    "|",
    "^",
    "~",
    "\\",
    "&",
    '""',
    "\\X0D\\",
    "\\.br\\",
    "\\F\\",
    "\u001b$B",
    "MSH|^~\\&|",
    "MRG|",
    "IPC|",
  ].map(word),
  built: fc
    .array(fc.array(fc.string({ maxLength: 12 }), { maxLength: 40 }), { maxLength: 6 })
    .map((segments) =>
      framed(
        texts([
          header("ORM^O01"),
          ...segments.map((fields, at) => `${["ORC", "OBR", "PID", "IPC"][at % 4]}|${fields.join("|")}`),
        ]),
      ),
    ),
  async run(input: Uint8Array): Promise<void> {
    const { parts } = recordingPartners(new Set(["1", "2"]));
    const frames = createFrameReader(parts.limits.bytesMax);
    frames.push(input);
    for (let found = frames.next(); found !== undefined; found = frames.next()) {
      if (found.kind !== "frame") continue;
      // As an answer to one of ours, and as a person reads it.
      const came = readMessage(found.bytes);
      if (came.kind === "message") acknowledgmentIn(came.message);
      describedMessage(found.bytes);
      const { messages } = await answersTo(parts, found.bytes, { address: "10.0.0.9", certificates: undefined });
      for (const message of messages) {
        const reading = readMessage(message);
        assert.equal(reading.kind, "message", "an answer is a message");
        if (reading.kind === "message")
          assert.ok(reading.message.segments.length <= 3, "nothing of a message ends a segment of its answer");
        assert.ok(!message.includes(0x1c) && !message.includes(0x0b), "or its frame");
      }
    }
  },
  cpuMsMax: 100,
};
