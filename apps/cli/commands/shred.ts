import { readFile, writeFile } from "node:fs/promises";
import { Problem } from "#base/problem";
import type { ConfirmationView, ShredCertificateView, ShredRequest } from "#formats/api";
import { openProvenEntry } from "#trust/audit";
import type { Command } from "../arguments.ts";
import { confirmationFlags, confirmed } from "../confirmed.ts";
import { withServer } from "../with-server.ts";

export const vaultShred: Command = {
  words: "vault shred",
  takes: "STUDY [--patient] [--out FILE]",
  does: "destroy the keys of a study, or of all that is held of its patient, for ever and in backups too; another administrator confirms",
  options: { out: "FILE  where the certificate goes (else it is printed)" },
  flags: { ...confirmationFlags, patient: "the whole patient of that study" },
  run: (context) =>
    withServer(context, async (call, { running }) => {
      const [study] = context.positionals;
      if (study === undefined || !/^[0-9a-f]{32}$/.test(study)) {
        throw new Problem("invalid", "a study is named by its token", {
          remedy: "32 hexadecimal digits, as in its address in the browser",
        });
      }
      const body: ShredRequest = { study, wholePatient: context.flags.has("patient") };
      const ask = () => call.json<ConfirmationView>("POST", "/api/vault/shred", body);
      const certificate = await confirmed<ShredCertificateView>(context, { call, running }, ask);
      if (certificate === undefined) return;
      const { out } = context.options;
      if (out !== undefined) await writeFile(out, `${JSON.stringify(certificate, null, 2)}\n`, { mode: 0o600 });
      const lines = [
        `${certificate.studies.length} studies shredded: nothing opens them again`,
        ...certificate.backups.map(({ folder, kept }) =>
          kept === undefined ? `  destroyed in ${folder} too` : `  STILL in ${folder}: ${kept}`,
        ),
        out === undefined
          ? JSON.stringify(certificate, null, 2)
          : `  certificate in ${out}; leadglass vault certificate ${out} proves it`,
      ];
      context.print(lines.join("\n"), certificate);
    }),
};

export const vaultCertificate: Command = {
  words: "vault certificate",
  takes: "FILE [--key FILE]",
  does: "prove a certificate of shredding by the signed log (needs no home)",
  options: { key: "FILE  the log's public key, had by another way than the certificate" },
  async run(context) {
    const [file] = context.positionals;
    if (file === undefined) throw new Problem("invalid", "name the certificate");
    const certificate = certificateOf(await readFile(file, "utf8"));
    const { key } = context.options;
    const verifierKey = key === undefined ? certificate.verifierKey : (await readFile(key, "utf8")).trim();
    const opened = certificate.entries.map((entry) => openProvenEntry(entry, verifierKey));
    const named = new Set(opened.filter(({ act }) => act === "keys.destroyed").flatMap(({ studies = [] }) => studies));
    const missing = certificate.studies.filter((study) => !named.has(study));
    if (missing.length > 0 || opened.some(({ act }) => !/^keys\.destroy(ing|ed)$/.test(act))) {
      throw new Problem("damaged", "the log does not say what the certificate says", {
        remedy: "keep the file as it is, and ask for another",
      });
    }
    const provenAt = Math.max(...opened.map((entry) => entry.provenAt));
    const text = `${certificate.studies.length} studies shredded, proven by the log as signed ${new Date(provenAt).toISOString()}`;
    context.print(text, { studies: certificate.studies, provenAt });
  },
};

function certificateOf(text: string): ShredCertificateView {
  try {
    const parsed = JSON.parse(text) as Partial<ShredCertificateView> | null;
    const isWhole =
      parsed?.format === "leadglass shred certificate 1" &&
      Array.isArray(parsed.studies) &&
      Array.isArray(parsed.entries) &&
      parsed.entries.length > 0 &&
      typeof parsed.verifierKey === "string";
    if (isWhole) return parsed as ShredCertificateView;
  } catch {
    // Told below.
  }
  throw new Problem("invalid", "the file is no certificate of shredding");
}
