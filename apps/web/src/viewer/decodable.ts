import { type Attribute, type DataSet, number, tags, text } from "./data-set.ts";

const voiLutFunction = "00281056";
const segmentedPalette = "00281221";
const paletteData = "00281201";
const native = /^1\.2\.840\.10008\.1\.2(\.1|\.2|\.1\.99)?$/;
const rle = "1.2.840.10008.1.2.5";

/** What the page's decoders take (Cornerstone's loader); JPEG 2000 part 2 and everything unknown is left to the server. */
const decoded =
  /^1\.2\.840\.10008\.1\.2(\.1|\.2|\.1\.99|\.1\.98|\.5|\.8\.1|\.4\.(50|51|53|55|57|70|80|81|90|91|201|202|203|110|111|112))?$/;

/** False for pixels that the page cannot decode and draw right: those come as pictures that the server draws. */
export function isDecodedHere(instance: DataSet): boolean {
  const photometric = text(instance, tags.photometricInterpretation);
  const syntax = text(instance, tags.availableTransferSyntax);
  const bits = number(instance, tags.bitsAllocated) ?? 0;
  const samples = number(instance, tags.samplesPerPixel) ?? 1;
  if (photometric === "" || bits === 0) return false;
  if (syntax !== "" && !decoded.test(syntax)) return false;
  if (samples > 1 && bits > 8) return false;
  if (bits > 16 && syntax === rle) return false;
  if (/42[02]$/.test(photometric) && native.test(syntax)) return false;
  return (
    photometric !== "PALETTE COLOR" || instance[paletteData] !== undefined || instance[segmentedPalette] === undefined
  );
}

/**
 * The attributes as Cornerstone's loader reads them: it takes the first letter of a VOI LUT function that is not in a list of its own, and
 * fails without a modality. A picture of the server's is RGB.
 */
export function forDecoder(instance: DataSet): DataSet {
  const one = (vr: string, value: unknown): Attribute => ({ vr, Value: [value] });
  const lutFunction = text(instance, voiLutFunction);
  return {
    ...instance,
    ...(text(instance, tags.modality) === "" ? { [tags.modality]: one("CS", "OT") } : {}),
    ...(lutFunction === "" ? {} : { [voiLutFunction]: one("CS", [lutFunction]) }),
    ...(isDecodedHere(instance)
      ? {}
      : {
          [tags.photometricInterpretation]: one("CS", "RGB"),
          [tags.samplesPerPixel]: one("US", 3),
          [tags.bitsAllocated]: one("US", 8),
          "00280101": one("US", 8),
          "00280102": one("US", 7),
          "00280103": one("US", 0),
          "00280006": one("US", 0),
        }),
  };
}
