import { type DicomJson, hexOfTag } from "#formats/dicom";

/** The first value of a text attribute, "" without one. Some writers leave the VR of everything unknown: its bytes are the text. */
export function textOf(json: DicomJson, tag: number): string {
  const element = json[hexOfTag(tag)];
  const value = element?.Value?.[0];
  if (typeof value === "string") return value;
  const bytes = Buffer.from(element?.InlineBinary ?? "", "base64");
  return bytes.toString("latin1").replace(/[\0 ]+$/, "");
}
