export { encodeAnimation } from "./encode-animation.ts";
export type { PictureEncoder, PictureFormat, RawPicture } from "./encode-picture.ts";
export { createPictureEncoder } from "./encode-picture.ts";
