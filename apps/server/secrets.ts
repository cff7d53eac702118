import { readFile, writeFile } from "node:fs/promises";
import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import { systemFiles } from "#base/io";
import type { Vault } from "#trust/vault";
import type { HomePaths } from "../home/index.ts";

const keyPurpose = "server certificate key";

/** The server's certificate and key for those hosts; made when the home has none, one for others, or one that ends within a month. */
export async function openOrMakeCertificates(
  paths: HomePaths,
  hosts: readonly string[],
  parts: { vault: Vault; clock: Clock; random: Random },
): Promise<{ key: string; cert: string; fingerprint: string }> {
  const { vault, clock, random } = parts;
  const { certificateEndsAt, certificateVouchesFor, fingerprintOf } = await import("./certificate-facts.ts");
  if (await systemFiles.exists(paths.certificateKey)) {
    const cert = await readFile(paths.certificate, "utf8");
    const isForAll = hosts.every((host) => certificateVouchesFor(cert, host));
    if (isForAll && certificateEndsAt(cert) > clock.now() + 30 * 86_400_000) {
      const key = vault.secrets.open(keyPurpose, await readFile(paths.certificateKey)).toString("utf8");
      return { key, cert, fingerprint: fingerprintOf(cert) };
    }
  }
  const { makeCertificates } = await import("./certificates.ts");
  const made = await makeCertificates(hosts, clock, random);
  await writeFile(paths.ca, made.ca, { mode: 0o644, flush: true });
  await writeFile(paths.certificate, made.certificate, { mode: 0o600, flush: true });
  await writeFile(paths.certificateKey, vault.secrets.seal(keyPurpose, Buffer.from(made.key, "utf8")), {
    mode: 0o600,
    flush: true,
  });
  return { key: made.key, cert: made.certificate, fingerprint: fingerprintOf(made.certificate) };
}
