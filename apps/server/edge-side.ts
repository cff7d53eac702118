import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import type { Log } from "#base/log";
import type { EdgeCertificates, EdgeReportKeeper } from "#doors/api";
import { encodeEnrolmentCode } from "#doors/link";
import type { HomePaths } from "../home/index.ts";
import { type CloudLink, openCloudLink } from "./cloud-link.ts";
import { openEdgeReports } from "./edge-reports.ts";
import type { House } from "./house.ts";
import { openLinkAuthority } from "./link-authority.ts";
import { createLinks, type Links } from "./links.ts";
import { createParcelOffice, type ParcelOfficeKeeper } from "./parcel-office.ts";

/** What a home has to do with edges: as the cloud that they come to, and as one that goes to its cloud. */
export interface EdgeSide {
  readonly links: Links;
  readonly edgeCertificates: EdgeCertificates;
  readonly parcelOffice: ParcelOfficeKeeper;
  readonly edgeReports: EdgeReportKeeper;
  readonly cloudLink: CloudLink;
}

export async function openEdgeSide(
  paths: Pick<HomePaths, "folder">,
  { edges, gate, vault }: Pick<House, "edges" | "gate" | "vault">,
  { log, software }: { readonly log: Log; readonly software: string },
): Promise<EdgeSide> {
  const shared = { gate, vault, clock: systemClock, random: systemRandom, log };
  const authority = await openLinkAuthority(paths, shared);
  const parcelOffice = createParcelOffice({ ...shared, folder: paths.folder, edges });
  return {
    links: createLinks({ ...shared, authority, edges }),
    parcelOffice,
    edgeCertificates: {
      ...parcelOffice,
      codeOf: async (secret) => encodeEnrolmentCode(secret, (await authority.orMake()).digest),
      issue: async (request, edgeId) => (await authority.orMake()).issue(request, edgeId),
    },
    edgeReports: await openEdgeReports({ ...shared, folder: paths.folder, edges }),
    cloudLink: await openCloudLink({ ...shared, folder: paths.folder, software }),
  };
}
