import { Problem } from "#base/problem";
import { type DataSet, Tag, tagOf } from "#formats/dicom";
import type { HeldImage } from "#radiology/archive";
import type { ImageCache } from "#radiology/images";
import { type Acceptable, preferred } from "./media-types.ts";
import { notAcceptable } from "./refusal.ts";
import { reportHtml, reportText } from "./report-text.ts";

/** What an instance without pixels is rendered to. */
export interface RenderedDocument {
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

export const pdf = "application/pdf";
const html = "text/html";
const plain = "text/plain";

export const encapsulatedPdf = "1.2.840.10008.5.1.4.1.1.104.1";
const isReport = (sopClassUid: string) => sopClassUid.startsWith("1.2.840.10008.5.1.4.1.1.88.");

/**
 * The document of an Encapsulated PDF (PS3.3 §A.45.1), or a structured report as text; undefined for all else. Refused where the client
 * takes neither.
 */
export async function documentOf(
  instance: HeldImage,
  cache: ImageCache,
  accept: readonly Acceptable[],
): Promise<RenderedDocument | undefined> {
  if (instance.sopClassUid === encapsulatedPdf) {
    if (preferred(accept, [pdf]) === undefined) throw notAcceptable([pdf]);
    const { dataSet } = await cache.header(instance);
    return { type: pdf, bytes: pdfOf(dataSet), headers: { "content-disposition": "inline" } };
  }
  if (!isReport(instance.sopClassUid)) return undefined;
  const type = preferred(accept, [html, plain]);
  if (type === undefined) throw notAcceptable([html, plain]);
  const { dataSet } = await cache.header(instance);
  const text = type === html ? reportHtml(dataSet) : reportText(dataSet);
  // A page of its own that may do nothing, whatever the report says.
  const headers = { "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox" };
  return { type: `${type}; charset=utf-8`, bytes: Buffer.from(text), headers };
}

/** Without the byte that made its length even. */
export function pdfOf(dataSet: DataSet): Uint8Array {
  const bytes = dataSet.bytes(Tag.EncapsulatedDocument);
  if (bytes === undefined) throw new Problem("absent", "the instance holds no document");
  const length = dataSet.number(tagOf("EncapsulatedDocumentLength"));
  return length !== undefined && length > 0 && length <= bytes.length ? bytes.subarray(0, length) : bytes;
}
