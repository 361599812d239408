/** Images as bytes, and vectors as numbers: what a decoder gives. */
import type { Bundle, Field } from "./bundle";

/** One decoded event: an image of bytes (H, W, C), or a vector of numbers (height 1, channels 1). */
export interface Pixels {
  height: number;
  width: number;
  channels: number;
  data: Uint8Array | Float32Array;
}

export const isVector = (pixels: Pixels): boolean => pixels.data instanceof Float32Array;

/** The RGBA bytes of an image; one channel is grey, more than three show their first three. */
export function toRgba(pixels: Pixels, into?: Uint8ClampedArray): Uint8ClampedArray {
  const { height, width, channels, data } = pixels;
  const count = height * width;
  const rgba = into && into.length === 4 * count ? into : new Uint8ClampedArray(4 * count);
  const green = channels > 2 ? 1 : 0;
  const blue = channels > 2 ? 2 : 0;
  for (let i = 0, from = 0, to = 0; i < count; i++, from += channels, to += 4) {
    rgba[to] = data[from];
    rgba[to + 1] = data[from + green];
    rgba[to + 2] = data[from + blue];
    rgba[to + 3] = 255;
  }
  return rgba;
}

/** The images of an array (..., H, W, C), or the vectors of (..., D), one after the other, without copying. */
export function images(field: Field | undefined): Pixels[] {
  if (!field) return [];
  const { data, shape } = field;
  const vector = data instanceof Float32Array;
  const [height, width, channels] = vector ? [1, shape[shape.length - 1], 1] : shape.slice(-3);
  const size = height * width * channels;
  const count = size ? data.length / size : 0;
  return Array.from({ length: count }, (_, i) => ({
    height,
    width,
    channels,
    data: data.subarray(i * size, (i + 1) * size) as Uint8Array | Float32Array,
  }));
}

/** The images of a bundle under `name`, or the vectors under `values` or `name`. */
export function imagesOf(bundle: Bundle, name = "pixels"): Pixels[] {
  return images(bundle.arrays[name] ?? (name === "pixels" ? bundle.arrays.values : undefined));
}

/** Bytes (H, W, C) of what a canvas holds, as a model takes it: one channel is the mean of the three. */
export function fromRgba(rgba: Uint8ClampedArray, height: number, width: number, channels: number): Pixels {
  const data = new Uint8Array(height * width * channels);
  for (let i = 0; i < height * width; i++) {
    const [red, green, blue] = [rgba[4 * i], rgba[4 * i + 1], rgba[4 * i + 2]];
    if (channels >= 3) data.set([red, green, blue], i * channels);
    else data[i * channels] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
  }
  return { height, width, channels, data };
}

/**
 * Noise on an image under a brush: Gaussian, of standard deviation `amount` (in [0, 1]), within `radius` pixels of (x, y).
 * The image is changed in place.
 */
export function brushNoise(pixels: Pixels, x: number, y: number, radius: number, amount: number, random: () => number = Math.random): void {
  const { height, width, channels, data } = pixels;
  const [top, bottom] = [Math.max(0, Math.ceil(y - radius)), Math.min(height - 1, Math.floor(y + radius))];
  const [left, right] = [Math.max(0, Math.ceil(x - radius)), Math.min(width - 1, Math.floor(x + radius))];
  for (let row = top; row <= bottom; row++)
    for (let column = left; column <= right; column++) {
      if ((row - y) ** 2 + (column - x) ** 2 > radius * radius) continue;
      for (let channel = 0; channel < channels; channel++) {
        const at = (row * width + column) * channels + channel;
        const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
        data[at] = Math.max(0, Math.min(255, Math.round(data[at] + 255 * amount * normal)));
      }
    }
}

/** An image of one colour. */
export const blank = (height: number, width: number, channels: number, value = 0): Pixels => ({ height, width, channels, data: new Uint8Array(height * width * channels).fill(value) });

/** A round dab of colour with a soft edge, in place; along a line many dabs make a stroke. */
export function brushInk(pixels: Pixels, x: number, y: number, radius: number, colour: readonly number[]): void {
  const { height, width, channels, data } = pixels;
  for (let row = Math.max(0, Math.floor(y - radius - 1)); row <= Math.min(height - 1, Math.ceil(y + radius + 1)); row++)
    for (let column = Math.max(0, Math.floor(x - radius - 1)); column <= Math.min(width - 1, Math.ceil(x + radius + 1)); column++) {
      const cover = Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(column - x, row - y)));
      for (let channel = 0; channel < channels; channel++) {
        const at = (row * width + column) * channels + channel;
        // The edge of a dab over the same stroke must not wash it out, hence the stronger of both.
        const wished = colour[channel % colour.length];
        const mixed = data[at] + (wished - data[at]) * cover;
        data[at] = Math.round(wished > data[at] ? Math.max(data[at], mixed) : Math.min(data[at], mixed));
      }
    }
}

/** The places of dabs along a line, half a pixel apart. */
export function along(from: readonly [number, number], to: readonly [number, number], apart = 0.5): [number, number][] {
  const steps = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / apart));
  return Array.from({ length: steps }, (_, i) => [from[0] + ((to[0] - from[0]) * (i + 1)) / steps, from[1] + ((to[1] - from[1]) * (i + 1)) / steps]);
}
