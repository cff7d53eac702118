import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Problem } from "#base/problem";
import type { DeviceAdded, DeviceProofRequest } from "#formats/api";
import type { CommandContext } from "../arguments.ts";

export const certificateOptions = {
  certificate: "DIR  give it a certificate: its key, the certificate and our authority's, to be put on it",
  "certificate-request": "FILE  certify the key of this request (PKCS #10, PEM), which then need not leave the machine",
  trust: "FILE  it has a certificate (PEM): know it by that key",
  subject: "NAME  an authority in leadglass.json certifies it under this name: CN=CT1,O=Clinic",
};

/** How a machine is to be known over TLS, and what is written once it is added. */
export interface CertificateWish {
  readonly proof?: DeviceProofRequest;
  /** Writes what was issued; says where. */
  write(added: DeviceAdded): Promise<string>;
}

const nothing: CertificateWish = { write: async () => "" };

/** Problem `invalid` for options that do not go together, `conflict` for a folder that has a key. */
export async function certificateWish({ options }: CommandContext, ae: string): Promise<CertificateWish> {
  const { certificate: folder, "certificate-request": request, trust, subject } = options;
  if ([folder, trust, subject].filter((each) => each !== undefined).length > 1) {
    throw new Problem("invalid", "--certificate, --trust and --subject each say who the machine is: name one");
  }
  if (trust !== undefined) return { ...nothing, proof: { kind: "certificate", certificate: await readPem(trust) } };
  if (subject !== undefined) return { ...nothing, proof: { kind: "name", name: subject } };
  if (folder === undefined) {
    if (request === undefined) return nothing;
    throw new Problem("invalid", "--certificate DIR says where the certificate of the request is to be written");
  }
  const at = (name: string) => join(resolve(folder), name);
  await mkdir(resolve(folder), { recursive: true, mode: 0o700 });
  if (request !== undefined) {
    const proof = { kind: "request" as const, request: await readPem(request) };
    return { proof, write: (added) => writeIssued(added, at) };
  }
  const { makeDeviceRequest } = await import("../../server/index.ts");
  const made = await makeDeviceRequest(ae);
  await writeFile(at("key.pem"), made.key, { mode: 0o600, flag: "wx", flush: true }).catch((cause) => {
    const remedy = "name an empty folder: a key is made new with each certificate";
    throw new Problem("conflict", "there is a key in that folder, or it cannot be written to", { remedy, cause });
  });
  return { proof: { kind: "request", request: made.request }, write: (added) => writeIssued(added, at) };
}

async function writeIssued({ issued }: DeviceAdded, at: (name: string) => string): Promise<string> {
  if (issued === undefined) throw new Problem("fault", "the server issued no certificate");
  await writeFile(at("certificate.pem"), issued.certificate, { mode: 0o644, flush: true });
  await writeFile(at("ca.pem"), issued.authority, { mode: 0o644, flush: true });
  return `\nput what is in ${at("")} on the machine: its certificate, and ca.pem to trust; then remove it here`;
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new Problem("invalid", `${path} cannot be read`, { cause });
  }
}
