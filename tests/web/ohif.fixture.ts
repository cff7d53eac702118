import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { root } from "../house/index.ts";

const version = "3.13.2";
const integrity = "sha512-WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA==";
const cache = join(root, "node_modules", ".cache", "leadglass-tests");

/**
 * The folder of OHIF as it is published, fetched once; undefined where it cannot be. Its 50 MB are no dependency of ours: only these tests
 * run it, so it is not in the lock file but pinned here.
 */
export function ohifFolder(): string | undefined {
  const folder = join(cache, `ohif-${version}`);
  if (existsSync(folder)) return join(folder, "package", "dist");
  mkdirSync(cache, { recursive: true });
  const scratch = mkdtempSync(join(cache, "fetch-"));
  try {
    const words = ["pack", `@ohif/app@${version}`, "--pack-destination", scratch, "--json"];
    const packed = execFileSync("npm", words, { stdio: ["ignore", "pipe", "ignore"], timeout: 120_000 });
    const [{ filename }] = JSON.parse(packed.toString()) as [{ filename: string }];
    const archive = join(scratch, filename);
    const digest = createHash("sha512").update(readFileSync(archive)).digest("base64");
    if (`sha512-${digest}` !== integrity) throw new Error("what the registry gave is not the OHIF that was pinned");
    const unpacked = join(scratch, "unpacked");
    mkdirSync(unpacked);
    execFileSync("tar", ["xzf", archive, "-C", unpacked]);
    renameSync(unpacked, folder);
    return join(folder, "package", "dist");
  } catch (error) {
    if (error instanceof Error && /pinned/.test(error.message)) throw error;
    return undefined;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};

export interface OhifSite {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** Tells it which server it shows studies of, and as which program. */
  configure(server: string, clientId: string): void;
  close(): Promise<void>;
}

/** OHIF on an origin of its own, as a hospital would put it beside its archive. */
export async function serveOhif(folder: string): Promise<OhifSite> {
  let config = "";
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://ohif").pathname));
    if (path === "/app-config.js") return response.setHeader("content-type", "text/javascript").end(config);
    const file = join(folder, path);
    const found = extname(path) !== "" && existsSync(file);
    const type = found ? (types[extname(path)] ?? "application/octet-stream") : "text/html";
    response.setHeader("content-type", type);
    createReadStream(found ? file : join(folder, "index.html")).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    configure(house, clientId) {
      config = `window.config = ${JSON.stringify(configOf(house, clientId))};`;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What docs/operating.md tells to write into OHIF's app-config.js. */
function configOf(house: string, clientId: string) {
  const dicomweb = `${house}/dicom-web`;
  return {
    routerBasename: null,
    extensions: [],
    modes: [],
    showStudyList: true,
    showLoadingIndicator: true,
    showWarningMessageForCrossOrigin: false,
    showCPUFallbackMessage: false,
    maxNumberOfWebWorkers: 2,
    defaultDataSourceName: "leadglass",
    oidc: [
      {
        authority: `${house}/oauth`,
        client_id: clientId,
        redirect_uri: "/callback",
        response_type: "code",
        scope: "openid profile dicomweb.read dicomweb.write",
        post_logout_redirect_uri: "/",
      },
    ],
    dataSources: [
      {
        namespace: "@ohif/extension-default.dataSourcesModule.dicomweb",
        sourceName: "leadglass",
        configuration: {
          friendlyName: "Leadglass",
          name: "leadglass",
          qidoRoot: dicomweb,
          wadoRoot: dicomweb,
          wadoUriRoot: `${house}/wado`,
          imageRendering: "wadors",
          thumbnailRendering: "wadors",
          qidoSupportsIncludeField: true,
          supportsFuzzyMatching: true,
          supportsWildcard: true,
          enableStudyLazyLoad: true,
          dicomUploadEnabled: true,
          omitQuotationForMultipartRequest: true,
          bulkDataURI: { enabled: true, relativeResolution: "series" },
        },
      },
    ],
  };
}
