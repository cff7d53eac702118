import { Problem } from "#base/problem";
import { joined } from "#trust/vault";
import { type SigningKey, signatureOf, verifierOf } from "./signing.ts";

const outcomes = ["stored", "held"] as const;

/** A cloud's word that it holds a thing durably. */
export interface Receipt {
  /** The parcel's id, 32 hexadecimal digits. */
  readonly parcel: string;
  /** Who sent it. */
  readonly edge: string;
  /** Epoch milliseconds, by the cloud's clock. */
  readonly at: number;
  /** `held`: it was there already. */
  readonly outcome: (typeof outcomes)[number];
}

/*
 *    0   1  version, 1
 *    1   1  outcome: 0 stored, 1 held
 *    2   6  at, big endian
 *    8  16  parcel
 *   24   1  length of edge, then edge in UTF-8
 *        64  Ed25519 over a label and all before
 */
const version = 1;
const parcelAt = 8;
const edgeAt = 25;
const edgeBytesMost = 64;
const signatureBytes = 64;

export function signReceipt(key: SigningKey, { parcel, edge, at, outcome }: Receipt): Buffer {
  const name = Buffer.from(edge, "utf8");
  if (!/^[0-9a-f]{32}$/.test(parcel) || name.length > edgeBytesMost)
    throw new Problem("invalid", "a receipt names a parcel by 32 hexadecimal digits, and an edge in 64 bytes");
  const said = Buffer.alloc(edgeAt + name.length);
  said.writeUInt8(version, 0);
  said.writeUInt8(outcomes.indexOf(outcome), 1);
  said.writeUIntBE(at, 2, 6);
  said.write(parcel, parcelAt, "hex");
  said.writeUInt8(name.length, edgeAt - 1);
  name.copy(said, edgeAt);
  return Buffer.concat([said, signatureOf(key, labelled(said))]);
}

/** Problem `damaged` for what is no receipt, `unproven` for one that the owner of none of these keys signed. */
export function readReceipt(publicKeys: readonly string[], bytes: Uint8Array): Receipt {
  const receipt = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const said = receipt.subarray(0, Math.max(0, receipt.length - signatureBytes));
  const signature = receipt.subarray(said.length);
  const outcome = said.length < edgeAt ? undefined : outcomes[said.readUInt8(1)];
  if (outcome === undefined || said.length !== edgeAt + said.readUInt8(edgeAt - 1))
    throw new Problem("damaged", "this is no receipt");
  if (said.readUInt8(0) !== version)
    throw new Problem("unsupported", "this receipt is of another version", {
      remedy: "bring both ends to the same release",
    });
  if (!publicKeys.some((key) => verifierOf(key)(labelled(said), signature)))
    throw new Problem("unproven", "this receipt was not signed by this edge's cloud");
  return {
    parcel: said.toString("hex", parcelAt, edgeAt - 1),
    edge: said.toString("utf8", edgeAt),
    at: said.readUIntBE(2, 6),
    outcome,
  };
}

function labelled(said: Buffer): Buffer {
  return joined("leadglass receipt", said);
}
