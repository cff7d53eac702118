import { createKeptJson, systemFiles } from "#base/io";
import type { Vault } from "#trust/vault";

/** Certificates and their keys, both PEM, and both lists in one order. */
export interface CertificatesWithKeys {
  readonly certificates: readonly string[];
  readonly keys: readonly string[];
}

/** What lies in such a file: certificates for everybody, keys for who has the vault. */
interface Kept {
  readonly certificates: readonly string[];
  readonly keysSealed: string;
}

/** One file of a home; `purpose` is what its keys are sealed for. */
export function createSealedCertificates(
  at: { readonly folder: string; readonly name: string; readonly purpose: string },
  vault: Pick<Vault, "secrets">,
) {
  const file = createKeptJson(systemFiles, at.folder, at.name);
  return {
    async load(): Promise<CertificatesWithKeys | undefined> {
      const found = (await file.load()) as Kept | undefined;
      if (found === undefined) return undefined;
      const opened = vault.secrets.open(at.purpose, Buffer.from(found.keysSealed, "base64"));
      return { certificates: found.certificates, keys: JSON.parse(opened.toString("utf8")) as string[] };
    },
    save({ certificates, keys }: CertificatesWithKeys) {
      const keysSealed = vault.secrets.seal(at.purpose, Buffer.from(JSON.stringify(keys), "utf8")).toString("base64");
      return file.save({ certificates, keysSealed } satisfies Kept);
    },
  };
}
