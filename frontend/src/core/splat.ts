/** Points drawn on the CPU straight into pixels: 100,000 of them take a few milliseconds, and need no GPU. */
import type { Window } from "./plane";

/** The pixels under a point: offsets from its middle, and how much each is covered (0 to 256). */
export interface Stamp {
  x: Int16Array;
  y: Int16Array;
  cover: Uint16Array;
  reach: number;
}

/** A disc of `radius` pixels with a soft edge. */
export function disc(radius: number, opacity = 1): Stamp {
  const reach = Math.ceil(radius);
  const x: number[] = [];
  const y: number[] = [];
  const cover: number[] = [];
  for (let j = -reach; j <= reach; j++)
    for (let i = -reach; i <= reach; i++) {
      const share = Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(i, j)));
      if (share < 0.04) continue;
      x.push(i);
      y.push(j);
      cover.push(Math.round(256 * share * opacity));
    }
  return { x: Int16Array.from(x), y: Int16Array.from(y), cover: Uint16Array.from(cover), reach };
}

/** How large points are drawn, in CSS pixels: the fewer there are, the larger. */
export const radiusFor = (count: number): number => (count > 50_000 ? 1 : count > 12_000 ? 1.4 : count > 3_000 ? 2 : count > 600 ? 2.6 : 3.4);

/** 0xAABBGGRR of "#rrggbb": what a little-endian Int32 view of ImageData holds. (Signed numbers are the fast ones.) */
export function packColour(hex: string): number {
  const value = Number.parseInt(hex.slice(1), 16);
  return 0xff000000 | ((value & 0xff) << 16) | (value & 0xff00) | (value >> 16);
}

/**
 * Draw points over one another into RGBA pixels.
 *
 * @param pixels - (height x width), an Int32 view of ImageData; what is there stays beneath
 * @param positions - (N, 2) on the plane, in the order in which they are drawn (see `mixed`)
 * @param colours - the colour of each point's class, packed; 0 hides the class
 * @param classes - (N) an index into `colours`
 */
export function splat(
  pixels: Int32Array,
  width: number,
  height: number,
  positions: Float32Array,
  window: Window,
  colours: Int32Array,
  classes: Uint16Array | null,
  stamp: Stamp,
): void {
  const { x: dx, y: dy, cover, reach } = stamp;
  const count = positions.length >> 1;
  const scale = window.scale;
  const left = width / 2 - window.u * scale;
  const top = height / 2 + window.v * scale;
  for (let i = 0; i < count; i++) {
    const colour = colours[classes ? classes[i] : 0];
    if (!colour) continue;
    const x = Math.round(left + positions[2 * i] * scale);
    const y = Math.round(top - positions[2 * i + 1] * scale);
    if (!(x >= -reach && y >= -reach && x < width + reach && y < height + reach)) continue;
    const whole = x >= reach && y >= reach && x < width - reach && y < height - reach;
    const red = colour & 0xff;
    const green = (colour >> 8) & 0xff;
    const blue = (colour >> 16) & 0xff;
    for (let s = 0; s < dx.length; s++) {
      const px = x + dx[s];
      const py = y + dy[s];
      if (!whole && (px < 0 || py < 0 || px >= width || py >= height)) continue;
      const at = py * width + px;
      const share = cover[s];
      const below = pixels[at];
      const alpha = below >>> 24;
      if (share >= 256) pixels[at] = colour;
      else if (!alpha) pixels[at] = (Math.min(255, share) << 24) | (colour & 0xffffff);
      else {
        const rest = 256 - share;
        const r = ((below & 0xff) * rest + red * share) >> 8;
        const g = (((below >> 8) & 0xff) * rest + green * share) >> 8;
        const b = (((below >> 16) & 0xff) * rest + blue * share) >> 8;
        const a = alpha + (((255 - alpha) * share) >> 8);
        pixels[at] = (a << 24) | (b << 16) | (g << 8) | r;
      }
    }
  }
}

/** A fixed shuffle of 0 ... count - 1 (a linear congruential generator: the same every time). */
export function shuffled(count: number, seed = 1): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  let state = seed >>> 0;
  for (let i = count - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 4294967296) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Points and their classes in a shuffled order, so that no class lies on top of all others. */
export function mixed(positions: Float32Array, classes: Uint16Array): { positions: Float32Array; classes: Uint16Array } {
  const order = shuffled(classes.length);
  const places = new Float32Array(positions.length);
  order.forEach((from, to) => {
    places[2 * to] = positions[2 * from];
    places[2 * to + 1] = positions[2 * from + 1];
  });
  return { positions: places, classes: classes.map((_, to) => classes[order[to]]) };
}

/** Finds the point nearest to a place: the points in square cells, sorted once. */
export class Grid {
  private readonly start: Uint32Array;
  private readonly members: Uint32Array;
  private readonly left: number;
  private readonly low: number;
  private readonly cell: number;
  private readonly columns: number;
  private readonly rows: number;

  constructor(private readonly positions: Float32Array) {
    const count = positions.length >> 1;
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < count; i++) {
      const [u, v] = [positions[2 * i], positions[2 * i + 1]];
      if (u < left) left = u;
      if (u > right) right = u;
      if (v < low) low = v;
      if (v > high) high = v;
    }
    if (!count) [left, right, low, high] = [0, 1, 0, 1];
    this.left = left;
    this.low = low;
    this.cell = Math.max(1e-9, Math.sqrt((Math.max(right - left, 1e-9) * Math.max(high - low, 1e-9) * 4) / Math.max(1, count)), (right - left) / 2000, (high - low) / 2000);
    this.columns = Math.floor((right - left) / this.cell) + 1;
    this.rows = Math.floor((high - low) / this.cell) + 1;
    this.start = new Uint32Array(this.columns * this.rows + 1);
    const home = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      home[i] = this.at(positions[2 * i], positions[2 * i + 1]);
      this.start[home[i] + 1]++;
    }
    for (let c = 0; c < this.columns * this.rows; c++) this.start[c + 1] += this.start[c];
    const next = this.start.slice();
    this.members = new Uint32Array(count);
    for (let i = 0; i < count; i++) this.members[next[home[i]]++] = i;
  }

  private at(u: number, v: number): number {
    const column = Math.max(0, Math.min(this.columns - 1, Math.floor((u - this.left) / this.cell)));
    const row = Math.max(0, Math.min(this.rows - 1, Math.floor((v - this.low) / this.cell)));
    return row * this.columns + column;
  }

  /** The number of the point nearest to (u, v) within `reach`, or -1. */
  nearest(u: number, v: number, reach: number, shown?: (index: number) => boolean): number {
    const bound = (value: number, most: number) => Math.max(0, Math.min(most, value));
    const first = bound(Math.floor((u - reach - this.left) / this.cell), this.columns - 1);
    const last = bound(Math.floor((u + reach - this.left) / this.cell), this.columns - 1);
    const bottom = bound(Math.floor((v - reach - this.low) / this.cell), this.rows - 1);
    const top = bound(Math.floor((v + reach - this.low) / this.cell), this.rows - 1);
    let best = -1;
    let least = reach * reach;
    for (let row = bottom; row <= top; row++)
      for (let column = first; column <= last; column++) {
        const cell = row * this.columns + column;
        for (let k = this.start[cell]; k < this.start[cell + 1]; k++) {
          const i = this.members[k];
          const distance = (this.positions[2 * i] - u) ** 2 + (this.positions[2 * i + 1] - v) ** 2;
          if (distance <= least && (!shown || shown(i))) {
            least = distance;
            best = i;
          }
        }
      }
    return best;
  }
}
