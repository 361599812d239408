/** The points of the latent plane as the server tells of them. */
import { floats, type Bundle } from "../../core/bundle";
import { readLabels } from "../../core/palette";
import type { Plane, Window } from "../../core/plane";

/** What the server told about the points. */
export interface Points {
  bundle: Bundle;
  positions: Float32Array;
  labels: Uint16Array | null; // `NONE` where there is none
  errors: Float32Array;
  ids: Int32Array;
  z: Float32Array;
  dim: number;
  plane: Plane | null;
  facts: { axes: string[]; explained: number[] | null; residual: number | null; n: number; total: number; split: string };
}

/** Read the bundle of a plane. */
export function readPoints(bundle: Bundle): Points {
  const { labels, ids, origin } = bundle.arrays;
  const basis = floats(bundle, "basis");
  const dim = Number(bundle.facts.dim);
  return {
    bundle,
    positions: floats(bundle, "positions"),
    labels: readLabels(labels, Number(bundle.facts.none ?? 255)),
    errors: floats(bundle, "errors"),
    ids: (ids?.data as Int32Array | undefined) ?? new Int32Array(),
    z: floats(bundle, "z"),
    dim,
    plane: origin ? { origin: floats(bundle, "origin"), basis: [basis.subarray(0, dim), basis.subarray(dim, 2 * dim)] } : null,
    facts: bundle.facts as Points["facts"],
  };
}

/** The latent of a point, where latents were sent. */
export const latentOf = (points: Points, index: number): Float32Array | null =>
  points.z.length ? points.z.subarray(index * points.dim, (index + 1) * points.dim) : null;

/** Where the plane's window looks, and whether the user moved it there. */
export interface View {
  window: Window;
  width: number;
  height: number;
  byUser: boolean;
}
