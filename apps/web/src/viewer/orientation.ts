import { type DataSet, numbers, tags } from "./data-set.ts";

export type Vector = readonly [number, number, number];

export interface Markers {
  readonly left: string;
  readonly right: string;
  readonly top: string;
  readonly bottom: string;
}

const opposites: Readonly<Record<string, string>> = { L: "R", R: "L", A: "P", P: "A", H: "F", F: "H", S: "I", I: "S" };

/**
 * The letters at the edges, for a camera whose screen runs along `right` and `up` in patient space. An image without an orientation in
 * space may still carry Patient Orientation (PS3.3 C.7.6.1.1.1); without that there are no markers.
 */
export function markersFor(instance: DataSet, right: Vector, up: Vector): Markers | undefined {
  const orientation = numbers(instance, tags.imageOrientation);
  if (orientation.length === 6) return edges(letters(right), letters(up));
  const [row, column] = (instance[tags.patientOrientation]?.Value ?? []).map(String);
  if (!row || !column) return undefined;
  // Without a plane in space the viewport lays rows along +x and columns along +y.
  const along = (vector: Vector) => {
    const [x, y] = vector;
    if (Math.abs(x) > 0.9) return x > 0 ? row : opposite(row);
    if (Math.abs(y) > 0.9) return y > 0 ? column : opposite(column);
    return "";
  };
  return edges(along(right), along(up));
}

function edges(right: string, top: string): Markers {
  return { right, left: opposite(right), top, bottom: opposite(top) };
}

export function opposite(letters: string): string {
  return [...letters].map((letter) => opposites[letter] ?? "").join("");
}

/** The main directions of a vector in patient space (+x left, +y posterior, +z head), the strongest first. */
export function letters(vector: Vector): string {
  const axes = [
    { size: Math.abs(vector[0]), letter: vector[0] < 0 ? "R" : "L" },
    { size: Math.abs(vector[1]), letter: vector[1] < 0 ? "A" : "P" },
    { size: Math.abs(vector[2]), letter: vector[2] < 0 ? "F" : "H" },
  ];
  return axes
    .filter((axis) => axis.size > 0.3)
    .sort((one, other) => other.size - one.size)
    .map((axis) => axis.letter)
    .slice(0, 2)
    .join("");
}

export function cross(one: Vector, other: Vector): Vector {
  return [
    one[1] * other[2] - one[2] * other[1],
    one[2] * other[0] - one[0] * other[2],
    one[0] * other[1] - one[1] * other[0],
  ];
}
