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
const explicitUid = TransferSyntaxUid.explicitLittleEndian;

/** One way to give a frame. */
export interface FrameForm {
  /** As it is stored, or decoded to Explicit VR Little Endian. */
  readonly bytes: "stored" | "decoded";
  /** Media type of a part, with its transfer syntax. */
  readonly type: string;
  readonly mediaType: string;
  /** In multipart/related; else a single part was asked for. */
  readonly multipart: boolean;
}

/**
 * How frames are given (PS3.18 §8.7.3): the first acceptable way that is possible; undefined when none is. Without a transfer
 * syntax `application/octet-stream` means Explicit VR Little Endian (what cannot be decoded is given as stored, and says so),
 * and an image type means what is stored.
 */
export function frameForm(accept: readonly Acceptable[], storedUid: string, decodable: boolean): FrameForm | undefined {
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
