import { createHash, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import type { EdgeCertificate } from "#trust/access";
import type { Vault } from "#trust/vault";
import type { HomePaths } from "../home/index.ts";
import { certificateEndsAt } from "./certificate-facts.ts";
import type { IssuingAuthority } from "./certificates.ts";
import { createSealedCertificates } from "./sealed-certificates.ts";

/** Who vouches for a home towards its edges, and for them. */
export interface LinkAuthority {
  /** Its certificate, PEM: what an edge pins. */
  readonly certificate: string;
  /** SHA-256 of it: what the code of an edge says of it. */
  readonly digest: Buffer;
  /** What we show to edges. */
  readonly context: SecureContext;
  /** Certifies the key of a request (PKCS #10, PEM). Problem `invalid` for what is none, or for a kind of key that is not taken. */
  issue(request: string, edgeId: string): Promise<EdgeCertificate>;
  /** Which edge a certificate was issued to. Undefined when it was not issued here, or is out of its time. */
  edgeOf(certificate: X509Certificate): { readonly id: string; readonly serial: string } | undefined;
}

export interface LinkAuthorityKeeper {
  /** Undefined until it was made. */
  current(): LinkAuthority | undefined;
  orMake(): Promise<LinkAuthority>;
}

const clientAuth = "1.3.6.1.5.5.7.3.2";
/** At a start with less left of it, what we show is made again: of its 820 days, so that a server may run for a year between two starts. */
const leastLeftMs = 400 * 86_400_000;

interface Parts {
  readonly vault: Pick<Vault, "secrets">;
  readonly clock: Clock;
  readonly random: Random;
}

/** Opens the home's authority for edges, which is made when the first of them is invited: before that there is nothing to reach. */
export async function openLinkAuthority(paths: Pick<HomePaths, "folder">, parts: Parts): Promise<LinkAuthorityKeeper> {
  const kept = (name: string, purpose: string) =>
    createSealedCertificates({ folder: paths.folder, name, purpose }, parts.vault);
  const [authority, node] = [
    kept("link-authority.json", "link authority key"),
    kept("link-node.json", "link certificate key"),
  ];
  const made = () => import("./certificates.ts");

  const openNode = async (issuing: IssuingAuthority): Promise<IssuingAuthority> => {
    const { certificates: [certificate] = [], keys: [key] = [] } = (await node.load()) ?? {};
    const isFit = certificate !== undefined && certificateEndsAt(certificate) > parts.clock.now() + leastLeftMs;
    if (isFit && key !== undefined && isIssuedBy(new X509Certificate(certificate), issuing))
      return { certificate, key };
    const fresh = await (await made()).makeLinkCertificate(issuing, parts);
    await node.save({ certificates: [fresh.certificate], keys: [fresh.key] });
    return fresh;
  };
  const opened = async (issuing: IssuingAuthority): Promise<LinkAuthority> =>
    authorityOf(issuing, await openNode(issuing), parts.clock, async (request, id) =>
      (await made()).certifyEdge(issuing, request, id, parts),
    );
  const open = async (): Promise<LinkAuthority | undefined> => {
    const { certificates: [certificate] = [], keys: [key] = [] } = (await authority.load()) ?? {};
    return certificate === undefined || key === undefined ? undefined : opened({ certificate, key });
  };
  const make = async (): Promise<LinkAuthority> => {
    const issuing = await (await made()).makeLinkAuthority(parts);
    await authority.save({ certificates: [issuing.certificate], keys: [issuing.key] });
    return opened(issuing);
  };

  let current = await open();
  let making: Promise<LinkAuthority> | undefined;
  return {
    current: () => current,
    async orMake() {
      if (current !== undefined) return current;
      making ??= make().finally(() => {
        making = undefined;
      });
      current = await making;
      return current;
    },
  };
}

function authorityOf(
  issuing: IssuingAuthority,
  shown: IssuingAuthority,
  clock: Clock,
  certify: (request: string, id: string) => Promise<string>,
): LinkAuthority {
  const own = new X509Certificate(issuing.certificate);
  return {
    certificate: issuing.certificate,
    digest: createHash("sha256").update(own.raw).digest(),
    // Edges learn the authority from the chain, and compare it with what their code says of it.
    context: createSecureContext({
      key: shown.key,
      cert: `${shown.certificate}\n${issuing.certificate}`,
      minVersion: "TLSv1.3",
    }),
    async issue(request, edgeId) {
      const certificate = await certify(request, edgeId);
      const { serialNumber, validTo } = new X509Certificate(certificate);
      return { certificate, serial: serialNumber, notAfter: Date.parse(validTo) };
    },
    edgeOf(certificate) {
      const [, id] = /^CN=([0-9a-f]{32})$/.exec(certificate.subject) ?? [];
      const isInTime =
        Date.parse(certificate.validFrom) <= clock.now() && clock.now() < Date.parse(certificate.validTo);
      const isClient = certificate.keyUsage?.includes(clientAuth) === true && !certificate.ca;
      if (id === undefined || !isInTime || !isClient || !isIssuedBy(certificate, issuing)) return undefined;
      return { id, serial: certificate.serialNumber };
    },
  };
}

function isIssuedBy(certificate: X509Certificate, { certificate: pem }: IssuingAuthority): boolean {
  const issuer = new X509Certificate(pem);
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
