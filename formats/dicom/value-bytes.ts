import { Problem } from "#base/problem";
import { encodeText } from "./charsets/index.ts";
import { type ElementInput, isEncapsulated } from "./element-input.ts";
import { formatTag } from "./tags.ts";
import { type Vr, vrTable } from "./vr.ts";

/** The value of an element that is neither a sequence nor encapsulated: encoded little endian, of even length. */
export function valueBytes({ tag, vr, value }: ElementInput, characterSets: readonly string[]): Uint8Array {
  if (value instanceof Uint8Array) return padded(value, vrTable[vr].padding);
  if (isEncapsulated(value)) throw new Problem("invalid", `${formatTag(tag)}: fragments need an encapsulated syntax`);
  const values = (Array.isArray(value) ? value : [value]) as readonly (string | number | bigint)[];
  const { kind, padding } = vrTable[vr];
  if (kind === "number") return numberBytes(tag, vr, values);
  if (kind === "text" || kind === "words") {
    const text = values.map((one) => textOfValue(vr, one)).join("\\");
    return padded(encodeText(text, kind === "words" ? characterSets : [], vr), padding);
  }
  if (kind === "bytes" && vr !== "UN") return numberBytes(tag, vr, values);
  throw new Problem("invalid", `${formatTag(tag)} has VR ${vr} and takes ${kind === "items" ? "items" : "bytes"}`);
}

function padded(bytes: Uint8Array, padding: number): Uint8Array {
  if (bytes.length % 2 === 0) return bytes;
  const even = new Uint8Array(bytes.length + 1);
  even.set(bytes);
  even[bytes.length] = padding;
  return even;
}

function textOfValue(vr: Vr, value: string | number | bigint): string {
  return typeof value === "number" && vr === "DS" ? decimalString(value) : String(value);
}

/**
 * A number in the 16 characters of DS (PS3.5 §6.2), with as many digits as fit.
 *
 * @throws Problem `invalid` for what is not finite.
 */
export function decimalString(value: number): string {
  const exact = String(value);
  if (exact.length <= 16 && Number.isFinite(value)) return exact;
  for (let digits = 16; digits > 0; digits -= 1) {
    const text = String(Number(value.toPrecision(digits)));
    if (text.length <= 16 && Number.isFinite(Number(text))) return text;
    const scientific = value.toExponential(digits - 1).replace("e+", "e");
    if (scientific.length <= 16 && Number.isFinite(Number(scientific))) return scientific;
  }
  throw new Problem("invalid", "a decimal string (DS) holds finite numbers only");
}

function numberBytes(tag: number, vr: Vr, values: readonly (string | number | bigint)[]): Uint8Array {
  const unit = vr === "AT" ? 4 : vrTable[vr].unitBytes;
  const bytes = new Uint8Array(values.length * unit);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    if (typeof value === "string") throw new Problem("invalid", `${formatTag(tag)} has VR ${vr} and takes numbers`);
    setNumber(view, i * unit, vr, value);
  });
  return padded(bytes, 0);
}

function setNumber(view: DataView, at: number, vr: Vr, value: number | bigint): void {
  switch (vr) {
    case "AT":
      view.setUint16(at, Number(value) >>> 16, true);
      view.setUint16(at + 2, Number(value) & 0xffff, true);
      return;
    case "FL":
    case "OF":
      view.setFloat32(at, Number(value), true);
      return;
    case "FD":
    case "OD":
      view.setFloat64(at, Number(value), true);
      return;
    case "SV":
      view.setBigInt64(at, BigInt(value), true);
      return;
    case "UV":
    case "OV":
      view.setBigUint64(at, BigInt(value), true);
      return;
    case "SL":
    case "UL":
    case "OL":
      view.setUint32(at, Number(value) >>> 0, true);
      return;
    case "US":
    case "SS":
    case "OW":
      view.setUint16(at, Number(value) & 0xffff, true);
      return;
    default:
      view.setUint8(at, Number(value) & 0xff);
  }
}
