import type { Chance } from "./noise.ts";
import type { Ellipsoid } from "./plane.ts";
import { bothSides } from "./plane.ts";

/** What each tissue measures: Hounsfield units for CT, brightness for MR. */
export interface Tissues {
  air: number;
  skin: number;
  fat: number;
  muscle: number;
  compactBone: number;
  spongyBone: number;
  liquor: number;
  grey: number;
  white: number;
  nuclei: number;
  cerebellum: number;
  blood: number;
  calcification: number;
  vitreous: number;
  lens: number;
  /** The cradle under the head; `air` where it does not show. */
  holder: number;
  foam: number;
}

export interface HeadShape {
  tissues: Tissues;
  /** 1 usual; greater for wide ventricles. */
  ventricles: number;
  calcified: boolean;
}

/** Inside the brain, in the order they are painted. Millimetres: x to the patient's left, y to the back, z up. */
export function brainSolids({ tissues: t, ventricles: v, calcified }: HeadShape, chance: Chance): Ellipsoid[] {
  const jitter = () => (chance() - 0.5) * 1.6;
  const deep: Ellipsoid[] = [
    // White matter of the hemispheres, then the nuclei round the ventricles.
    ...bothSides({ at: [26, 0, 22], half: [22, 56, 20], value: t.white, share: 0.85, soft: 6 }),
    ...bothSides({ at: [15 + jitter() * 0.3, -20, 11], half: [6, 11, 13], turnDegrees: -14, value: t.nuclei, soft: 2 }),
    ...bothSides({ at: [26, -4, 6], half: [7, 17, 12], turnDegrees: -16, value: t.nuclei, soft: 2 }),
    ...bothSides({ at: [10.5, 13, 9], half: [8, 14, 10], turnDegrees: -22, value: t.nuclei, soft: 2 }),
    ...bothSides({ at: [37, -4, 6], half: [1.6, 16, 11], turnDegrees: -6, value: t.grey, soft: 2 }),
    { at: [0, 0, 27], half: [16, 40, 5], value: t.white, soft: 3 },
  ];
  const lateral: Ellipsoid[] = [
    ...bothSides({ at: [7.5, -26, 14], half: [4.2 * v, 12, 9 * v], turnDegrees: -22, value: t.liquor, soft: 1.6 }),
    ...bothSides({ at: [9, 2, 22], half: [5 * v, 30, 6 * v], turnDegrees: 8, value: t.liquor, soft: 1.6 }),
    ...bothSides({ at: [21, 30, 12], half: [6.5 * v, 14, 9 * v], turnDegrees: -28, value: t.liquor, soft: 1.6 }),
    ...bothSides({ at: [29, 16, -12], half: [3 * v, 16, 4 * v], turnDegrees: -16, value: t.liquor, soft: 1.6 }),
    ...bothSides({ at: [25, 50, 8], half: [3 * v, 15, 4 * v], turnDegrees: 8, value: t.liquor, soft: 1.6 }),
    // Septum between the frontal horns.
    { at: [0, -16, 18], half: [0.9, 18, 10], value: t.white, soft: 1 },
    { at: [0, 6, 6], half: [2.1 * v, 14, 9], value: t.liquor, soft: 1.4 },
  ];
  const cisterns: Ellipsoid[] = [
    ...bothSides({ at: [45, -24, -3], half: [7, 3.4, 9], turnDegrees: 40, value: t.liquor, share: 0.85, soft: 3 }),
    ...bothSides({ at: [50, -6, 6], half: [8, 2.2, 13], turnDegrees: 68, value: t.liquor, share: 0.85, soft: 2 }),
    { at: [0, -14, -15], half: [12, 9, 6], value: t.liquor, soft: 3 },
    { at: [0, 29, 0], half: [13, 4, 7], value: t.liquor, soft: 2 },
    ...bothSides({ at: [15, 18, -8], half: [2, 12, 8], turnDegrees: -24, value: t.liquor, soft: 2 }),
  ];
  const stem: Ellipsoid[] = [
    { at: [0, 7, -12], half: [15, 12, 9], value: t.white, soft: 2 },
    { at: [0, 14, -29], half: [15, 13, 13], value: t.white, soft: 2 },
    { at: [0, 17, -52], half: [8, 8, 20], value: t.white, soft: 2 },
    { at: [0, 32, -30], half: [6.5 * v, 4, 10], value: t.liquor, soft: 1.6 },
    { at: [0, 1, -30], half: [10, 2, 12], value: t.liquor, soft: 2 },
    { at: [0, 61, -50], half: [11, 5, 7], value: t.liquor, soft: 3 },
  ];
  const bright: Ellipsoid[] = [
    { at: [0, 76, 2], half: [3.4, 3, 10], value: t.blood, soft: 1.4 },
    ...bothSides({ at: [33, 64, -22], half: [22, 2.6, 3.4], turnDegrees: -34, value: t.blood, share: 0.8, soft: 1.6 }),
    { at: [0, -5, -17], half: [2.2, 2.2, 4], value: t.blood, soft: 1 },
  ];
  if (!calcified) return [...deep, ...lateral, ...cisterns, ...stem, ...bright];
  const specks: Ellipsoid[] = [
    { at: [jitter() * 0.4, 27, 8], half: [2.3, 2.6, 2.6], value: t.calcification, soft: 1.4 },
    { at: [21 + jitter(), 31 + jitter(), 12], half: [2.2, 3, 3], value: t.calcification * 0.8, soft: 1.6 },
    { at: [-21 + jitter(), 30 + jitter(), 13], half: [2.6, 3.2, 3], value: t.calcification * 0.7, soft: 1.6 },
    ...bothSides({ at: [20, -4 + jitter(), 4], half: [1.4, 2.4, 2], value: t.calcification * 0.45, soft: 1.8 }),
  ];
  return [...deep, ...lateral, ...cisterns, ...stem, ...bright, ...specks];
}

