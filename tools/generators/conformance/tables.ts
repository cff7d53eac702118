import { fastify } from "fastify";
import { createDicomwebDoor, FailureReason, searchControls } from "#doors/dicomweb";
import {
  archiveFinds,
  archiveRetrieves,
  dimseStatus,
  instanceAvailabilityNotification,
  leadglass,
  performedServices,
  storageCommitmentPushModel,
  worklistFinds,
} from "#doors/dimse";
import {
  allTransferSyntaxes,
  attributeNameOf,
  attributeOf,
  formatTag,
  sopClassOf,
  storageSopClasses,
  tagOf,
} from "#formats/dicom";
import { rejectionTitles, searchable } from "#radiology/archive";
import { comparison } from "../../../tests/conformance/queries-explained.fixture.ts";

/** Rows of a table, its head first. */
type Rows = readonly (readonly string[])[];

/** The tables of docs/conformance.md by name, each read from what the code runs on. */
export const tables: Readonly<Record<string, () => Promise<Rows> | Rows>> = {
  identification,
  services,
  "matching-keys": matchingKeys,
  "search-parameters": () => [["parameter"], ...searchControls.map((name) => [`\`${name}\``])],
  resources,
  comparison,
  "failure-reasons": () => coded(FailureReason),
  "rejection-titles": () => [
    ["code", "scheme", "meaning"],
    ...rejectionTitles.map(({ code, scheme, meaning }) => [code, scheme, meaning]),
  ],
  statuses: () => coded(dimseStatus),
  "transfer-syntaxes": transferSyntaxes,
  "sop-classes": () => [["SOP class", "UID"], ...storageSopClasses().map(({ name, uid }) => [name, uid])],
};

function identification(): Rows {
  return [
    ["", ""],
    ["Implementation Class UID", leadglass.classUid],
    ["Implementation Version Name", leadglass.version],
  ];
}

/** What the factories of services are given is asked for when a request comes: their tables of SOP classes are there before. */
const unasked = {} as never;

function services(): Rows {
  const asScp = new Map<string, string>([
    ["1.2.840.10008.1.1", "C-ECHO"],
    ...[...archiveFinds(unasked).keys(), ...worklistFinds(unasked).keys()].map((uid) => [uid, "C-FIND"] as const),
    ...[...archiveRetrieves(unasked).keys()].map(
      (uid) => [uid, sopClassOf(uid)?.name.includes("- GET") ? "C-GET" : "C-MOVE"] as const,
    ),
    ...[...performedServices(unasked).keys()].map(
      (uid) => [uid, sopClassOf(uid)?.name.endsWith("Retrieve") ? "N-GET" : "N-CREATE, N-SET"] as const,
    ),
    [storageCommitmentPushModel, "N-ACTION, N-EVENT-REPORT"],
  ]);
  const asScu = new Map([
    [storageCommitmentPushModel, "N-ACTION, N-EVENT-REPORT"],
    [instanceAvailabilityNotification, "N-CREATE"],
  ]);
  const rowOf =
    (role: string) =>
    ([uid, operations]: readonly [string, string]) => [sopClassOf(uid)?.name ?? "", uid, role, operations];
  return [
    ["service", "SOP class UID", "role", "operations"],
    ["Storage: the classes of the annex, private and newer ones", "", "SCP, SCU", "C-STORE"],
    ...[...asScp].map(rowOf("SCP")),
    ...[...asScu].map(rowOf("SCU")),
  ];
}

function matchingKeys(): Rows {
  const rows = Object.entries(searchable).flatMap(([level, keywords]) =>
    keywords.map((keyword) => {
      const tag = tagOf(keyword);
      return [level, keyword, formatTag(tag), attributeOf(tag)?.vrs[0] ?? "", attributeNameOf(tag) ?? ""];
    }),
  );
  return [["level", "keyword", "tag", "VR", "name"], ...rows];
}

async function resources(): Promise<Rows> {
  const server = fastify();
  const methods = new Map<string, Set<string>>();
  server.addHook("onRoute", ({ method, url }) => {
    const known = methods.get(url) ?? new Set<string>();
    for (const one of [method].flat()) known.add(one);
    methods.set(url, known);
  });
  const root = "/dicom-web";
  await server.register(createDicomwebDoor({ root, isAllowedOrigin: () => false } as never));
  await server.ready();
  await server.close();
  const rows = [...methods].filter(([url]) => !url.endsWith("/"));
  return [
    ["resource", "methods"],
    ...rows.map(([url, ways]) => [
      `\`${url.replace(/:([a-z]+)/g, "{$1}").replace("*", "{path}")}\``,
      [...ways].join(", "),
    ]),
  ];
}

function transferSyntaxes(): Rows {
  const rows = allTransferSyntaxes().map(({ name, uid, encapsulated, codec, loss, retired }) => [
    retired ? `${name} (retired)` : name,
    uid,
    encapsulated ? codec : "not encapsulated",
    loss,
  ]);
  return [["transfer syntax", "UID", "pixels", "compression"], ...rows];
}

/** Codes by their names in the code: `outOfResources` as "out of resources". */
function coded(codes: Readonly<Record<string, number>>): Rows {
  const rows = Object.entries(codes).map(([name, code]) => [
    `${code.toString(16).toUpperCase().padStart(4, "0")}H`,
    name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
  ]);
  return [["code", "meaning"], ...rows];
}
