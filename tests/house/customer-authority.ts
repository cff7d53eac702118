import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./index.ts";

/** An authority of a customer's own, run by OpenSSL as its IT department would: certificates, revocation, lists and a responder. */
export interface CustomerAuthority {
  /** Paths, PEM. */
  readonly certificate: string;
  issue(name: string, options?: IssueOptions): KeyAndCertificate;
  /** From the next list, and the responder's next start, on. */
  revoke(name: string): void;
  /** The newest list. */
  list(options?: { readonly seconds?: number }): string;
  /** Starts a responder that knows what is revoked by now, at the address that certificates name; it signs as this one, if not as the authority let it. */
  respond(as?: { readonly signer?: KeyAndCertificate }): Promise<{ readonly url: string; stop(): void }>;
}

export interface KeyAndCertificate {
  readonly key: string;
  readonly certificate: string;
}

export interface IssueOptions {
  /** Subject; `/CN=<name>` unless said. */
  readonly subject?: string;
  /** YYYYMMDDHHMMSSZ. */
  readonly from?: string;
  readonly to?: string;
  /** Names of sections of the configuration. */
  readonly extensions?: "machine" | "responder" | "server" | "authority";
  /** For the key of that authority, not for one of its own. */
  readonly key?: CustomerAuthority;
}

/** `openssl` in that folder; throws with what it said when it fails. */
export function openssl(folder: string, words: readonly string[], input?: string): string {
  const done = spawnSync("openssl", words, { cwd: folder, input, encoding: "utf8" });
  if (done.status !== 0) throw new Error(`openssl ${words[0]}: ${done.stderr}`);
  return done.stdout;
}

/** In an empty folder. */
export async function customerAuthority(
  folder: string,
  options: { names?: "responder" } = {},
): Promise<CustomerAuthority> {
  const port = await freePort();
  const at = (name: string) => join(folder, name);
  const named = options.names === "responder" ? `authorityInfoAccess = OCSP;URI:http://127.0.0.1:${port}/` : "";
  writeFileSync(at("ca.cnf"), configuration(folder, named));
  writeFileSync(at("index.txt"), "");
  writeFileSync(at("serial"), "1000\n");
  writeFileSync(at("crlnumber"), "01\n");
  openssl(folder, ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "ca.key"]);
  const own =
    "req -x509 -new -key ca.key -config ca.cnf -subj /CN=Clinic\\ Authority -days 30 -extensions root -out ca.pem";
  openssl(folder, words(own));
  const issue = (
    name: string,
    { subject, from, to, extensions = "machine", key }: IssueOptions = {},
  ): KeyAndCertificate => {
    if (key === undefined)
      openssl(folder, ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", `${name}.key`]);
    else copyFileSync(key.certificate.replace(".pem", ".key"), at(`${name}.key`));
    const request = ["req", "-new", "-key", `${name}.key`, "-subj", subject ?? `/CN=${name}`, "-out", `${name}.csr`];
    openssl(folder, [...request, "-config", "ca.cnf"]);
    const time = [
      ...(from === undefined ? [] : ["-startdate", from]),
      ...(to === undefined ? ["-days", "20"] : ["-enddate", to]),
    ];
    const sign = ["ca", "-batch", "-notext", "-config", "ca.cnf", "-extensions", extensions, ...time];
    openssl(folder, [...sign, "-in", `${name}.csr`, "-out", `${name}.pem`]);
    return { key: at(`${name}.key`), certificate: at(`${name}.pem`) };
  };
  return {
    certificate: at("ca.pem"),
    issue,
    revoke: (name) => void openssl(folder, words(`ca -config ca.cnf -revoke ${name}.pem`)),
    list({ seconds = 86_400 } = {}) {
      openssl(folder, words(`ca -config ca.cnf -gencrl -crlsec ${seconds} -out list.pem`));
      return at("list.pem");
    },
    async respond({ signer = issue("responder", { extensions: "responder" }) }: { signer?: KeyAndCertificate } = {}) {
      const given = `-index index.txt -CA ca.pem -rsigner ${signer.certificate} -rkey ${signer.key} -nmin 60`;
      const child = spawn("openssl", ["ocsp", "-port", String(port), ...words(given)], {
        cwd: folder,
        stdio: ["ignore", "pipe", "ignore"],
      });
      await accepting(child);
      return { url: `http://127.0.0.1:${port}/`, stop: () => void child.kill() };
    },
  };
}

const words = (line: string) => line.split(/(?<!\\) /).map((word) => word.replace("\\ ", " "));

/** It says so once it takes connections. */
function accepting(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.on("data", (bytes: Buffer) => bytes.includes("ACCEPT") && resolve());
    child.once("exit", () => reject(new Error("the OCSP responder did not start")));
  });
}

const configuration = (folder: string, named: string) => `
[ca]
default_ca = here
[here]
dir = ${folder}
database = ${folder}/index.txt
new_certs_dir = ${folder}
serial = ${folder}/serial
crlnumber = ${folder}/crlnumber
certificate = ${folder}/ca.pem
private_key = ${folder}/ca.key
default_md = sha256
policy = anything
unique_subject = no
email_in_dn = no
[anything]
countryName = optional
organizationName = optional
commonName = supplied
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[machine]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth, serverAuth
${named}
[server]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
[responder]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = OCSPSigning
`;
