/**
 * What the latent plane draws, once per frame at most, and outside Preact: points on a canvas, marks on one over it.
 *
 * The probe is an element of its own that is only shifted, so that a walk does not draw the plane anew.
 */
import { fit, toPlane, toScreen, type Point, type Window } from "../core/plane";
import { packedPalette, inks } from "../core/palette";
import { disc, Grid, radiusFor, splat } from "../core/splat";

export type Tool = "walk" | "pan" | "lasso";

/** A picture on the plane behind the points: its corners in the plane's own units. */
export interface Backdrop {
  image: CanvasImageSource;
  left: number;
  right: number;
  low: number;
  high: number;
}

export interface LatentPlaneProps {
  positions: Float32Array; // (N, 2)
  labels: Uint16Array | null; // (N), `NONE` where there is none
  dark: boolean;
  tool: Tool;
  /** Classes that are not shown. */
  hidden?: ReadonlySet<number>;
  /** Where the window looks at first; left out, at all points. */
  window?: Window | null;
  onWindow?: (window: Window, width: number, height: number, byUser: boolean) => void;
  /** Where the probe is. Only drawn if `walkable`. */
  probe?: Point | null;
  walkable?: boolean;
  /** The probe was moved; `anchor` is the point from which the drag began, or -1. */
  onProbe?: (u: number, v: number, anchor: number) => void;
  /** Whether moves of the probe are told as they come, and not once for each frame. */
  early?: boolean;
  /** A point was pointed at, or none (-1). */
  onHover?: (index: number) => void;
  /** A point was chosen by a click or Enter. */
  onPick?: (index: number) => void;
  onLasso?: (indices: number[]) => void;
  /** `[` and `]`, with Shift for the second axis. */
  onDimension?: (change: -1 | 1, axis: 0 | 1) => void;
  marked?: readonly number[];
  chosen?: number;
  backdrop?: Backdrop | null;
  /** How clearly the points are seen, 0 to 1. */
  opacity?: number;
  label: string;
}

const TURN = 8; // milliseconds in which a point is decoded
const MANY = 2 * 40_000; // coordinates of more points than are drawn whole in every frame of a movement

/** Draws everything; held outside Preact so that a moving pointer renders nothing else. */
export class Scene {
  window: Window | null = null;
  width = 0;
  height = 0;
  hover = -1;
  probe: Point | null = null;
  trail: Point[] = [];
  props!: LatentPlaneProps;
  grid!: Grid;
  drawn!: { positions: Float32Array; classes: Uint16Array | null };
  private image: ImageData | null = null;
  private asked = 0;
  private stale = { points: true, marks: true };
  private moving = 0;
  private soon = 0;
  private home: { of: unknown[]; scale: number } = { of: [], scale: 1 };

  constructor(
    readonly points: HTMLCanvasElement,
    readonly marks: HTMLCanvasElement,
    readonly mark: SVGElement,
  ) {}

  /** Draw marks, and points unless they stay, in the next frame. */
  ask(points = true): void {
    this.stale.points ||= points;
    this.stale.marks = true;
    this.follow();
  }

  /** Shift the probe, when what was decoded there has had its turn: one frame then shows both. */
  followSoon(): void {
    this.soon ||= setTimeout(() => {
      this.soon = 0;
      this.follow();
    }, TURN) as unknown as number;
  }

  /** Shift the probe in the next frame. */
  follow(): void {
    this.asked ||= requestAnimationFrame(() => this.draw());
  }

  /** The window moves: many points are drawn finely until it rests. */
  move(): void {
    clearTimeout(this.moving);
    this.moving = setTimeout(() => {
      this.moving = 0;
      if (this.props.positions.length > MANY) this.ask();
    }, 140) as unknown as number;
    this.ask();
  }

  stop(): void {
    clearTimeout(this.moving);
    clearTimeout(this.soon);
    cancelAnimationFrame(this.asked);
  }

  shown = (index: number): boolean => !this.props.hidden?.size || !this.props.labels || !this.props.hidden.has(this.props.labels[index]);

  private draw(): void {
    this.asked = 0;
    if (!this.width || !this.height || !this.window) return;
    const ratio = devicePixelRatio || 1;
    if (this.stale.points) this.drawPoints(ratio);
    if (this.stale.marks) this.drawMarks(ratio);
    this.stale = { points: false, marks: false };
    this.placeProbe();
  }

  private placeProbe(): void {
    const seen = this.probe && this.props.walkable;
    this.mark.style.display = seen ? "block" : "none";
    if (!seen) return;
    const [x, y] = toScreen(this.window!, this.width, this.height, ...this.probe!);
    this.mark.style.transform = `translate(${x}px, ${y}px)`;
  }

