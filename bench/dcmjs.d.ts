/** The little of dcmjs that is measured against; it brings no types. */
declare module "dcmjs" {
  const dcmjs: {
    readonly data: {
      readonly DicomMessage: {
        readFile(
          buffer: ArrayBuffer,
          options: { untilTag?: string; ignoreErrors?: boolean },
        ): { readonly dict: Readonly<Record<string, unknown>> };
      };
    };
    readonly log: { setLevel(level: number): void; readonly levels: { readonly SILENT: number } };
  };
  export default dcmjs;
}
