/** Modalities of acquired images by the defined terms of PS3.3 §C.7.3.1.1.1. */
const acquired: ReadonlySet<string> = new Set(
  `BI BMD CR CT DG DX ECG EPS ES FA GM HD IO IVOCT IVUS KER LEN LS MG MR NM OAM OCT OP OPM OPT OPTENF OPV OSS OT PT PX RESP RF RG
  RTIMAGE SM SRF TG US VA XA XC`.split(/\s+/),
);

/** What diagnostic sections are called in table 0074, and what systems send in their place. */
const sections: Readonly<Record<string, string>> = {
  ...{ NMR: "MR", MRI: "MR", MRT: "MR", CAT: "CT", CTA: "CT", MRA: "MR" },
  ...{ NMS: "NM", PET: "PT", RUS: "US", OUS: "US", VUS: "US", CUS: "US", USG: "US", SONO: "US" },
  ...{ RX: "DX", XR: "DX", DR: "DX", RAD: "DX", XRAY: "DX", MAM: "MG", MAMMO: "MG", MAMMOGRAPHY: "MG" },
  ...{
    XRC: "RF",
    FL: "RF",
    FLUORO: "RF",
    CTH: "XA",
    ANGIO: "XA",
    IR: "XA",
    DXA: "BMD",
    DEXA: "BMD",
    EC: "ECG",
    EKG: "ECG",
  },
};

/** The modality that a code stands for; undefined for one that is of no imaging known here, as a laboratory's. */
export function modalityOf(code: string): string | undefined {
  const term = code.trim().toUpperCase();
  return acquired.has(term) ? term : Object.hasOwn(sections, term) ? sections[term] : undefined;
}
