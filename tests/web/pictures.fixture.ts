import type { Page } from "playwright-core";
import sharp, { type Sharp } from "sharp";
import type { RunningHouse } from "../house/index.ts";

/** Small enough that the two ways of scaling do not matter, large enough to tell one picture from another. */
const side = 48;

export interface Picture {
  /** `side` × `side` RGB bytes. */
  readonly pixels: Uint8Array;
}

/** What is on a pane's canvas, cut to the image, which lies in its middle and fills one direction. */
export async function pictureInPane(
  page: Page,
  pane: number,
  image: { rows: number; columns: number },
): Promise<Picture> {
  const canvas = page.locator(`[data-testid="viewport-${pane}"] canvas`);
  const read = await canvas.evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement;
    return { width, height, url: (element as HTMLCanvasElement).toDataURL("image/png") };
  });
  const scale = Math.min(read.width / image.columns, read.height / image.rows);
  const width = Math.max(1, Math.floor(image.columns * scale) - 2);
  const height = Math.max(1, Math.floor(image.rows * scale) - 2);
  const cut = sharp(Buffer.from(read.url.slice(read.url.indexOf(",") + 1), "base64")).extract({
    left: Math.round((read.width - width) / 2),
    top: Math.round((read.height - height) / 2),
    width,
    height,
  });
  return scaled(cut);
}

/** The same frame as the server draws it, with decoders and arithmetic of its own. */
export async function pictureOfServer(house: RunningHouse, frame: string): Promise<Picture> {
  const answer = await house.fetch(`${frame}/rendered`, { headers: { accept: "image/jpeg" } });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return scaled(sharp(Buffer.from(await answer.arrayBuffer())));
}

async function scaled(picture: Sharp): Promise<Picture> {
  const { data, info } = await picture
    .removeAlpha()
    .toColourspace("srgb")
    .resize(side, side, { fit: "fill", kernel: "linear" })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const pixels = info.channels === 3 ? data : Buffer.from([...data].flatMap((value) => [value, value, value]));
  return { pixels };
}

/** Pearson's correlation of two pictures over all their values: 1 is the same up to brightness and contrast. */
export function likeness(one: Picture, other: Picture): number {
  const mean = (picture: Picture) => picture.pixels.reduce((sum, value) => sum + value, 0) / picture.pixels.length;
  const [meanOne, meanOther] = [mean(one), mean(other)];
  let both = 0;
  let squareOne = 0;
  let squareOther = 0;
  for (const [index, value] of one.pixels.entries()) {
    const a = value - meanOne;
    const b = (other.pixels[index] ?? 0) - meanOther;
    both += a * b;
    squareOne += a * a;
    squareOther += b * b;
  }
  return both / Math.sqrt(squareOne * squareOther || 1);
}

/** Mean distance between the channels: 0 for a grey picture. */
export function colourfulness({ pixels }: Picture): number {
  let sum = 0;
  for (let at = 0; at + 2 < pixels.length; at += 3) {
    const [red = 0, green = 0, blue = 0] = pixels.subarray(at, at + 3);
    sum += Math.max(red, green, blue) - Math.min(red, green, blue);
  }
  return sum / (pixels.length / 3);
}
