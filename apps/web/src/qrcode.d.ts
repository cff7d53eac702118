/** The part of `qrcode` that is used: the modules of a code, without drawing it. */
declare module "qrcode" {
  export interface BitMatrix {
    /** Modules along one side. */
    readonly size: number;
    /** 1 is dark. */
    get(row: number, column: number): number;
  }
  export function create(
    text: string,
    options: { readonly errorCorrectionLevel: "L" | "M" | "Q" | "H" },
  ): { readonly modules: BitMatrix };
}
