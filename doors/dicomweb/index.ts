export type { PictureRequest, PixelWork } from "./pixel-work.ts";
