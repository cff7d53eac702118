import { searchable } from "#radiology/archive";
import { searchControls } from "./search-query.ts";

/** A resource below the root, and the methods that it takes. */
export interface OfferedResource {
  /** As the router has it: `/studies/:study`. */
  readonly path: string;
  readonly methods: readonly string[];
}

export const wadlType = "application/vnd.sun.wadl+xml";

const dataSets = ["application/dicom+json", "application/json", 'multipart/related; type="application/dicom+xml"'];
const uploads = ["application/dicom", "application/dicom+json", "application/dicom+xml"];

interface Forms {
  readonly takes?: readonly string[];
  readonly gives?: readonly string[];
  readonly parameters?: readonly string[];
}

/** What each level is searched by: keys of the levels above too. */
const searchKeys = {
  studies: searchable.study,
  series: [...searchable.study, ...searchable.series],
  instances: [...searchable.study, ...searchable.series, ...searchable.instance],
} as const;

/** What is taken and given, as far as it is the same for all that lies behind an address. */
function formsOf(method: string, path: string): Forms {
  const [, level] = /\/(studies|series|instances)$/.exec(path) ?? [];
  if (method === "GET" && level !== undefined) {
    return { gives: dataSets, parameters: [...searchControls, ...searchKeys[level as keyof typeof searchKeys]] };
  }
  if (method === "GET" && /\/(metadata|rejected)$/.test(path)) return { gives: dataSets };
  if (path.startsWith("/workitems") && !path.includes("/subscribers/")) {
    if (method === "GET") return { gives: dataSets, ...(path === "/workitems" && { parameters: searchControls }) };
    return method === "POST" || method === "PUT" ? { takes: dataSets } : {};
  }
  if (method === "POST" && /\/studies(\/:study)?$/.test(path)) {
    const related = uploads.map((type) => `multipart/related; type="${type}"`);
    return { takes: [...related, ...uploads], gives: ["application/dicom+json", "application/dicom+xml"] };
  }
  return {};
}

/** Retrieve Capabilities (PS3.18 §8.9): what is offered, in the Web Application Description Language. */
export function writeWadl(root: string, resources: readonly OfferedResource[]): string {
  const offered = resources.map(({ path, methods }) => {
    const places = [...path.matchAll(/:([a-z]+)/g)].map(([, name]) => `<param name="${name}" style="template"/>`);
    const written = path
      .slice(1)
      .replace(/:([a-z]+)/g, "{$1}")
      .replace("*", "{path}");
    const ways = methods.map((method) => methodXml(method, formsOf(method, path)));
    return `<resource path="${written}">${places.join("")}${ways.join("")}</resource>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<application xmlns="http://wadl.dev.java.net/2009/02"><resources base="${escaped(root)}">`,
    ...offered,
    "</resources></application>\n",
  ].join("\n");
}

function methodXml(method: string, { takes = [], gives = [], parameters = [] }: Forms): string {
  const represented = (types: readonly string[]) =>
    types.map((type) => `<representation mediaType="${escaped(type)}"/>`).join("");
  const asked = parameters.map((name) => `<param name="${name}" style="query"/>`).join("");
  const request = asked + represented(takes);
  return [
    `<method name="${method}">`,
    ...(request === "" ? [] : [`<request>${request}</request>`]),
    ...(gives.length === 0 ? [] : [`<response>${represented(gives)}</response>`]),
    "</method>",
  ].join("");
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
