import { readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import type { DeviceView, GrantView, InvitationRequest, InvitationView, StudyPage, TenantView } from "#formats/api";
import { pathsOf } from "../../apps/home/index.ts";
import { type RunningServer, readConfiguration, startServer } from "../../apps/server/index.ts";
import { type Slice, slicesOf, storeAll } from "../flows/modality.fixture.ts";
import { enrol } from "../flows/second-person.fixture.ts";
import { newHome } from "../house/index.ts";
import { fetchTrusting } from "../house/trusting-fetch.ts";

/** An answer as its bytes came; a stream is cut off after a while. */
export interface RawAnswer {
  readonly status: number;
  /** Without those that differ from one to the next by themselves. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** One request as the operator, over the control socket of a home: what is answered. */
export type Operator = <T>(method: string, path: string, body?: object) => Promise<T>;

function operatorOf(home: string): Operator {
  const { controlSocket: socketPath } = pathsOf(home);
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const headers = { host: "localhost", ...(body && { "content-type": "application/json" }) };
      const sent = request({ socketPath, method, path, headers }, async (answer) => {
        let text = "";
        for await (const piece of answer) text += piece;
        if ((answer.statusCode ?? 500) < 300) resolve(text === "" ? undefined : JSON.parse(text));
        else reject(new Error(`${path}: ${answer.statusCode} ${text}`));
      });
      sent.on("error", reject);
      sent.end(body && JSON.stringify(body));
    });
}

/** A tenant with one administrator, one program, one machine and one study. */
export interface Customer {
  readonly view: TenantView;
  readonly host: string;
  readonly operator: Operator;
  readonly cookie: string;
  readonly bearer: string;
  readonly slices: readonly Slice[];
  readonly callingAe: string;
  /** What stands for something of this tenant, by what routes and bodies call it. */
  readonly ids: Readonly<Record<string, string>>;
  /** What must never be in an answer to another tenant. */
  readonly canaries: readonly string[];
}

export interface Installation {
  readonly server: RunningServer;
  readonly https: number;
  readonly dicom: number;
  /** The certificate of the main home's authority, then those of the customers. */
  readonly trusted: readonly string[];
  readonly a: Customer;
  readonly b: Customer;
  remove(): Promise<void>;
}