  private drawPoints(ratio: number): void {
    const { labels, hidden, backdrop, opacity = 1 } = this.props;
    const dark = this.props.dark || Boolean(backdrop); // what is decoded is mostly dark itself
    const { positions, classes } = this.drawn;
    const [width, height] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    const canvas = this.points;
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d")!;
    const window = { ...this.window!, scale: this.window!.scale * ratio };
    if (!this.image || this.image.width !== width || this.image.height !== height) this.image = new ImageData(width, height);
    const pixels = new Int32Array(this.image.data.buffer);
    if (backdrop) {
      context.fillStyle = inks(dark).ground;
      context.fillRect(0, 0, width, height);
      const [x, y] = toScreen(window, width, height, backdrop.left, backdrop.high);
      const [right, bottom] = toScreen(window, width, height, backdrop.right, backdrop.low);
      context.imageSmoothingEnabled = false;
      context.drawImage(backdrop.image, x, y, right - x, bottom - y);
      pixels.set(new Int32Array(context.getImageData(0, 0, width, height).data.buffer));
    } else pixels.fill(0);
    const count = positions.length / 2;
    if (opacity > 0) {
      const near = this.window!.scale / this.homeScale(positions);
      const usual = Math.min(5, radiusFor(count) * Math.max(1, Math.min(1.8, Math.sqrt(near)))) * ratio;
      const radius = this.moving && 2 * count > MANY ? Math.min(usual, 0.5 * ratio) : usual;
      const colours = packedPalette(dark, hidden, Boolean(labels));
      const cover = opacity * (count > 12_000 ? 0.75 : 0.9);
      const cohort = this.cohort();
      splat(pixels, width, height, positions, window, colours, classes, disc(radius, cohort ? 0.13 * cover : cover));
      if (cohort) splat(pixels, width, height, cohort.positions, window, colours, cohort.classes, disc(radius, cover));
    }
    context.putImageData(this.image, 0, 0);
  }

  /** The scale at which all points are seen; asked for in every frame, so it is kept. */
  private homeScale(positions: Float32Array): number {
    const of = [positions, this.width, this.height];
    if (of.some((value, i) => value !== this.home.of[i])) this.home = { of, scale: fit(positions.subarray(0, 2000), this.width, this.height).scale || 1 };
    return this.home.scale;
  }

  /** The marked points, drawn clearly while all others step back. */
  private cohort(): { positions: Float32Array; classes: Uint16Array | null } | null {
    const { positions, labels, marked } = this.props;
    if (!marked?.length) return null;
    const places = new Float32Array(2 * marked.length);
    marked.forEach((from, to) => places.set(positions.subarray(2 * from, 2 * from + 2), 2 * to));
    return { positions: places, classes: labels ? Uint16Array.from(marked, (i) => labels[i]) : null };
  }

  private drawMarks(ratio: number): void {
    const { positions, chosen = -1 } = this.props;
    const dark = this.props.dark || Boolean(this.props.backdrop);
    const canvas = this.marks;
    const [width, height] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d")!;
    const ink = inks(dark);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    const at = (u: number, v: number) => toScreen(this.window!, this.width, this.height, u, v);
    this.drawAxes(context, ink.faint, ink.muted);
    const ring = (i: number, radius: number, colour: string, line: number) => {
      const [x, y] = at(positions[2 * i], positions[2 * i + 1]);
      context.beginPath();
      context.arc(x, y, radius, 0, 7);
      context.lineWidth = line;
      context.strokeStyle = colour;
      context.stroke();
    };
    for (const [i, radius] of [[this.hover, 7], [chosen, 9]] as const)
      if (i >= 0 && 2 * i < positions.length) {
        ring(i, radius, ink.ground, 5);
        ring(i, radius, ink.ink, 2);
      }
    if (this.trail.length > 1) {
      context.beginPath();
      this.trail.forEach(([u, v], i) => context[i ? "lineTo" : "moveTo"](...at(u, v)));
      context.closePath();
      context.fillStyle = ink.wash;
      context.fill();
      context.lineWidth = 2;
      context.strokeStyle = ink.accent;
      context.stroke();
    }
  }

  /** Ticks along the lower and the left edge, at round numbers. */
  private drawAxes(context: CanvasRenderingContext2D, faint: string, ink: string): void {
    const { scale } = this.window!;
    const step = 10 ** Math.ceil(Math.log10(60 / scale));
    const nice = (step / 5) * scale >= 60 ? step / 5 : (step / 2) * scale >= 60 ? step / 2 : step;
    const [left, high] = toPlane(this.window!, this.width, this.height, 0, 0);
    const [right, low] = toPlane(this.window!, this.width, this.height, this.width, this.height);
    context.font = "11px system-ui, sans-serif";
    const text = (value: number) => String(Number(value.toPrecision(6)));
    const plate = (words: string, x: number, y: number) => {
      context.lineWidth = 3;
      context.strokeStyle = inks(this.props.dark || Boolean(this.props.backdrop)).ground;
      context.strokeText(words, x, y);
      context.fillStyle = ink;
      context.fillText(words, x, y);
    };
    context.lineWidth = 1;
    for (let k = Math.ceil(left / nice); k * nice <= right; k++) {
      const [x] = toScreen(this.window!, this.width, this.height, k * nice, 0);
      context.fillStyle = faint;
      context.fillRect(Math.round(x), this.height - 5, 1, 5);
      if (x > 30 && x < this.width - 12) plate(text(k * nice), x - 6, this.height - 9);
    }
    for (let k = Math.ceil(low / nice); k * nice <= high; k++) {
      const [, y] = toScreen(this.window!, this.width, this.height, 0, k * nice);
      context.fillStyle = faint;
      context.fillRect(0, Math.round(y), 5, 1);
      if (y > 12 && y < this.height - 24) plate(text(k * nice), 9, y + 4);
    }
  }
}
