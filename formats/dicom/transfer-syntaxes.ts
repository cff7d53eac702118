/** What decodes the pixels. `native` is not encapsulated. */
export type PixelCodec =
  | "native"
  | "rle"
  | "jpeg"
  | "jpeg-lossless"
  | "jpeg-ls"
  | "jpeg-2000"
  | "htj2k"
  | "jpeg-xl"
  | "deflate"
  | "mpeg"
  | "reference"
  | "unknown";

/** PS3.5 §10 and Annex A, PS3.6 Table A-1. */
export interface TransferSyntax {
  readonly uid: string;
  readonly name: string;
  readonly explicitVr: boolean;
  readonly bigEndian: boolean;
  /** The whole data set after the file meta information is one raw deflate stream. */
  readonly deflated: boolean;
  /** Pixel data is a sequence of fragments. */
  readonly encapsulated: boolean;
  /** `both`: the codec can do either and the attribute Lossy Image Compression says which. */
  readonly loss: "lossless" | "lossy" | "both";
  readonly codec: PixelCodec;
  readonly retired: boolean;
}

export const TransferSyntaxUid = {
  implicitLittleEndian: "1.2.840.10008.1.2",
  explicitLittleEndian: "1.2.840.10008.1.2.1",
  encapsulatedUncompressed: "1.2.840.10008.1.2.1.98",
  deflatedExplicitLittleEndian: "1.2.840.10008.1.2.1.99",
  explicitBigEndian: "1.2.840.10008.1.2.2",
  jpegBaseline8Bit: "1.2.840.10008.1.2.4.50",
  jpegExtended12Bit: "1.2.840.10008.1.2.4.51",
  jpegLossless: "1.2.840.10008.1.2.4.57",
  jpegLosslessSv1: "1.2.840.10008.1.2.4.70",
  jpegLsLossless: "1.2.840.10008.1.2.4.80",
  jpegLsNearLossless: "1.2.840.10008.1.2.4.81",
  jpeg2000Lossless: "1.2.840.10008.1.2.4.90",
  jpeg2000: "1.2.840.10008.1.2.4.91",
  htj2kLossless: "1.2.840.10008.1.2.4.201",
  htj2kLosslessRpcl: "1.2.840.10008.1.2.4.202",
  htj2k: "1.2.840.10008.1.2.4.203",
  rleLossless: "1.2.840.10008.1.2.5",
  deflatedImageFrame: "1.2.840.10008.1.2.8.1",
} as const;

function plain(uid: string, name: string, rest: Partial<TransferSyntax> = {}): TransferSyntax {
  return {
    uid,
    name,
    explicitVr: true,
    bigEndian: false,
    deflated: false,
    encapsulated: false,
    loss: "lossless",
    codec: "native",
    retired: false,
    ...rest,
  };
}

function encapsulated(
  suffix: string,
  name: string,
  codec: PixelCodec,
  loss: TransferSyntax["loss"],
  retired = false,
): TransferSyntax {
  return plain(`1.2.840.10008.1.2.${suffix}`, name, { encapsulated: true, codec, loss, retired });
}