/** The main home and two customers, each with people, a program, a machine and images, in this process. */
export async function startInstallation(): Promise<Installation> {
  const home = newHome();
  const options = { home, "https-port": "0", "dicom-port": "0", "dicom-tls-port": "off", "hl7-port": "off" };
  const configurationOf = (tenant: string) => readConfiguration({ home: tenant }, {});
  const server = await startServer(readConfiguration(options, {}), {
    listen: "all",
    logLine: () => {},
    configurationOf,
  });
  const [https, dicom] = [server.https ?? 0, server.dicom ?? 0];
  const remove = async () => {
    await server.close();
    rmSync(home, { recursive: true, force: true });
  };
  const main = operatorOf(home);
  try {
    return { ...(await filled(main, home, { https, dicom })), server, https, dicom, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function filled(main: Operator, home: string, { https, dicom }: Pick<Wanted, "https" | "dicom">) {
  const a = await customer(main, { name: "clinic-a", mark: "ALPHA", seed: 5, https, dicom });
  const b = await customer(main, { name: "clinic-b", mark: "BETA", seed: 6, https, dicom });
  const trusted = [home, a.view.home, b.view.home].map((folder) => readFileSync(join(folder, "ca.pem"), "utf8"));
  return { trusted, a, b };
}

interface Wanted {
  readonly name: string;
  readonly mark: string;
  readonly seed: number;
  readonly https: number;
  readonly dicom: number;
}

async function customer(main: Operator, { name, mark, seed, https, dicom }: Wanted): Promise<Customer> {
  const host = `${name}.example.org`;
  const view = await main<TenantView>("POST", "/api/tenants", { name, hosts: [host] });
  const operator = operatorOf(view.home);
  const fetch = (path: string, init: RequestInit = {}) =>
    fetchTrusting(`https://${host}:${https}${path}`, init, join(view.home, "ca.pem"));
  const account = `${mark}-person@example.org`;
  const { headers } = await enrol({ fetch }, account, view.setupLink ?? "");
  const { token: bearer } = await operator<{ token: string }>("POST", "/api/tokens", {
    client: `${mark}-program`,
    minutes: 60,
    masked: false,
  });
  const callingAe = `${mark}AE`;
  const device = await operator<DeviceView>("POST", "/api/devices", { ae: callingAe, address: "127.0.0.1" });
  const slices = slicesOf({ kind: "mr-brain", slices: 2, size: 32, seed }, (attributes) => ({
    ...attributes,
    PatientName: { Alphabetic: `${mark}FAMILY^${mark}GIVEN` },
    PatientID: `${mark}PATIENTID`,
    AccessionNumber: `${mark}ACCESSION`,
    StudyDescription: `${mark}DESCRIPTION`,
  }));
  await storeAll({ dicom, aeTitle: view.aeTitle }, slices, callingAe);
  const page = await operator<StudyPage>("GET", "/api/studies?limit=10");
  const study = page.studies[0]?.token ?? "";
  const invitation: InvitationRequest = {
    name: `${mark}-second@example.org`,
    grants: [{ role: "administrator", place: { kind: "tenant" }, purpose: "operations", endsAt: 0 }],
  };
  const { link } = await operator<InvitationView>("POST", "/api/invitations", invitation);
  await enrol({ fetch }, invitation.name, link);
  const asked = await operator<{ id: string }>("POST", "/api/vault/shred", { study, wholePatient: false });
  const grants = await operator<GrantView[]>("GET", "/api/grants");
  const holder = grants.find((grant) => grant.holder.startsWith("user:"))?.holder ?? "";
  const [slice] = slices as [Slice];
  const ids = {
    ...{ study, token: study, confirmation: asked.id, device: device.id, grant: grants[0]?.id ?? "", actor: holder },
    ...{
      account: holder.replace("user:", ""),
      tenant: view.token,
      name: account,
      client: `${mark}-program`,
      ae: callingAe,
    },
    ...{ studyUid: slice.studyUid, seriesUid: slice.seriesUid, instanceUid: slice.sopInstanceUid },
    ...{ session: (headers.cookie ?? "").split("=")[1] ?? "", bearer, patientId: `${mark}PATIENTID` },
  };
  const canaries = [mark, ...Object.values(ids)];
  return { view, host, operator, cookie: headers.cookie ?? "", bearer, slices, callingAe, ids, canaries };
}

/** A TLS connection to the installation, with or without a name for the certificate. */
export function dialTls({ https, trusted }: Installation, servername?: string, session?: Buffer): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...{ host: "127.0.0.1", port: https, ca: [...trusted], checkServerIdentity: () => undefined },
      ...(servername !== undefined && { servername }),
      ...(session !== undefined && { session }),
    });
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", reject);
  });
}

const readMs = 250;

/** Sends bytes and reads what comes back until the connection ends or nothing more comes. */
export function exchange(socket: TLSSocket, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    let timer = setTimeout(done, 4 * readMs);
    function done() {
      clearTimeout(timer);
      socket.off("data", take);
      resolve(text);
    }
    function take(piece: Buffer) {
      text += piece.toString("latin1");
      clearTimeout(timer);
      timer = setTimeout(done, readMs);
    }
    socket.on("data", take);
    socket.once("close", done);
    socket.on("error", done);
    socket.write(bytes);
  });
}

const ownToEach = /^(date|content-length|keep-alive|content-security-policy|set-cookie):/i;

export function answerOf(text: string): RawAnswer {
  const at = text.indexOf("\r\n\r\n");
  const [first = "", ...headers] = text.slice(0, at).split("\r\n");
  return {
    status: Number(first.split(" ")[1]),
    headers: headers.filter((header) => !ownToEach.test(header)).map((header) => header.toLowerCase()),
    body: text.slice(at + 4),
  };
}
