import { once } from "./once.ts";
import type { Vr } from "./vr.ts";

/**
 * Private elements that hold measures and settings of the machine, nothing of the patient: a choice out of PS3.15 Table
 * E.3.10-1 ("safe private attributes"), which leaves out its free texts and what nobody has said the meaning of.
 * Group and creator, then element (the lowest byte) and VR.
 */
const safeBlocks = `\
7053 Philips PET Private Group: 00 DS, 09 DS
2001 Philips Imaging DD 001: 03 FL, 04 CS
2005 Philips MR Imaging DD 001: 0D FL, 0E FL
0019 SIEMENS MR HEADER: 0C IS, 0D CS, 0E FD, 27 FD
00E1 ELSCINT1: 21 DS
01E1 ELSCINT1: 26 CS
01F1 ELSCINT1: 01 CS, 07 DS, 26 DS, 27 DS
0019 GEMS_ACQU_01: 23 DS, 24 DS, 27 DS, 9E LO
0025 GEMS_SERS_01: 07 SL
0043 GEMS_PARM_01: 27 SH, 39 IS, 6F DS
0045 GEMS_HELIOS_01: 01 SS, 02 FL
0045 GEMS_SENO_02: 06 DS, 1B CS, 20 DS, 27 IS, 29 DS, 2A IS, 2B IS, 49 DS, 58 DS, 59 IS, 60 IS, 61 IS, 64 IS, 72 DS, A0 DS, A1 DS, A2 DS, A4 DS, A8 DS
0903 GEIIS PACS: 10 US, 11 US, 12 US
0019 LORAD Selenia: 16 DS, 30 US, 31 US, 32 US, 33 US, 34 US, 35 US, 40 DS, 41 DS, 50 DS, 51 DS, 52 IS, 53 IS, 71 CS, 90 DS
0019 HOLOGIC, Inc.: 16 DS, 30 US, 31 US, 32 US, 33 US, 34 US, 35 US, 40 DS, 41 DS, 42 IS, 43 DS, 44 DS, 45 IS, 46 IS, 50 DS, 51 DS, 52 IS, 53 IS, 71 CS, 89 DS, 90 DS
7E01 HOLOGIC, Inc.: 01 LO, 02 SH, 10 SQ, 11 SQ, 12 OB
7F01 HOLOGIC, Inc.: 01 LO, 02 SH, 10 SQ, 11 SQ, 12 OB`;

type SafeBlock = ReadonlyMap<number, Vr>;

const byGroup = /*#__PURE__*/ once((): ReadonlyMap<number, ReadonlyMap<string, SafeBlock>> => {
  const groups = new Map<number, Map<string, SafeBlock>>();
  for (const line of safeBlocks.split("\n")) {
    const [head = "", list = ""] = line.split(": ");
    const group = Number.parseInt(head.slice(0, 4), 16);
    const elements = list.split(", ").map((entry) => [Number.parseInt(entry, 16), entry.slice(3) as Vr] as const);
    const creators = groups.get(group) ?? new Map<string, SafeBlock>();
    groups.set(group, creators.set(head.slice(5), new Map(elements)));
  }
  return groups;
});

/** The elements known safe in a block that `creator` holds in this group: lowest byte of the tag, and VR. */
export function safeBlockOf(group: number, creator: string): SafeBlock | undefined {
  return byGroup().get(group)?.get(creator);
}

/** Whether any creator's block in this group has elements known safe. */
export function hasSafeBlocks(group: number): boolean {
  return byGroup().has(group);
}
