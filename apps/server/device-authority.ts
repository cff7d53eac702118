import { X509Certificate } from "node:crypto";
import { writeFile } from "node:fs/promises";
import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import type { OwnCertificates } from "#doors/dimse";
import type { Vault } from "#trust/vault";
import type { HomePaths } from "../home/index.ts";
import { certificateEndsAt, certificateVouchesFor } from "./certificate-facts.ts";
import type { IssuingAuthority } from "./certificates.ts";
import { createSealedCertificates } from "./sealed-certificates.ts";

/** Who vouches for our own certificate towards machines, and for the certificates that they are given here. */
export interface DeviceAuthority {
  /** Its certificate, PEM: what a machine must trust. */
  readonly certificate: string;
  /** What we show, each way. */
  readonly own: OwnCertificates;
  /** Certifies the key of a request (PEM) for the machine of this AE title. Problem `invalid` for what is no such request. */
  issue(request: string, ae: string): Promise<string>;
}

/** In a home, beside the authority's certificate in PEM, which is public. */
const authorityFile = "dicom-authority.json";
const nodeFile = "dicom-node.json";
const keysPurpose = { authority: "DICOM authority key", node: "DICOM certificate keys" } as const;
/** Before its end, another one is made. */
const leastLeftMs = 30 * 86_400_000;

/** In a backup, so that machines go on trusting what was restored. */
export const deviceAuthorityFiles = [authorityFile, nodeFile];

/**
 * The home's authority, made when there is none, and our certificates under it for those hosts; those are made again when they are for
 * others, or end within a month. Machines keep trusting what the authority vouches for.
 */
export async function openOrMakeDeviceAuthority(
  paths: Pick<HomePaths, "folder" | "dicomCa">,
  hosts: readonly string[],
  parts: { readonly vault: Pick<Vault, "secrets">; readonly clock: Clock; readonly random: Random },
): Promise<DeviceAuthority> {
  const { vault, clock } = parts;
  const kept = (name: string, purpose: string) =>
    createSealedCertificates({ folder: paths.folder, name, purpose }, vault);
  const openAuthority = async (): Promise<IssuingAuthority> => {
    const file = kept(authorityFile, keysPurpose.authority);
    const found = await file.load();
    const [certificate, key] = [found?.certificates[0], found?.keys[0]];
    if (certificate !== undefined && key !== undefined) return { certificate, key };
    const made = await (await import("./certificates.ts")).makeIssuingAuthority(parts);
    await file.save({ certificates: [made.certificate], keys: [made.key] });
    return made;
  };
  const openNode = async (issuing: IssuingAuthority): Promise<OwnCertificates> => {
    const file = kept(nodeFile, keysPurpose.node);
    const found = await file.load();
    const isFit = (certificate: string) =>
      certificateEndsAt(certificate) > clock.now() + leastLeftMs &&
      isIssuedBy(certificate, issuing.certificate) &&
      hosts.every((host) => certificateVouchesFor(certificate, host));
    if (found?.certificates.every(isFit)) return { key: found.keys, cert: found.certificates };
    const made = await (await import("./certificates.ts")).makeNodeCertificates(issuing, hosts, parts);
    await file.save({ certificates: made.cert, keys: made.key });
    return made;
  };
  const issuing = await openAuthority();
  const own = await openNode(issuing);
  await writeFile(paths.dicomCa, issuing.certificate, { mode: 0o644, flush: true });
  return {
    certificate: issuing.certificate,
    own,
    async issue(request, ae) {
      return (await import("./certificates.ts")).certifyRequest(issuing, request, ae, parts);
    },
  };
}

function isIssuedBy(certificate: string, authority: string): boolean {
  return new X509Certificate(certificate).verify(new X509Certificate(authority).publicKey);
}

/** A new key and a request for it, PEM, as a machine would make it for itself. */
export async function makeDeviceRequest(ae: string): Promise<{ readonly key: string; readonly request: string }> {
  return (await import("./certificates.ts")).makeRequest(ae);
}
