// Node only: wraps two native packages. Kept apart from imaging/rendering so that the browser can import that.
import turbo from "@julusian/jpeg-turbo";
import sharp from "sharp";
import { Problem } from "#base/problem";

/** 8 bits a channel, rows from the top, no padding, as `#imaging/rendering` makes them. */
export interface RawPicture {
  width: number;
  height: number;
  /** 1 gray, 3 RGB by pixel. */
  channels: 1 | 3;
  pixels: Uint8Array;
}

export interface PictureFormat {
  type: "image/jpeg" | "image/png";
  /** JPEG only, 1 to 100; default 90. From 90 on colour is kept in full resolution. */
  quality?: number | undefined;
}

/** The picture as a JPEG or PNG file. The work runs off the main thread. */
export type PictureEncoder = (picture: RawPicture, format: PictureFormat) => Promise<Uint8Array>;

/** The binding takes any byte view; only its types insist on a Buffer. */
type BindingBytes = Parameters<typeof turbo.compress>[0];

/** Where JPEGs are written before it is known how long they are: kept up to this size, for so many at once. */
const roomBytesMax = 4 * 1024 * 1024;
const roomsMost = 4;

/**
 * An encoder keeps the room that JPEGs are written to. The library makes it as large as the worst picture could be, ten times what most
 * take: made anew for each, it has the collector mark the whole heap every few pictures.
 */
export function createPictureEncoder(): PictureEncoder {
  const free: Uint8Array[] = [];
  const jpeg = async ({ width, height, channels, pixels }: RawPicture, quality: number): Promise<Uint8Array> => {
    const colour = quality >= 90 ? turbo.SAMP_444 : turbo.SAMP_420;
    const options = {
      width,
      height,
      quality,
      format: channels === 1 ? turbo.FORMAT_GRAY : turbo.FORMAT_RGB,
      subsampling: channels === 1 ? turbo.SAMP_GRAY : colour,
    };
    const bytes = turbo.bufferSize(options);
    const kept = bytes <= roomBytesMax ? free.pop() : undefined;
    const room = kept !== undefined && kept.length >= bytes ? kept : new Uint8Array(bytes);
    try {
      // A copy, because the room is no Buffer, whose slices are views: who keeps a picture keeps no more than that.
      return await turbo.compress(pixels as BindingBytes, room as BindingBytes, options);
    } finally {
      if (room.length <= roomBytesMax && free.length < roomsMost) free.push(room);
    }
  };
  return async (picture, { type, quality = 90 }) => {
    const { width, height, channels, pixels } = picture;
    if (pixels.length !== width * height * channels)
      throw new Problem("invalid", "a picture whose pixels do not fill it");
    if (type === "image/png") {
      return sharp(pixels, { raw: { width, height, channels } })
        .toColourspace(channels === 1 ? "b-w" : "srgb")
        .png({ compressionLevel: 6 })
        .toBuffer();
    }
    if (!(quality >= 1 && quality <= 100)) throw new Problem("invalid", `a JPEG quality of ${quality}`);
    return jpeg(picture, quality);
  };
}
