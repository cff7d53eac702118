import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readConfiguration } from "./configuration.ts";

const home = "/nowhere/leadglass";

test("without settings nothing listens beyond this machine", () => {
  const configuration = readConfiguration({ home }, {});
  assert.equal(configuration.httpsHost, "127.0.0.1");
  assert.equal(configuration.dicomHost, "127.0.0.1");
  assert.equal(configuration.httpsPort, 8443);
  assert.equal(configuration.dicomPort, 11112);
});

test("plain DICOM on every interface, or on a public address, refuses to start and says why", () => {
  for (const host of ["0.0.0.0", "::", "203.0.113.7", "2001:db8::1", "example.org"]) {
    assert.throws(() => readConfiguration({ home, "dicom-host": host }, {}), {
      code: "invalid",
      message: /refusing to start: dicomHost/,
      remedy: /LEADGLASS_DICOM_HOST/,
    });
  }
  assert.equal(readConfiguration({ home, "dicom-host": "192.168.4.2" }, {}).dicomHost, "192.168.4.2");
});

test("HL7 without TLS listens on one private interface or not at all, over TLS on any, where somebody says so", () => {
  const listens = (settings: Record<string, string>) => {
    const { hl7Host, hl7Port, hl7TlsHost, hl7TlsPort } = readConfiguration({ home, ...settings }, {});
    return [hl7Host, hl7Port, hl7TlsHost, hl7TlsPort];
  };
  assert.deepEqual(listens({}), ["127.0.0.1", 2575, "127.0.0.1", undefined]);
  assert.deepEqual(listens({ "hl7-port": "off", "hl7-tls-port": "2576", "hl7-tls-host": "0.0.0.0" }).slice(1), [
    undefined,
    "0.0.0.0",
    2576,
  ]);
  for (const host of ["0.0.0.0", "203.0.113.7"])
    assert.throws(() => listens({ "hl7-host": host }), { code: "invalid", message: /refusing to start: hl7Host/ });
});

test("DICOM over TLS may listen on any interface, and be off; nowhere beyond this machine unless somebody says so", () => {
  const listens = (settings: Record<string, string>) => {
    const { dicomTlsHost, dicomTlsPort } = readConfiguration({ home, ...settings }, {});
    return [dicomTlsHost, dicomTlsPort];
  };
  assert.deepEqual(listens({}), ["127.0.0.1", 2762]);
  assert.deepEqual(listens({ "dicom-tls-host": "0.0.0.0", "dicom-tls-port": "104" }), ["0.0.0.0", 104]);
  assert.deepEqual(listens({ "dicom-tls-port": "off" }), ["127.0.0.1", undefined]);
  for (const port of ["on", "-1", "65536"])
    assert.throws(() => listens({ "dicom-tls-port": port }), { code: "invalid", message: /dicomTlsPort/ });
});

test("in the cloud no port for machines is open, and none can be opened", () => {
  const { dicomPort, dicomTlsPort, hl7Port, hl7TlsPort } = readConfiguration({ home, role: "cloud" }, {});
  assert.deepEqual([dicomPort, dicomTlsPort, hl7Port, hl7TlsPort], [undefined, undefined, undefined, undefined]);
  for (const option of ["dicom-port", "dicom-tls-port", "hl7-port", "hl7-tls-port"]) {
    const opened = () => readConfiguration({ home, role: "cloud", [option]: "0" }, {});
    assert.throws(opened, { code: "invalid", message: /cannot be opened in the cloud/ });
    assert.doesNotThrow(() => readConfiguration({ home, role: "cloud", [option]: "off" }, {}));
  }
  assert.throws(() => readConfiguration({ home, role: "render" }, {}), {
    code: "invalid",
    message: /role must be one of/,
  });
});

