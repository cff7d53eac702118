// `node tools/setup/bill-of-materials.mjs`: writes docs/sbom.cdx.json, what the product is made of (CycloneDX 1.6), out of
// package-lock.json. The same lock file gives the same bytes, so that a change of it is read in review as what comes and goes.
// With `-` it prints the bill of the lock file on its standard input instead.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { lockFile, root, tell } from "./places.mjs";

const billFile = join(root, "docs", "sbom.cdx.json");

/** The text of the bill for the text of a lock file. */
function billOfMaterials(lockText) {
  const lock = JSON.parse(lockText);
  const components = Object.entries(lock.packages)
    .filter(([path, { link }]) => path.includes("node_modules/") && link !== true)
    .map(([path, entry]) => componentOf(path, entry))
    .sort((one, other) => (one["bom-ref"] < other["bom-ref"] ? -1 : 1));
  const unique = components.filter((each, at) => each["bom-ref"] !== components[at - 1]?.["bom-ref"]);
  const { name, version, license } = lock.packages[""];
  const bill = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: { type: "application", name, version, licenses: licensesOf(license) } },
    components: unique,
  };
  return `${JSON.stringify(bill, null, 1)}\n`;
}

function componentOf(path, { version, integrity, license, dev, optional, hasInstallScript }) {
  const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  return {
    type: "library",
    "bom-ref": purl,
    name,
    version,
    scope: dev ? "excluded" : optional ? "optional" : "required",
    ...(integrity && { hashes: integrity.split(" ").map(hashOf) }),
    ...(license && { licenses: licensesOf(license) }),
    purl,
    ...(hasInstallScript && { properties: [{ name: "leadglass:hasInstallScript", value: "true" }] }),
  };
}

function hashOf(integrity) {
  const [algorithm, base64] = integrity.split("-");
  return { alg: algorithm.replace("sha", "SHA-"), content: Buffer.from(base64, "base64").toString("hex") };
}

/** An SPDX id, an expression of several, or another text. */
function licensesOf(license) {
  if (/^[A-Za-z0-9.+-]+$/.test(license)) return [{ license: { id: license } }];
  return / (OR|AND|WITH) /.test(license) ? [{ expression: license }] : [{ license: { name: license } }];
}

export function writeBill() {
  writeFileSync(billFile, billOfMaterials(readFileSync(lockFile, "utf8")));
  tell("docs/sbom.cdx.json is what package-lock.json says");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  if (process.argv[2] === "-") process.stdout.write(billOfMaterials(readFileSync(0, "utf8")));
  else writeBill();
}
