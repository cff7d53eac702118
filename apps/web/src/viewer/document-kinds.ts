interface DocumentKind {
  readonly what: string;
  readonly note: string;
}

/** Storage SOP classes that are not pictures (PS3.4 Annex B.5), the longest UID first where one begins another. */
const kinds: readonly (readonly [RegExp, DocumentKind])[] = [
  [
    /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.88\.59$/,
    { what: "Key object selection", note: "A list of images that someone marked." },
  ],
  [
    /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.88\.(67|73|76)$/,
    { what: "Radiation dose report", note: "Dose values that the machine recorded." },
  ],
  [
    /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.88\./,
    { what: "Structured report", note: "Findings and measurements as a tree of values." },
  ],
  [
    /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.104\.1$/,
    { what: "PDF document", note: "A document that was sent with the study." },
  ],
  [
    /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.104\.2$/,
    {
      what: "Clinical document (CDA)",
      note: "A document for the health record. Retrieve it to read it with a record viewer.",
    },
  ],
  [
    /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.104\./,
    { what: "3D model", note: "A surface for printing or planning. Retrieve it to open it in a modelling program." },
  ],
  [
    /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.11\./,
    { what: "Presentation state", note: "How someone displayed images of this study. It is kept, not applied here." },
  ],
  [
    /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.9\./,
    { what: "Waveform", note: "An ECG, sound or other curve. Retrieve it to read it with a waveform viewer." },
  ],
  [
    /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.66\.4$/,
    {
      what: "Segmentation",
      note: "Outlined structures that belong to images of this study. They are kept, not drawn over the images here.",
    },
  ],
  [
    /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.66(\.|$)/,
    { what: "Registration or surface", note: "How images lie in space to each other. It is kept, not applied here." },
  ],
  [
    /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.481\.3$/,
    { what: "RT structure set", note: "Contours for radiotherapy. Retrieve it to open it in a planning system." },
  ],
  [
    /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.481\.[4-9]$/,
    {
      what: "RT plan or record",
      note: "Treatment values for radiotherapy. Retrieve it to open it in a planning system.",
    },
  ],
  [
    /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.77\.1\.1\.1$|^1\.2\.840\.10008\.5\.1\.4\.1\.1\.77\.1\.[24]\.1$/,
    { what: "Video", note: "This page does not play videos. Retrieve it with a workstation." },
  ],
  [
    /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.30$/,
    {
      what: "Parametric map",
      note: "Computed values for each point of an image. Retrieve it to read it with an analysis program.",
    },
  ],
];

/** What an object without a scrollable picture is; undefined for a picture. */
export function documentKind(sopClassUid: string, hasPixels: boolean): DocumentKind | undefined {
  const known = kinds.find(([uid]) => uid.test(sopClassUid))?.[1];
  if (known !== undefined) return known;
  return hasPixels
    ? undefined
    : {
        what: "Object without images",
        note: `Stored as it came (SOP class ${sopClassUid}). There is no picture to show.`,
      };
}