/** Face, orbits, sinuses and the base of the skull, in the order they are painted. */
export function faceSolids({ tissues: t }: HeadShape): Ellipsoid[] {
  const bone = t.compactBone;
  return [
    // Orbits: thin walls, fat, globe with lens, the nerve and muscles behind it.
    ...bothSides({ at: [31, -60, -28], half: [21.5, 27, 19], turnDegrees: -18, value: bone * 0.75, soft: 1.4 }),
    ...bothSides({ at: [31, -60, -28], half: [19.5, 26, 17.2], turnDegrees: -18, value: t.fat, soft: 1.2 }),
    ...bothSides({ at: [24, -50, -29], half: [1.9, 15, 2.2], turnDegrees: 22, value: t.muscle * 0.7, soft: 1.2 }),
    ...bothSides({ at: [15.5, -58, -28], half: [1.8, 15, 5], turnDegrees: -4, value: t.muscle, soft: 1.2 }),
    ...bothSides({ at: [39, -56, -28], half: [1.8, 15, 5], turnDegrees: -34, value: t.muscle, soft: 1.2 }),
    ...bothSides({ at: [31.5, -74, -28], half: [12.6, 12.6, 12.6], value: t.muscle, soft: 1 }),
    ...bothSides({ at: [31.5, -74, -28], half: [11.6, 11.6, 11.6], value: t.vitreous, soft: 1 }),
    ...bothSides({ at: [31.5, -82, -28], half: [4.6, 2, 4.6], value: t.lens, soft: 1 }),
    // Middle of the face: ethmoid cells, sphenoid sinus, nose with septum, maxillary sinuses.
    { at: [0, -58, -30], half: [13, 26, 17], value: bone * 0.5, soft: 2 },
    { at: [0, -58, -30], half: [11.5, 24.5, 15.5], value: t.air, soft: 1.4 },
    { at: [0, -28, -29], half: [15, 13, 10], value: bone * 0.8, soft: 1.6 },
    { at: [-4, -29, -29], half: [9, 10.5, 7.6], value: t.air, soft: 1.4 },
    { at: [8, -28, -30], half: [4.6, 9, 6], value: t.air, soft: 1.4 },
    { at: [0, -62, -52], half: [13, 30, 15], value: t.air, soft: 1.6 },
    ...bothSides({ at: [29, -55, -56], half: [18, 21, 18], turnDegrees: 12, value: bone * 0.7, soft: 1.4 }),
    ...bothSides({ at: [29, -55, -56], half: [16, 19, 16], turnDegrees: 12, value: t.air, soft: 1.4 }),
    ...bothSides({ at: [7.5, -60, -55], half: [3.4, 22, 7], value: t.muscle, soft: 1.6 }),
    { at: [0, -62, -45], half: [1.1, 27, 27], value: bone * 0.55, soft: 1.2 },
    // Frontal sinus.
    ...bothSides({ at: [8, -81, -6], half: [8.5, 3.6, 11], turnDegrees: 12, value: t.air, soft: 1.2 }),
    // Cheek bones and arches.
    ...bothSides({ at: [54, -52, -46], half: [6, 12, 7], turnDegrees: -34, value: bone * 0.85, soft: 1.4 }),
    ...bothSides({ at: [66, -25, -46], half: [2.4, 22, 4], turnDegrees: -3, value: bone * 0.8, soft: 1.2 }),
    // Muscles of chewing, the ramus of the jaw with its joint.
    ...bothSides({ at: [50, -26, -56], half: [9, 15, 22], turnDegrees: -10, value: t.muscle, soft: 2 }),
    ...bothSides({ at: [50, -10, -62], half: [3.6, 12, 20], turnDegrees: -8, value: bone * 0.9, soft: 1.4 }),
    ...bothSides({ at: [50, -2, -43], half: [8, 5, 5], turnDegrees: 14, value: bone, soft: 1.4 }),
    // Pharynx and the muscles of the neck.
    { at: [0, -20, -66], half: [12, 9, 18], value: t.air, soft: 1.6 },
    { at: [0, 2, -64], half: [16, 6, 16], value: t.muscle, soft: 2 },
    ...bothSides({ at: [22, 52, -66], half: [19, 22, 18], turnDegrees: 14, value: t.muscle, soft: 3 }),
  ];
}

