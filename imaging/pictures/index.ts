export { encodeAnimation } from "./encode-animation.ts";
export type { PictureFormat, RawPicture } from "./encode-picture.ts";
export { encodePicture } from "./encode-picture.ts";
