/// <reference path="./wasm-modules.d.ts" />

/** The compiled codecs. Each is fetched and compiled when first needed. */
export type WasmCodec = "libjpeg-turbo" | "charls" | "charls-encoder" | "openjpeg" | "openjpeg-encoder" | "openjph";

/** Where to fetch a .wasm file from, by its name. Node needs none; a bundler gives the addresses of its assets. */
export type LocateWasm = (fileName: string) => string;

// Written out one by one, so that a bundler sees each as a chunk of its own.
const factories: Record<WasmCodec, () => Promise<{ default: (options?: WasmModuleOptions) => Promise<WasmModule> }>> = {
  "libjpeg-turbo": () => import("@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs"),
  charls: () => import("@cornerstonejs/codec-charls/decodewasmjs"),
  "charls-encoder": () => import("@cornerstonejs/codec-charls/wasmjs"),
  openjpeg: () => import("@cornerstonejs/codec-openjpeg/decodewasmjs"),
  "openjpeg-encoder": () => import("@cornerstonejs/codec-openjpeg/wasmjs"),
  openjph: () => import("@cornerstonejs/codec-openjph/wasmjs"),
};

export interface WasmCodecs {
  /**
   * Runs `work` with the codec's module. When it throws, the module is dropped and the next call starts a fresh one: a C++
   * error may have left its memory in any state, and its memory never shrinks again.
   */
  use<T>(codec: WasmCodec, work: (module: WasmModule) => T): Promise<T>;
}

export function createWasmCodecs(locateWasm?: LocateWasm): WasmCodecs {
  const loaded = new Map<WasmCodec, Promise<WasmModule>>();
  const load = (codec: WasmCodec): Promise<WasmModule> => {
    const known = loaded.get(codec);
    if (known !== undefined) return known;
    const options: WasmModuleOptions = { print: () => undefined, printErr: () => undefined };
    if (locateWasm !== undefined) options.locateFile = (name) => locateWasm(name);
    const fresh = factories[codec]().then((factory) => factory.default(options));
    loaded.set(codec, fresh);
    return fresh;
  };
  return {
    async use(codec, work) {
      const pending = load(codec);
      try {
        return work(await pending);
      } catch (error) {
        if (loaded.get(codec) === pending) loaded.delete(codec);
        throw error;
      }
    },
  };
}
