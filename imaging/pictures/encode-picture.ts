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
export async function encodePicture(picture: RawPicture, format: PictureFormat): Promise<Uint8Array> {
  const { width, height, channels, pixels } = picture;
  if (pixels.length !== width * height * channels)
    throw new Problem("invalid", "a picture whose pixels do not fill it");
  if (format.type === "image/png") {
    return sharp(pixels, { raw: { width, height, channels } })
      .toColourspace(channels === 1 ? "b-w" : "srgb")
      .png({ compressionLevel: 6 })
      .toBuffer();
  }
  const quality = format.quality ?? 90;
  if (!(quality >= 1 && quality <= 100)) throw new Problem("invalid", `a JPEG quality of ${quality}`);
  const colour = quality >= 90 ? turbo.SAMP_444 : turbo.SAMP_420;
  // The binding takes any byte view; only its types insist on a Buffer.
  return turbo.compress(pixels as Parameters<typeof turbo.compress>[0], {
    width,
    height,
    quality,
    format: channels === 1 ? turbo.FORMAT_GRAY : turbo.FORMAT_RGB,
    subsampling: channels === 1 ? turbo.SAMP_GRAY : colour,
  });
}
