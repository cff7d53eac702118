import { encodingOf, type PixelCodec, TransferSyntaxUid } from "#formats/dicom";
import { type Acceptable, covers } from "./media-types.ts";

/** How frames of a codec are called on the web (PS3.18 Table 8.7.3-2), the present name first, older ones after it. */
const mediaTypes: Readonly<Partial<Record<PixelCodec, readonly string[]>>> = {
  jpeg: ["image/jpeg"],
  "jpeg-lossless": ["image/jpeg", "image/dicom+jpeg"],
  "jpeg-ls": ["image/jls", "image/x-jls", "image/dicom+jpeg-ls"],
  "jpeg-2000": ["image/jp2", "image/jpx", "image/dicom+jp2"],
  htj2k: ["image/jphc", "image/jph"],
  "jpeg-xl": ["image/jxl"],
  rle: ["image/dicom-rle", "image/x-dicom-rle", "image/dicom+rle"],
};

export const octetStream = "application/octet-stream";

/** What the stored pixels of an encapsulated transfer syntax are called; of video as a whole (PS3.18 Table 8.7.3-2 and -3). */
export function storedMediaTypes(transferSyntaxUid: string): readonly string[] {
  const { codec, encapsulated } = encodingOf(transferSyntaxUid);
  if (codec !== "mpeg") return (encapsulated && mediaTypes[codec]) || [];
  const [, profile = ""] = /^1\.2\.840\.10008\.1\.2\.4\.(\d+)/.exec(transferSyntaxUid) ?? [];
  if (Number(profile) <= 101) return ["video/mpeg"];
  return Number(profile) <= 106 ? ["video/mp4"] : ["video/h265", "video/mp4"];
}
const explicitUid = TransferSyntaxUid.explicitLittleEndian;

/** One way to give a frame. */
export interface FrameForm {
  /** As it is stored, decoded to Explicit VR Little Endian, or compressed anew without loss for this transfer syntax. */
  readonly bytes: "stored" | "decoded" | { readonly recodedFor: string };
  /** Media type of a part, with its transfer syntax. */
  readonly type: string;
  readonly mediaType: string;
  /** In multipart/related; else a single part was asked for. */
  readonly multipart: boolean;
}

/** What a codec compresses to without loss where only its media type is named (PS3.18 Table 8.7.3-5). */
const usualSyntaxes: Readonly<Partial<Record<PixelCodec, string>>> = {
  "jpeg-lossless": TransferSyntaxUid.jpegLosslessSv1,
  "jpeg-ls": TransferSyntaxUid.jpegLsLossless,
  "jpeg-2000": TransferSyntaxUid.jpeg2000Lossless,
  htj2k: TransferSyntaxUid.htj2kLossless,
  rle: TransferSyntaxUid.rleLossless,
};

/** The transfer syntax of `offered` that a media type and perhaps a transfer syntax ask frames to be compressed for. */
function recodedType(
  range: string,
  syntax: string | undefined,
  offered: readonly string[],
): [string, string] | undefined {
  for (const [codec, usual] of Object.entries(usualSyntaxes) as [PixelCodec, string][]) {
    const type = mediaTypes[codec]?.find((each) => each === range);
    const uid = syntax ?? usual;
    if (type !== undefined && encodingOf(uid).codec === codec && offered.includes(uid)) return [type, uid];
  }
  return undefined;
}

/**
 * How frames are given (PS3.18 §8.7.3): the first acceptable way that is possible; undefined when none is. Without a transfer
 * syntax `application/octet-stream` means Explicit VR Little Endian (what cannot be decoded is given as stored, and says so),
 * and an image type means what is stored, or what is `offered` of that type.
 */
export function frameForm(
  accept: readonly Acceptable[],
  storedUid: string,
  decodable: boolean,
  offered: readonly string[] = [],
): FrameForm | undefined {
  const { codec, bigEndian, encapsulated } = encodingOf(storedUid);
  const plain = !encapsulated && !bigEndian && codec === "native";
  const stored = mediaTypes[codec] ?? [octetStream];
  for (const { name, parameters } of accept) {
    const multipart = name === "multipart/related" || name === "multipart/*" || name === "*/*";
    const wanted = name === "multipart/related" ? (parameters.get("type") ?? "*/*").toLowerCase() : name;
    const range = name === "multipart/*" ? "*/*" : wanted;
    const syntax = parameters.get("transfer-syntax");
    const form = formOf(range, syntax);
    if (form !== undefined) return { ...form, multipart };
  }
  return undefined;

  function formOf(range: string, syntax: string | undefined): Omit<FrameForm, "multipart"> | undefined {
    const as = (bytes: FrameForm["bytes"], mediaType: string, uid: string) => ({
      bytes,
      mediaType,
      type: `${mediaType}; transfer-syntax=${uid}`,
    });
    const exact = encapsulated ? stored.find((type) => type === range) : undefined;
    const asStored = syntax === undefined || syntax === "*" || syntax === storedUid;
    if (exact !== undefined && asStored) return as("stored", exact, storedUid);
    if (encapsulated && syntax === undefined && range !== "*/*" && covers(range, stored[0] ?? "")) {
      return as("stored", stored[0] ?? octetStream, storedUid);
    }
    const [type, uid] = recodedType(range, syntax, offered) ?? [];
    if (type !== undefined && uid !== undefined) return as({ recodedFor: uid }, type, uid);
    if (!covers(range, octetStream)) return undefined;
    if (plain) {
      const fits = syntax === undefined || syntax === "*" || syntax === explicitUid || syntax === storedUid;
      return fits ? as("stored", octetStream, explicitUid) : undefined;
    }
    if (syntax === "*" || syntax === storedUid) return as("stored", octetStream, storedUid);
    if (syntax !== undefined && syntax !== explicitUid) return undefined;
    if (decodable) return as("decoded", octetStream, explicitUid);
    return syntax === undefined ? as("stored", octetStream, storedUid) : undefined;
  }
}
