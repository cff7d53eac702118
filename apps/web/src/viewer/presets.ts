export interface WindowPreset {
  readonly id: string;
  readonly label: string;
  /** The key that applies it. */
  readonly key: string;
  /** Absent: as the object says, or the whole range of its values. */
  readonly window?: { readonly width: number; readonly center: number };
}

/** Hounsfield windows as taught; the first two are for every modality. */
export const presets: readonly WindowPreset[] = [
  { id: "default", label: "Default", key: "1" },
  { id: "full", label: "Full range", key: "2" },
  { id: "brain", label: "CT brain", key: "3", window: { width: 80, center: 40 } },
  { id: "subdural", label: "CT subdural", key: "4", window: { width: 200, center: 75 } },
  { id: "stroke", label: "CT stroke", key: "5", window: { width: 40, center: 40 } },
  { id: "bone", label: "CT bone", key: "6", window: { width: 2500, center: 480 } },
  { id: "lung", label: "CT lung", key: "7", window: { width: 1500, center: -600 } },
  { id: "abdomen", label: "CT abdomen", key: "8", window: { width: 400, center: 40 } },
  { id: "mediastinum", label: "CT mediastinum", key: "9", window: { width: 350, center: 50 } },
];

/** Hounsfield windows say nothing about other modalities' values. */
export function presetsFor(modality: string): readonly WindowPreset[] {
  return modality === "CT" ? presets : presets.filter((preset) => preset.window === undefined);
}