const table: readonly TransferSyntax[] = [
  plain("1.2.840.10008.1.2", "Implicit VR Little Endian", { explicitVr: false }),
  plain("1.2.840.10008.1.2.1", "Explicit VR Little Endian"),
  encapsulated("1.98", "Encapsulated Uncompressed Explicit VR Little Endian", "native", "lossless"),
  plain("1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", { deflated: true }),
  plain("1.2.840.10008.1.2.2", "Explicit VR Big Endian", { bigEndian: true, retired: true }),
  plain("1.2.840.113619.5.2", "GE private Implicit VR Little Endian with big endian pixels", { explicitVr: false }),
  encapsulated("4.50", "JPEG Baseline (Process 1)", "jpeg", "lossy"),
  encapsulated("4.51", "JPEG Extended (Process 2 & 4)", "jpeg", "lossy"),
  encapsulated("4.52", "JPEG Extended (Process 3 & 5)", "jpeg", "lossy", true),
  encapsulated("4.53", "JPEG Spectral Selection, Non-Hierarchical (Process 6 & 8)", "jpeg", "lossy", true),
  encapsulated("4.54", "JPEG Spectral Selection, Non-Hierarchical (Process 7 & 9)", "jpeg", "lossy", true),
  encapsulated("4.55", "JPEG Full Progression, Non-Hierarchical (Process 10 & 12)", "jpeg", "lossy", true),
  encapsulated("4.56", "JPEG Full Progression, Non-Hierarchical (Process 11 & 13)", "jpeg", "lossy", true),
  encapsulated("4.57", "JPEG Lossless, Non-Hierarchical (Process 14)", "jpeg-lossless", "lossless"),
  encapsulated("4.58", "JPEG Lossless, Non-Hierarchical (Process 15)", "jpeg-lossless", "lossless", true),
  encapsulated("4.59", "JPEG Extended, Hierarchical (Process 16 & 18)", "jpeg", "lossy", true),
  encapsulated("4.60", "JPEG Extended, Hierarchical (Process 17 & 19)", "jpeg", "lossy", true),
  encapsulated("4.61", "JPEG Spectral Selection, Hierarchical (Process 20 & 22)", "jpeg", "lossy", true),
  encapsulated("4.62", "JPEG Spectral Selection, Hierarchical (Process 21 & 23)", "jpeg", "lossy", true),
  encapsulated("4.63", "JPEG Full Progression, Hierarchical (Process 24 & 26)", "jpeg", "lossy", true),
  encapsulated("4.64", "JPEG Full Progression, Hierarchical (Process 25 & 27)", "jpeg", "lossy", true),
  encapsulated("4.65", "JPEG Lossless, Hierarchical (Process 28)", "jpeg-lossless", "lossless", true),
  encapsulated("4.66", "JPEG Lossless, Hierarchical (Process 29)", "jpeg-lossless", "lossless", true),
  encapsulated(
    "4.70",
    "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])",
    "jpeg-lossless",
    "lossless",
  ),
  encapsulated("4.80", "JPEG-LS Lossless Image Compression", "jpeg-ls", "lossless"),
  encapsulated("4.81", "JPEG-LS Lossy (Near-Lossless) Image Compression", "jpeg-ls", "lossy"),
  encapsulated("4.90", "JPEG 2000 Image Compression (Lossless Only)", "jpeg-2000", "lossless"),
  encapsulated("4.91", "JPEG 2000 Image Compression", "jpeg-2000", "both"),
  encapsulated("4.92", "JPEG 2000 Part 2 Multi-component Image Compression (Lossless Only)", "jpeg-2000", "lossless"),
  encapsulated("4.93", "JPEG 2000 Part 2 Multi-component Image Compression", "jpeg-2000", "both"),
  plain("1.2.840.10008.1.2.4.94", "JPIP Referenced", { codec: "reference", loss: "both" }),
  plain("1.2.840.10008.1.2.4.95", "JPIP Referenced Deflate", { codec: "reference", loss: "both", deflated: true }),
  encapsulated("4.100", "MPEG2 Main Profile / Main Level", "mpeg", "lossy"),
  encapsulated("4.100.1", "Fragmentable MPEG2 Main Profile / Main Level", "mpeg", "lossy"),
  encapsulated("4.101", "MPEG2 Main Profile / High Level", "mpeg", "lossy"),
  encapsulated("4.101.1", "Fragmentable MPEG2 Main Profile / High Level", "mpeg", "lossy"),
  encapsulated("4.102", "MPEG-4 AVC/H.264 High Profile / Level 4.1", "mpeg", "lossy"),
  encapsulated("4.102.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1", "mpeg", "lossy"),
  encapsulated("4.103", "MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1", "mpeg", "lossy"),
  encapsulated("4.103.1", "Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1", "mpeg", "lossy"),
  encapsulated("4.104", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video", "mpeg", "lossy"),
  encapsulated("4.104.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video", "mpeg", "lossy"),
  encapsulated("4.105", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video", "mpeg", "lossy"),
  encapsulated("4.105.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video", "mpeg", "lossy"),
  encapsulated("4.106", "MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2", "mpeg", "lossy"),
  encapsulated("4.106.1", "Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2", "mpeg", "lossy"),
  encapsulated("4.107", "HEVC/H.265 Main Profile / Level 5.1", "mpeg", "lossy"),
  encapsulated("4.108", "HEVC/H.265 Main 10 Profile / Level 5.1", "mpeg", "lossy"),
  encapsulated("4.110", "JPEG XL Lossless", "jpeg-xl", "lossless"),
  encapsulated("4.111", "JPEG XL JPEG Recompression", "jpeg-xl", "lossy"),
  encapsulated("4.112", "JPEG XL", "jpeg-xl", "both"),
  encapsulated("4.201", "High-Throughput JPEG 2000 Image Compression (Lossless Only)", "htj2k", "lossless"),
  encapsulated(
    "4.202",
    "High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)",
    "htj2k",
    "lossless",
  ),
  encapsulated("4.203", "High-Throughput JPEG 2000 Image Compression", "htj2k", "both"),
  plain("1.2.840.10008.1.2.4.204", "JPIP HTJ2K Referenced", { codec: "reference", loss: "both" }),
  plain("1.2.840.10008.1.2.4.205", "JPIP HTJ2K Referenced Deflate", {
    codec: "reference",
    loss: "both",
    deflated: true,
  }),
  encapsulated("5", "RLE Lossless", "rle", "lossless"),
  encapsulated("8.1", "Deflated Image Frame Compression", "deflate", "lossless"),
];

const byUid: ReadonlyMap<string, TransferSyntax> = /*#__PURE__*/ new Map(
  /*#__PURE__*/ table.map((syntax) => [syntax.uid, syntax]),
);

/** A transfer syntax of the table; undefined for private and future ones. */
export function transferSyntaxOf(uid: string): TransferSyntax | undefined {
  return byUid.get(uid);
}

/**
 * How to read a data set in this transfer syntax. One the table does not know is taken for explicit VR little endian
 * with encapsulated pixel data, as PS3.5 §10 lays down for every syntax since the first three.
 */
export function encodingOf(uid: string): TransferSyntax {
  return byUid.get(uid) ?? plain(uid, "unknown", { encapsulated: true, codec: "unknown", loss: "both" });
}

export function allTransferSyntaxes(): readonly TransferSyntax[] {
  return table;
}
