import type { Route } from "../../apps/server/index.ts";

/** What stands for something, by what routes and bodies call it. */
export type Ids = Readonly<Record<string, string>>;

/** One request, made for a route. */
export interface Asking {
  readonly method: string;
  readonly path: string;
  readonly body?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** What fills a place of that name in a route or a body: what is called so, or `other`. */
type Fill = (name: string, other: string) => string;

const filledWith =
  (ids: Ids): Fill =>
  (name, other) =>
    ids[name] ?? other;

/** What stands in addresses of DICOMweb and is nobody's. */
const spoken: Ids = { frames: "1", code: "113001^DCM", workitem: "2.25.1", aetitle: "NOBODY" };

/** In addresses of DICOMweb the same words stand for UIDs. */
const inDicomweb =
  (ids: Ids): Fill =>
  (name, other) =>
    ids[`${name}Uid`] ?? spoken[name] ?? other;

/** What is looked at of a JSON schema. */
export interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  /** Not all of them together. */
  readonly not?: { readonly required: readonly string[] };
  readonly minimum?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

/** A body that the schema takes, its texts filled. */
function bodyFor(schema: Schema, name: string, fill: Fill, other: string): unknown {
  const [choice] = schema.anyOf ?? schema.oneOf ?? [];
  if (choice !== undefined) return bodyFor(choice, name, fill, other);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.type === "array") return [bodyFor(schema.items ?? {}, name, fill, other)];
  if (schema.type === "boolean") return false;
  if (schema.type === "number" || schema.type === "integer") return schema.minimum ?? 1;
  if (schema.type !== "object") return textFor(schema, fill(name, other));
  const { properties = {}, required = [], not } = schema;
  const names = new Set([...Object.keys(properties), ...required]);
  for (const excluded of not?.required.slice(1) ?? []) names.delete(excluded);
  return Object.fromEntries([...names].map((key) => [key, bodyFor(properties[key] ?? {}, key, fill, other)]));
}

/** The text, or another one where the schema does not take it. */
function textFor({ pattern, maxLength = 256 }: Schema, text: string): string {
  const cut = text.slice(0, maxLength);
  const taken = (one: string) => pattern === undefined || new RegExp(pattern).test(one);
  return [cut, "20260101", "0".repeat(32), "1.2.3"].find(taken) ?? cut;
}

/** The names of the places in a route. */
export const paramsIn = (url: string) => [...url.matchAll(/:([A-Za-z]+)/g)].map(([, name]) => name as string);
/** A request that the route takes, its places filled with these ids, and with `other` where there is none of that name. */
export function asking(
  { method, url, body: schema }: Route,
  ids: Ids,
  other: string,
  headers: Asking["headers"],
): Asking {
  const isDicomweb = url.startsWith("/dicom-web");
  const inAddress = isDicomweb ? inDicomweb(ids) : filledWith(ids);
  const filled = url
    .replaceAll(/:([A-Za-z]+)(\([^)]*\))?/g, (_all, name: string) => encodeURIComponent(inAddress(name, other)))
    .replace("*", "7FE00010");
  const isSearch = isDicomweb && method === "GET" && /(studies|series|instances)$/.test(url);
  const { studyUid = "", seriesUid = "", instanceUid = "", patientId = "" } = ids;
  const byUri = { requestType: "WADO", studyUID: studyUid, seriesUID: seriesUid, objectUID: instanceUid };
  const query = isSearch
    ? { StudyInstanceUID: studyUid, PatientID: patientId }
    : url.endsWith("/wado")
      ? byUri
      : undefined;
  const path = query === undefined ? filled : `${filled}?${new URLSearchParams(query)}`;
  const takesBody = method !== "GET" && schema !== undefined;
  const body = takesBody ? JSON.stringify(bodyFor(schema as Schema, "", filledWith(ids), other)) : undefined;
  return { method, path, body, headers: { ...headers, ...(takesBody && { "content-type": "application/json" }) } };
}
