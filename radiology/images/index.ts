export { displayOf } from "./display.ts";
export type { ImageCache, ImageObject, ObjectHeader } from "./image-object.ts";
export { createImageCache, frameBytes, imageOf, readHeader } from "./image-object.ts";
export type { PictureRequest, PixelWork } from "./pixel-work.ts";
export { swapped, swapUnit } from "./sample-order.ts";
export type { Implementation, Transcodable, Transcoder, TranscoderParts } from "./transcoder.ts";
export { createTranscoder } from "./transcoder.ts";
