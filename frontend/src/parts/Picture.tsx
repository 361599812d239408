/** Decoded events as pictures: an image pixel by pixel, a vector as bars. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { isVector, toRgba, type Pixels } from "../core/pixels";

const VECTOR_WIDTH = 240;
const VECTOR_HEIGHT = 160;

/** Put one event on a canvas, which takes the event's size; `range` bounds a vector's bars. */
export function paint(canvas: HTMLCanvasElement, pixels: Pixels, range?: [number, number]): void {
  if (isVector(pixels)) return paintBars(canvas, pixels.data, range);
  const { width, height } = pixels;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  canvas.getContext("2d")!.putImageData(new ImageData(toRgba(pixels) as Uint8ClampedArray<ArrayBuffer>, width, height), 0, 0);
}

function paintBars(canvas: HTMLCanvasElement, values: ArrayLike<number>, range?: [number, number]): void {
  canvas.width = 2 * VECTOR_WIDTH;
  canvas.height = 2 * VECTOR_HEIGHT;
  const list = Array.from(values);
  const low = Math.min(0, range ? range[0] : Math.min(...list));
  const high = Math.max(0, range ? range[1] : Math.max(...list), low + 1e-9);
  const context = canvas.getContext("2d")!;
  const place = (value: number) => (canvas.height - 8) * (1 - (value - low) / (high - low)) + 4;
  const step = canvas.width / list.length;
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = getComputedStyle(canvas).color;
  list.forEach((value, i) => {
    const [from, to] = [place(0), place(value)];
    context.fillRect(i * step + step * 0.12, Math.min(from, to), step * 0.76, Math.max(2, Math.abs(to - from)));
  });
  context.globalAlpha = 0.4;
  context.fillRect(0, place(0) - 1, canvas.width, 2);
  context.globalAlpha = 1;
}

interface PictureProps {
  pixels: Pixels | null | undefined;
  /** What it shows, in words; empty where its surroundings say so already. */
  label: string;
  /** The longer side in CSS pixels; left out, the picture fills its place. */
  size?: number;
  class?: string;
}

/** One event, with a description for those who do not see it. */
export function Picture({ pixels, label, size, class: name = "" }: PictureProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    if (canvas.current && pixels) paint(canvas.current, pixels);
  }, [pixels]);
  const wide = pixels && isVector(pixels) ? 1.5 : pixels ? pixels.width / pixels.height : 1;
  const style = size ? { width: `${Math.round(wide >= 1 ? size : size * wide)}px`, height: `${Math.round(wide >= 1 ? size / wide : size)}px` } : undefined;
  return <canvas ref={canvas} {...(label ? { role: "img", "aria-label": label } : { "aria-hidden": true })} class={`picture ${name}`} style={style} width={1} height={1} />;
}

/** Put rows of events on one canvas with a gap between them. */
export function paintSheet(canvas: HTMLCanvasElement, rows: Pixels[][]): void {
  const first = rows[0]?.[0];
  if (!first) return;
  const vector = isVector(first);
  const [width, height] = vector ? [VECTOR_WIDTH, VECTOR_HEIGHT] : [first.width, first.height];
  const gap = Math.max(1, Math.round(width / 20));
  const columns = Math.max(...rows.map((row) => row.length));
  canvas.width = columns * (width + gap) - gap;
  canvas.height = rows.length * (height + gap) - gap;
  const context = canvas.getContext("2d")!;
  const small = document.createElement("canvas");
  const everything = vector ? rows.flat().flatMap((pixels) => Array.from(pixels.data)) : [];
  const range: [number, number] | undefined = vector ? [Math.min(...everything), Math.max(...everything)] : undefined;
  if (vector) small.style.color = getComputedStyle(canvas).color;
  rows.forEach((row, j) =>
    row.forEach((pixels, i) => {
      const [x, y] = [i * (width + gap), j * (height + gap)];
      if (!vector) return context.putImageData(new ImageData(toRgba(pixels) as Uint8ClampedArray<ArrayBuffer>, width, height), x, y);
      canvas.after(small); // it must be in the page to know its colour
      paint(small, pixels, range);
      small.remove();
      return context.drawImage(small, x, y, width, height);
    }),
  );
}

/** Rows of events as one picture. */
export function Sheet({ rows, label, class: name = "", dark }: { rows: Pixels[][]; label: string; class?: string; dark?: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    if (canvas.current) paintSheet(canvas.current, rows);
  }, [rows, dark]);
  return <canvas ref={canvas} role="img" aria-label={label} class={`picture sheet ${name}`} width={1} height={1} />;
}
