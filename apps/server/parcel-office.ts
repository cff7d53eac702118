import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import { createKeptJson, systemFiles } from "#base/io";
import { Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import type { CloudKeysView, ParcelKeyView } from "#formats/api";
import type { ParcelOffice } from "#radiology/uplink";
import type { Edges } from "#trust/access";
import { newParcelKey, newSigningKey, type ParcelKeyPair, type SigningKey } from "#trust/parcels";
import type { Vault } from "#trust/vault";

/** A home's keys towards its edges, made with the first of them. */
export interface ParcelOfficeKeeper {
  open(): Promise<ParcelOffice>;
  /** What an edge is told, now. A parcel key that is a year old has been followed by a new one by then. */
  cloudKeys(edge: string): Promise<CloudKeysView>;
  /** From now on edges are told another parcel key; what was sealed to those before can be opened still. */
  changeParcelKey(): Promise<ParcelKeyView>;
  /**
   * Destroys all but the newest: what was sealed to those can never be opened, wherever a copy of it lies. Problem `conflict` while some
   * edge that is enrolled was not told of the newest by this process: it may seal to another.
   */
  forgetFormerKeys(): Promise<ParcelKeyView>;
}

interface DatedKey extends ParcelKeyPair {
  readonly madeAt: number;
}

/** Sealed in the home: the file says nothing. */
interface Kept {
  /** Newest first. */
  readonly parcelKeys: readonly [DatedKey, ...DatedKey[]];
  /** Newest first. */
  readonly receiptKeys: readonly [SigningKey, ...SigningKey[]];
  /** Base64url. */
  readonly samenessKey: string;
}

/** In every backup: what waits on edges is worth nothing without it. */
export const parcelOfficeFile = "parcel-office.json";
const purpose = "parcel office";
const parcelKeyLifeMs = 365 * 86_400_000;
const samenessKeyBytes = 32;

export function createParcelOffice(parts: {
  readonly folder: string;
  readonly vault: Pick<Vault, "secrets">;
  readonly edges: Pick<Edges, "signingKeysOf" | "list">;
  readonly clock: Clock;
  readonly random: Random;
}): ParcelOfficeKeeper {
  const { vault, edges, clock, random } = parts;
  const file = createKeptJson(systemFiles, parts.folder, parcelOfficeFile);
  const turns = createTurns();
  let kept: Kept | undefined;
  /** The parcel key that each edge was told last, by this process. */
  const told = new Map<string, string>();

  const load = async (): Promise<Kept | undefined> => {
    const found = (await file.load()) as { readonly sealed: string } | undefined;
    if (found === undefined) return undefined;
    return JSON.parse(vault.secrets.open(purpose, Buffer.from(found.sealed, "base64")).toString("utf8")) as Kept;
  };
  /** On the disk before anybody is told: what is sealed to a key that nobody has is lost. */
  const save = async (to: Kept): Promise<Kept> => {
    const sealed = vault.secrets.seal(purpose, Buffer.from(JSON.stringify(to), "utf8"));
    await file.save({ sealed: sealed.toString("base64") });
    kept = to;
    return to;
  };
  const datedKey = async (): Promise<DatedKey> => ({ ...(await newParcelKey()), madeAt: clock.now() });
  const make = async (): Promise<Kept> =>
    save({
      parcelKeys: [await datedKey()],
      receiptKeys: [newSigningKey()],
      samenessKey: Buffer.from(random(new Uint8Array(samenessKeyBytes))).toString("base64url"),
    });
  const current = async (): Promise<Kept> => {
    kept ??= (await load()) ?? (await make());
    return kept;
  };
  const change = async (to: Kept): Promise<Kept> => save({ ...to, parcelKeys: [await datedKey(), ...to.parcelKeys] });

  return {
    open: () =>
      turns.take(async () => {
        const { receiptKeys, samenessKey } = await current();
        return {
          receiptKey: receiptKeys[0],
          samenessKey,
          keyOf: (id) => kept?.parcelKeys.find((key) => key.id === id),
          signingKeysOf: edges.signingKeysOf,
        };
      }),
    cloudKeys: (edge) =>
      turns.take(async () => {
        const found = await current();
        const isDue = found.parcelKeys[0].madeAt + parcelKeyLifeMs <= clock.now();
        const view = toldOf(isDue ? await change(found) : found);
        told.set(edge, view.parcelKey.id);
        return view;
      }),
    changeParcelKey: () => turns.take(async () => viewOf(await change(await current()))),
    forgetFormerKeys: () =>
      turns.take(async () => {
        const found = await current();
        const [newest] = found.parcelKeys;
        const unaware = (await edges.list()).filter(
          ({ state, id }) => state === "enrolled" && told.get(id) !== newest.id,
        );
        if (unaware.length > 0)
          throw new Problem("conflict", `${unaware.length} edges have not asked since the newest key was made`, {
            remedy: "each asks once a minute: leadglass edge list shows which are there; revoke those that are lost",
          });
        return viewOf(await save({ ...found, parcelKeys: [newest] }));
      }),
  };
}

const viewOf = ({ parcelKeys: [{ id, madeAt }, ...former] }: Kept): ParcelKeyView => ({
  ...{ id, madeAt },
  former: former.length,
});

function toldOf({ parcelKeys, receiptKeys, samenessKey }: Kept): CloudKeysView {
  const { id, publicKey } = parcelKeys[0];
  return { parcelKey: { id, publicKey }, receiptKeys: receiptKeys.map((key) => key.publicKey), samenessKey };
}