/** The base of the skull round the brain: petrous bones, clivus, ear canals, foramen magnum and first vertebra. */
export function baseSolids({ tissues: t }: HeadShape): Ellipsoid[] {
  const bone = t.compactBone;
  return [
    { at: [0, -7, -38], half: [13, 7, 16], turnDegrees: 0, value: bone * 0.65, soft: 2 },
    { at: [0, -12, -26], half: [11, 3.6, 5], value: bone * 0.8, soft: 1.6 },
    ...bothSides({ at: [40, 8, -35], half: [29, 9.5, 10], turnDegrees: 30, value: bone * 0.92, soft: 2 }),
    ...bothSides({ at: [60, 24, -44], half: [12, 17, 19], turnDegrees: -8, value: bone * 0.75, soft: 2 }),
    ...bothSides({ at: [30, 4, -35], half: [2.6, 2, 2.4], value: t.muscle, soft: 1 }),
    ...bothSides({ at: [63, 1, -38], half: [12, 3.2, 3.4], turnDegrees: 4, value: t.air, soft: 1.2 }),
    ...bothSides({ at: [48, 6, -35], half: [3.4, 6, 5], turnDegrees: 24, value: t.air, soft: 1.2 }),
    // Ring of the first vertebra and the canal within.
    { at: [0, 20, -68], half: [30, 26, 8], value: bone * 0.8, soft: 2 },
    { at: [0, 22, -68], half: [17, 19, 12], value: t.liquor, soft: 2 },
    { at: [0, 20, -66], half: [7.5, 7.5, 22], value: t.white, soft: 2 },
    { at: [0, 2, -72], half: [6, 6, 10], value: bone, soft: 1.6 },
  ];
}
