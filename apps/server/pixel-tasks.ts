import type { ProblemCode } from "#base/problem";
import type { DecodedFrame, FrameDescription } from "#imaging/codecs";
import type { PictureRequest } from "#radiology/images";

/** What a pixel worker is asked. */
export type PixelTask =
  | { readonly kind: "decode"; readonly frame: Uint8Array; readonly image: FrameDescription }
  | ({ readonly kind: "render" } & PictureRequest);

/** What it answers. */
export type PixelAnswer =
  | { readonly kind: "decoded"; readonly decoded: DecodedFrame }
  | { readonly kind: "rendered"; readonly bytes: Uint8Array }
  | {
      readonly kind: "problem";
      readonly code: ProblemCode;
      readonly message: string;
      readonly remedy: string | undefined;
    };
