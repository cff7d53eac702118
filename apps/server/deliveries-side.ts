import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { systemFiles } from "#base/io";
import type { Log } from "#base/log";
import { createLinkReceiver, type EdgeLink } from "#doors/link";
import { createUnpacker, type PixelWork } from "#radiology/images";
import { createDeliveries, type DeliveriesParts, openPartialParcels } from "#radiology/uplink";
import type { HomePaths } from "../home/index.ts";
import type { Configuration } from "./configuration.ts";
import type { House } from "./house.ts";
import type { Links } from "./links.ts";
import type { ParcelOfficeKeeper } from "./parcel-office.ts";

/** In a cloud: what takes in what edges send. */
export interface DeliveriesSide {
  edges(): readonly EdgeLink[];
  close(): Promise<void>;
}

export interface DeliveriesSideParts extends Pick<DeliveriesParts, "perform"> {
  readonly configuration: Pick<Configuration, "reserveBytes">;
  readonly paths: Pick<HomePaths, "incoming">;
  readonly house: Pick<House, "archive" | "index" | "records">;
  readonly links: Pick<Links, "serveTransfers">;
  readonly parcelOffice: Pick<ParcelOfficeKeeper, "open">;
  readonly pixels: PixelWork;
  readonly log: Log;
}

/** From now on edges may send. */
export async function openDeliveriesSide(parts: DeliveriesSideParts): Promise<DeliveriesSide> {
  const { configuration, paths, house, links, parcelOffice, pixels, perform, log } = parts;
  const { archive, index, records } = house;
  const shared = { clock: systemClock, random: systemRandom, log };
  const { reserveBytes } = configuration;
  const partials = await openPartialParcels({ ...shared, files: systemFiles, folder: paths.incoming, reserveBytes });
  const isHeld: DeliveriesParts["isHeld"] = async ({ sopUid, sha256 }) => {
    await archive.settled();
    return index.holds(sopUid, sha256);
  };
  const unpacker = createUnpacker({ pixels });
  const deliveries = createDeliveries({
    ...{ ...shared, office: parcelOffice.open, partials, archive, isHeld, unpacker, records, perform },
  });
  const receiver = createLinkReceiver(shared);
  links.serveTransfers((socket, { id, facility }) =>
    receiver.accept(socket, { edge: id, arrivals: deliveries.of({ id, facility }) }),
  );
  return {
    edges: receiver.edges,
    async close() {
      await receiver.close();
      await deliveries.close();
    },
  };
}
