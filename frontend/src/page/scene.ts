/** What the exported page and the widget are told about a run: a bundle, and a decoder that runs somewhere. */
import { floats, type Bundle } from "../core/bundle";
import { readLabels } from "../core/palette";
import { images, type Pixels } from "../core/pixels";
import type { Plane } from "../core/plane";

export interface Figure {
  name: string;
  value: string;
  unit: string;
  meaning: string;
}

export interface Facts {
  title: string;
  summary: string;
  dim: number;
  kind: "image" | "vector";
  shape: number[]; // of one event: (C, H, W), or (D)
  low: number;
  high: number;
  classes: string[];
  none?: number; // the label of samples without one
  conditional: boolean;
  walkable: boolean;
  why: string | null; // there is no walking
  source: string;
  total: number;
  axes: [string, string];
  explained: number[] | null;
  order: number[];
  rates: number[] | null;
  active: boolean[];
  unit: "z" | "standard deviations";
  prior: string | null;
  samples: string | null; // why there are none
  figures: Figure[];
  about: [string, string][];
  check: { max_difference: number; tolerance: number; real: number; random: number };
}

export interface Scene {
  facts: Facts;
  z: Float32Array; // (N, dim)
  labels: Uint16Array | null; // (N), `NONE` where there is none
  positions: Float32Array; // (N, 2), on the plane below
  plane: Plane;
  originals: Pixels[]; // of the first points
  mean: Float32Array;
  spread: Float32Array;
  samples: { z: Float32Array; y: ArrayLike<number> | null };
}

/** Decodes n latents (n, dim) at once; of a conditional model as class `y`. */
export interface Batches {
  decode(z: Float32Array, n: number, y: number | null | readonly number[]): Promise<Pixels[]>;
}

export function readScene(bundle: Bundle): Scene {
  const facts = bundle.facts as unknown as Facts;
  const basis = floats(bundle, "basis");
  return {
    facts,
    z: floats(bundle, "z"),
    labels: facts.classes.length ? readLabels(bundle.arrays.labels, facts.none ?? 255) : null,
    positions: floats(bundle, "positions"),
    plane: { origin: floats(bundle, "origin"), basis: [basis.slice(0, facts.dim), basis.slice(facts.dim)] },
    originals: images(bundle.arrays.pixels ?? bundle.arrays.values),
    mean: floats(bundle, "mean"),
    spread: floats(bundle, "spread"),
    samples: { z: floats(bundle, "sample_z"), y: bundle.arrays.sample_y?.data ?? null },
  };
}

export const latentOf = (scene: Scene, index: number): Float32Array => scene.z.subarray(index * scene.facts.dim, (index + 1) * scene.facts.dim);

/** The plane of two dimensions as they are, through the mean of the others; and where the points lie on it. */
export function rawPlane(scene: Scene, across: number, up: number): { plane: Plane; positions: Float32Array } {
  const { dim } = scene.facts;
  const unit = (at: number) => Float32Array.from({ length: dim }, (_, i) => Number(i === at));
  const origin = scene.mean.slice();
  origin[across] = origin[up] = 0;
  const count = scene.z.length / dim;
  const positions = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) positions.set([scene.z[i * dim + across], scene.z[i * dim + up]], 2 * i);
  return { plane: { origin, basis: [unit(across), unit(up)] }, positions };
}

/** Real numbers of events, (n, *shape), as pictures: images of bytes, vectors as they are. */
export function toPixels(values: Float32Array, facts: Facts): Pixels[] {
  const size = facts.shape.reduce((product, side) => product * side, 1);
  const count = values.length / size;
  const of = (i: number) => values.subarray(i * size, (i + 1) * size);
  if (facts.kind === "vector") return Array.from({ length: count }, (_, i) => ({ height: 1, width: size, channels: 1, data: of(i).slice() }));
  const [depth, height, width] = facts.shape;
  const channels = depth === 3 ? 3 : 1; // two, four or more have no colours of their own: their mean, in grey
  const mixed = depth / channels;
  const factor = 255 / (facts.high - facts.low || 1);
  return Array.from({ length: count }, (_, i) => {
    const event = of(i);
    const data = new Uint8Array(height * width * channels);
    for (let channel = 0; channel < channels; channel++)
      for (let at = 0; at < height * width; at++) {
        let value = 0;
        for (let one = channel; one < depth; one += channels) value += event[one * height * width + at];
        data[at * channels + channel] = Math.max(0, Math.min(255, Math.round((value / mixed - facts.low) * factor)));
      }
    return { height, width, channels, data };
  });
}

/** How far a dimension is moved: from, to, in units of z. */
export const reach = ({ facts, mean, spread }: Scene, dim: number): [number, number] =>
  facts.unit === "z" ? [-3, 3] : [mean[dim] - 3 * (spread[dim] || 1), mean[dim] + 3 * (spread[dim] || 1)];