test("an option wins over the environment, the environment over the file, the file over the default", () => {
  const folder = mkdtempSync(join(tmpdir(), "leadglass-configuration-"));
  try {
    writeFileSync(
      join(folder, "leadglass.json"),
      JSON.stringify({ httpsPort: 1001, dicomPort: 1002, aeTitle: "FILE" }),
    );
    const environment = { LEADGLASS_HTTPS_PORT: "2001", LEADGLASS_DICOM_PORT: "2002" };
    const configuration = readConfiguration({ home: folder, "https-port": "3001" }, environment);
    assert.deepEqual([configuration.httpsPort, configuration.dicomPort, configuration.aeTitle], [3001, 2002, "FILE"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a setting that is misspelt in the file is refused, not ignored", () => {
  const folder = mkdtempSync(join(tmpdir(), "leadglass-configuration-"));
  try {
    writeFileSync(join(folder, "leadglass.json"), JSON.stringify({ dicomhost: "10.0.0.1" }));
    assert.throws(() => readConfiguration({ home: folder }, {}), { code: "invalid", message: /dicomhost/ });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("objects rest in the home, in one folder or in two; buckets are refused, and a replica that is no other place", () => {
  const placesOf = (objects: string) => readConfiguration({ home, objects }, {}).objects;
  assert.deepEqual(placesOf(""), { first: home, replica: undefined });
  assert.deepEqual(placesOf("/data"), { first: "/data", replica: undefined });
  assert.deepEqual(placesOf(",/mnt/nas"), { first: home, replica: "/mnt/nas" });
  assert.deepEqual(placesOf("/data, /mnt/nas"), { first: "/data", replica: "/mnt/nas" });
  for (const objects of ["s3://bucket", ",s3://bucket/prefix"])
    assert.throws(() => placesOf(objects), { code: "unsupported" });
  for (const objects of ["/a,/b,/c", "/a,/a", `/a,${home}`])
    assert.throws(() => placesOf(objects), { code: "invalid", message: /objects/ });
});

test("without rules of retention nothing is ever due; rules that are not understood refuse the start", () => {
  const folder = mkdtempSync(join(tmpdir(), "leadglass-configuration-"));
  const withRules = (retention: unknown) => {
    writeFileSync(join(folder, "leadglass.json"), JSON.stringify({ retention, scrubRate: 0 }));
    return readConfiguration({ home: folder }, {});
  };
  try {
    assert.deepEqual(readConfiguration({ home: folder }, {}).retention.rules, []);
    const rules = [{ modalities: ["CT"], days: 3650, from: "studyDate" }];
    const { retention, scrubBytesPerSecond } = withRules({ rules });
    assert.deepEqual([retention.rules, scrubBytesPerSecond], [rules, 0]);
    for (const wrong of [null, "10 years", { rules: [{ days: 1 }] }, { rules: [], days: 1 }])
      assert.throws(() => withRules(wrong), { code: "invalid", message: /retention/ });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what the environment says of the main home is not said of a tenant; ports are the main home's and no tenant's", () => {
  const main = mkdtempSync(join(tmpdir(), "leadglass-configuration-"));
  const tenant = join(main, "tenants", "clinic-a");
  const environment = {
    LEADGLASS_DATABASE: "postgres://main@/main",
    LEADGLASS_PASSPHRASE_FILE: "/run/main.passphrase",
    LEADGLASS_OBJECTS: "/data/main",
    LEADGLASS_AE_TITLE: "MAIN",
    LEADGLASS_ROOT_KEY: "pkcs11:token=main",
    LEADGLASS_HTTPS_PORT: "1443",
  };
  const write = (settings: object) => writeFileSync(join(tenant, "leadglass.json"), JSON.stringify(settings));
  try {
    for (const folder of [join(main, "keys"), tenant]) mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(main, "leadglass.json"),
      JSON.stringify({ dicomPort: 1104, aeTitle: "FILE", rootKey: "awskms:x" }),
    );
    write({ hosts: ["Clinic-A.example.org.", "192.0.2.7"], aeTitle: "CLINIC-A", database: "postgres://a@/a" });
    const of = readConfiguration({ home: tenant }, environment);
    assert.deepEqual([of.hosts, of.aeTitle], [["clinic-a.example.org", "192.0.2.7"], "CLINIC-A"]);
    assert.deepEqual([of.database, of.rootKey, of.objects.first], ["postgres://a@/a", "passphrase", tenant]);
    assert.equal(of.passphraseFile, join(tenant, "root.passphrase"));
    assert.deepEqual([of.httpsPort, of.dicomPort], [1443, 1104]);
    assert.equal(readConfiguration({ home: main }, environment).database, "postgres://main@/main");
    write({ hosts: ["clinic-a.example.org"], httpsPort: 443 });
    assert.throws(() => readConfiguration({ home: tenant }, environment), { code: "invalid", message: /httpsPort/ });
    for (const hosts of ["a.example", [], [1], ["a.example:443"], ["a b"]]) {
      write({ hosts });
      assert.throws(() => readConfiguration({ home: tenant }, environment), { code: "invalid", message: /hosts/ });
    }
  } finally {
    rmSync(main, { recursive: true });
  }
});
