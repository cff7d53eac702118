import { type Types, utilities } from "@cornerstonejs/core";
import { retrieve } from "../api/client.ts";

/** The scheme of images that the server draws; the rest of the id is the path of the frame. */
export const drawnByServer = "drawn";

/** An image loader for `drawn:/dicom-web/…/frames/n`: the server's JPEG as an RGB image, for pixels that this page cannot decode. */
export function loadDrawnImage(imageId: string): { promise: Promise<Types.IImage> } {
  return { promise: load(imageId) };
}

async function load(imageId: string): Promise<Types.IImage> {
  const response = await retrieve(`${imageId.slice(drawnByServer.length + 1)}/rendered`, "image/jpeg");
  const bitmap = await createImageBitmap(await response.blob());
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("no canvas to decode the picture on");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return rgbImage(imageId, width, height, withoutAlpha(context.getImageData(0, 0, width, height).data));
}

function withoutAlpha(rgba: Uint8ClampedArray): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from] ?? 0;
    rgb[to + 1] = rgba[from + 1] ?? 0;
    rgb[to + 2] = rgba[from + 2] ?? 0;
  }
  return rgb;
}

function rgbImage(imageId: string, width: number, height: number, pixels: Uint8Array): Types.IImage {
  return {
    imageId,
    dataType: "Uint8Array",
    color: true,
    rgba: false,
    numberOfComponents: 3,
    width,
    height,
    columns: width,
    rows: height,
    columnPixelSpacing: 1,
    rowPixelSpacing: 1,
    minPixelValue: 0,
    maxPixelValue: 255,
    slope: 1,
    intercept: 0,
    windowCenter: 128,
    windowWidth: 256,
    invert: false,
    sizeInBytes: pixels.byteLength,
    voxelManager: utilities.VoxelManager.createImageVoxelManager({
      scalarData: pixels,
      width,
      height,
      numberOfComponents: 3,
    }),
    getPixelData: () => pixels,
    getCanvas: () => document.createElement("canvas"),
  } as unknown as Types.IImage;
}
