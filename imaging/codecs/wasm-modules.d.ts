// The codecs of @cornerstonejs carry no types. What is used of them, as their embind bindings declare it.

interface WasmFrameInfo {
  width: number;
  height: number;
  bitsPerSample: number;
  componentCount: number;
  isSigned: boolean;
  isUsingColorTransform?: boolean;
}

interface WasmDecoder {
  getEncodedBuffer(bytes: number): Uint8Array;
  getDecodedBuffer(): Uint8Array | Uint8ClampedArray;
  decode(): void;
  getFrameInfo(): WasmFrameInfo;
  getInterleaveMode(): unknown;
  delete(): void;
}

interface WasmEncoder {
  getDecodedBuffer(frame: WasmFrameInfo): Uint8Array;
  getEncodedBuffer(): Uint8Array | Uint8ClampedArray;
  encode(): void;
  setNearLossless(near: number): void;
  setInterleaveMode(mode: unknown): void;
  setDecompositions(levels: number): void;
  setQuality(lossless: boolean, setting: number): void;
  setProgressionOrder(order: number): void;
  setTLMMarker(on: boolean): void;
  setTilePartDivisionsAtResolutions(on: boolean): void;
  delete(): void;
}

interface WasmModule {
  JPEGDecoder: new () => WasmDecoder;
  JpegLSDecoder: new () => WasmDecoder;
  J2KDecoder: new () => WasmDecoder;
  HTJ2KDecoder: new () => WasmDecoder;
  JpegLSEncoder: new () => WasmEncoder;
  J2KEncoder: new () => WasmEncoder;
  HTJ2KEncoder: new () => WasmEncoder;
}

interface WasmModuleOptions {
  locateFile?: (name: string, folder: string) => string;
  print?: (line: string) => void;
  printErr?: (line: string) => void;
}

declare module "@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs" {
  export default function make(options?: WasmModuleOptions): Promise<WasmModule>;
}
declare module "@cornerstonejs/codec-charls/decodewasmjs" {
  export default function make(options?: WasmModuleOptions): Promise<WasmModule>;
}
declare module "@cornerstonejs/codec-charls/wasmjs" {
  export default function make(options?: WasmModuleOptions): Promise<WasmModule>;
}
declare module "@cornerstonejs/codec-openjpeg/decodewasmjs" {
  export default function make(options?: WasmModuleOptions): Promise<WasmModule>;
}
declare module "@cornerstonejs/codec-openjpeg/wasmjs" {
  export default function make(options?: WasmModuleOptions): Promise<WasmModule>;
}
declare module "@cornerstonejs/codec-openjph/wasmjs" {
  export default function make(options?: WasmModuleOptions): Promise<WasmModule>;
}
