/** A plane through the latent space, and the window through which it is seen. */

/** z = origin + u basis[0] + v basis[1]; a plane without a basis (t-SNE, UMAP) has no way back. */
export interface Plane {
  origin: Float32Array; // (dim)
  basis: [Float32Array, Float32Array] | null; // two of (dim)
}

/** Where the window looks: the plane's point at its middle, and pixels per unit of the plane. v points up. */
export interface Window {
  u: number;
  v: number;
  scale: number;
}

export type Point = [number, number];

/** The latent at (u, v). With an anchor z0, which lies at (u0, v0) on the plane, what z0 has outside the plane is kept. */
export function latentAt(plane: Plane, u: number, v: number, anchor?: ArrayLike<number> | null): Float32Array {
  const { origin, basis } = plane;
  if (!basis) throw new Error("There is no way back from this plane to the latent space.");
  const [u0, v0] = anchor ? project(plane, anchor) : [0, 0];
  const start = anchor ?? origin;
  return Float32Array.from(origin, (_, i) => start[i] + (u - u0) * basis[0][i] + (v - v0) * basis[1][i]);
}

/** Where z lies on the plane (its basis is orthonormal). */
export function project(plane: Plane, z: ArrayLike<number>): Point {
  const { origin, basis } = plane;
  if (!basis) throw new Error("There is no way from the latent space onto this plane.");
  let u = 0;
  let v = 0;
  for (let i = 0; i < origin.length; i++) {
    u += (z[i] - origin[i]) * basis[0][i];
    v += (z[i] - origin[i]) * basis[1][i];
  }
  return [u, v];
}

export const toScreen = (window: Window, width: number, height: number, u: number, v: number): Point => [
  width / 2 + (u - window.u) * window.scale,
  height / 2 - (v - window.v) * window.scale,
];

export const toPlane = (window: Window, width: number, height: number, x: number, y: number): Point => [
  window.u + (x - width / 2) / window.scale,
  window.v - (y - height / 2) / window.scale,
];

/** The window in which the points fill the canvas but for a margin, leaving out the outermost few in a thousand on each side. */
export function fit(positions: ArrayLike<number>, width: number, height: number, margin = 0.9): Window {
  const count = positions.length / 2;
  if (!count) return { u: 0, v: 0, scale: Math.min(width, height) / 6 };
  const side = (offset: number): [number, number] => {
    const values = Float64Array.from({ length: count }, (_, i) => positions[2 * i + offset]).sort();
    return [values[Math.floor(0.002 * (count - 1))], values[Math.ceil(0.998 * (count - 1))]];
  };
  const [[left, right], [low, high]] = [side(0), side(1)];
  const scale = margin * Math.min(width / Math.max(right - left, 1e-6), height / Math.max(high - low, 1e-6));
  return { u: (left + right) / 2, v: (low + high) / 2, scale };
}

/** The same window after zooming by `factor` with the plane's point under (x, y) staying there. */
export function zoom(window: Window, width: number, height: number, x: number, y: number, factor: number): Window {
  const [u, v] = toPlane(window, width, height, x, y);
  const scale = Math.max(1e-3, Math.min(1e6, window.scale * factor));
  return { u: u - (x - width / 2) / scale, v: v + (y - height / 2) / scale, scale };
}

/** The same window moved by (x, y) pixels. */
export const pan = (window: Window, x: number, y: number): Window => ({
  ...window,
  u: window.u - x / window.scale,
  v: window.v + y / window.scale,
});

/** Whether (x, y) lies within the polygon (even-odd rule). */
export function inside(polygon: readonly Point[], x: number, y: number): boolean {
  let within = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i];
    const [xj, yj] = polygon[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) within = !within;
  }
  return within;
}

/** The numbers of the points within a polygon on the plane. */
export function lasso(positions: ArrayLike<number>, polygon: readonly Point[], shown?: (index: number) => boolean): number[] {
  if (polygon.length < 3) return [];
  const us = polygon.map((corner) => corner[0]);
  const vs = polygon.map((corner) => corner[1]);
  const [left, right, low, high] = [Math.min(...us), Math.max(...us), Math.min(...vs), Math.max(...vs)];
  const found: number[] = [];
  for (let i = 0; i < positions.length / 2; i++) {
    const u = positions[2 * i];
    const v = positions[2 * i + 1];
    if (u < left || u > right || v < low || v > high) continue;
    if ((!shown || shown(i)) && inside(polygon, u, v)) found.push(i);
  }
  return found;
}
