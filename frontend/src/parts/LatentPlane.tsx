/**
 * The latent plane: points, what is decoded behind them, and a probe that is dragged through it.
 *
 * It knows neither server nor decoder: it draws what it is given and says where the user is. Drawing happens on two
 * canvases (points; marks over them), once per frame at most, and outside Preact.
 */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { fit, lasso, pan, toPlane, toScreen, zoom, type Point, type Window } from "../core/plane";
import { packedPalette, inks } from "../core/palette";
import { disc, Grid, mixed, radiusFor, splat } from "../core/splat";

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
  labels: Uint8Array | null; // (N), 255 where there is none
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

interface Drag {
  kind: Tool;
  anchor: number;
  last: Point;
  moved: boolean;
}

/** Draws everything; held outside Preact so that a moving pointer renders nothing else. */
class Scene {
  window: Window | null = null;
  width = 0;
  height = 0;
  hover = -1;
  probe: Point | null = null;
  trail: Point[] = [];
  props!: LatentPlaneProps;
  grid!: Grid;
  drawn!: { positions: Float32Array; classes: Uint8Array | null };
  private image: ImageData | null = null;
  private asked = 0;
  private stale = { points: true };

  constructor(
    readonly points: HTMLCanvasElement,
    readonly marks: HTMLCanvasElement,
  ) {}

  ask(points = true): void {
    this.stale.points ||= points;
    this.asked ||= requestAnimationFrame(() => this.draw());
  }

  stop(): void {
    cancelAnimationFrame(this.asked);
  }

  shown = (index: number): boolean => !this.props.hidden?.size || !this.props.labels || !this.props.hidden.has(this.props.labels[index]);

  private draw(): void {
    this.asked = 0;
    if (!this.width || !this.height || !this.window) return;
    const ratio = devicePixelRatio || 1;
    if (this.stale.points) this.drawPoints(ratio);
    this.stale.points = false;
    this.drawMarks(ratio);
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
      const near = this.window!.scale / (fit(positions.subarray(0, 2000), this.width, this.height).scale || 1);
      const radius = Math.min(5, radiusFor(count) * Math.max(1, Math.min(1.8, Math.sqrt(near)))) * ratio;
      const colours = packedPalette(dark, hidden, Boolean(labels));
      const cover = opacity * (count > 12_000 ? 0.75 : 0.9);
      const cohort = this.cohort();
      splat(pixels, width, height, positions, window, colours, classes, disc(radius, cohort ? 0.13 * cover : cover));
      if (cohort) splat(pixels, width, height, cohort.positions, window, colours, cohort.classes, disc(radius, cover));
    }
    context.putImageData(this.image, 0, 0);
  }

  /** The marked points, drawn clearly while all others step back. */
  private cohort(): { positions: Float32Array; classes: Uint8Array | null } | null {
    const { positions, labels, marked } = this.props;
    if (!marked?.length) return null;
    const places = new Float32Array(2 * marked.length);
    marked.forEach((from, to) => places.set(positions.subarray(2 * from, 2 * from + 2), 2 * to));
    return { positions: places, classes: labels ? Uint8Array.from(marked, (i) => labels[i]) : null };
  }

  private drawMarks(ratio: number): void {
    const { positions, chosen = -1, walkable } = this.props;
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
    if (this.probe && walkable) {
      const [x, y] = at(...this.probe);
      for (const [colour, line] of [[ink.ground, 5], [ink.accent, 2]] as const) {
        context.lineWidth = line;
        context.strokeStyle = colour;
        context.beginPath();
        context.arc(x, y, 8, 0, 7);
        for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
          context.moveTo(x + 8 * dx, y + 8 * dy);
          context.lineTo(x + 16 * dx, y + 16 * dy);
        }
        context.stroke();
      }
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

const REACH = 12; // pixels within which a point counts as pointed at

export function LatentPlane(props: LatentPlaneProps) {
  const box = useRef<HTMLDivElement>(null);
  const points = useRef<HTMLCanvasElement>(null);
  const marks = useRef<HTMLCanvasElement>(null);
  const scene = useRef<Scene | null>(null);
  const drag = useRef<Drag | null>(null);
  const touches = useRef(new Map<number, Point>());
  const [dragging, setDragging] = useState(false);
  const grid = useMemo(() => new Grid(props.positions), [props.positions]);
  const drawn = useMemo(() => (props.labels ? mixed(props.positions, props.labels) : { positions: props.positions, classes: null }), [props.positions, props.labels]);

  const tell = (byUser = true) => {
    const s = scene.current!;
    if (s.window) s.props.onWindow?.(s.window, s.width, s.height, byUser);
  };

  useLayoutEffect(() => {
    const s = (scene.current = new Scene(points.current!, marks.current!));
    const look = () => {
      const { clientWidth, clientHeight } = box.current!;
      const factor = s.width ? Math.min(clientWidth / s.width, clientHeight / s.height) : 1;
      [s.width, s.height] = [clientWidth, clientHeight];
      if (s.window && factor > 0 && Number.isFinite(factor)) s.window = { ...s.window, scale: s.window.scale * factor };
      else if (s.props && clientWidth) s.window = s.props.window ?? fit(s.props.positions, clientWidth, clientHeight);
      if (s.props) s.ask();
      if (s.props && s.window) tell(false);
    };
    const observer = new ResizeObserver(look);
    observer.observe(box.current!);
    // Preact's wheel listeners are passive, which would scroll the page too.
    const wheel = (event: WheelEvent) => {
      if (!s.window) return;
      event.preventDefault();
      s.window = zoom(s.window, s.width, s.height, event.offsetX, event.offsetY, Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)));
      s.ask();
      tell();
    };
    box.current!.addEventListener("wheel", wheel, { passive: false });
    const target = box.current!;
    return () => {
      observer.disconnect();
      target.removeEventListener("wheel", wheel);
      s.stop();
    };
  }, []);

  const shownFor = useRef<Float32Array | null>(null);
  useLayoutEffect(() => {
    const s = scene.current!;
    s.props = props;
    s.grid = grid;
    s.drawn = drawn;
    if (props.probe !== undefined) s.probe = props.probe;
    const before = s.window;
    if (s.width && (!s.window || (shownFor.current && shownFor.current !== props.positions && !props.window))) s.window = props.window ?? fit(props.positions, s.width, s.height);
    shownFor.current = props.positions;
    if (s.window !== before) tell(false);
    s.ask();
  });

  const at = (event: PointerEvent): Point => {
    const edge = box.current!.getBoundingClientRect();
    return [event.clientX - edge.left, event.clientY - edge.top];
  };
  const nearest = (x: number, y: number): number => {
    const s = scene.current!;
    if (!s.window) return -1;
    const [u, v] = toPlane(s.window, s.width, s.height, x, y);
    return s.grid.nearest(u, v, REACH / s.window.scale, s.shown);
  };
  const hover = (index: number) => {
    const s = scene.current!;
    if (s.hover === index) return;
    s.hover = index;
    s.ask(false);
    s.props.onHover?.(index);
  };
  const moveProbe = (u: number, v: number, anchor: number) => {
    const s = scene.current!;
    s.probe = [u, v];
    s.props.onProbe?.(u, v, anchor); // first: the request leaves before anything is drawn
    s.ask(false);
  };

  const down = (event: PointerEvent) => {
    const s = scene.current!;
    const place = at(event);
    touches.current.set(event.pointerId, place);
    if (event.button > 1 || !s.window) return;
    box.current!.setPointerCapture(event.pointerId);
    const kind: Tool = event.button === 1 || event.shiftKey || touches.current.size > 1 ? "pan" : props.tool === "walk" && !props.walkable ? "pan" : props.tool;
    const anchor = nearest(...place);
    drag.current = { kind, anchor, last: place, moved: false };
    setDragging(true);
    if (kind === "lasso") s.trail = [toPlane(s.window, s.width, s.height, ...place)];
    if (kind === "walk") {
      const [u, v] = anchor >= 0 ? [s.props.positions[2 * anchor], s.props.positions[2 * anchor + 1]] : toPlane(s.window, s.width, s.height, ...place);
      moveProbe(u, v, anchor);
    }
  };
  const pinch = (event: PointerEvent, place: Point): boolean => {
    const s = scene.current!;
    const held = touches.current;
    if (held.size < 2 || !held.has(event.pointerId) || !s.window) return false;
    const other = [...held].find(([id]) => id !== event.pointerId)![1];
    const before = held.get(event.pointerId)!;
    const [was, is] = [Math.hypot(before[0] - other[0], before[1] - other[1]), Math.hypot(place[0] - other[0], place[1] - other[1])];
    s.window = zoom(s.window, s.width, s.height, (place[0] + other[0]) / 2, (place[1] + other[1]) / 2, is / Math.max(was, 1));
    s.window = pan(s.window, (place[0] - before[0]) / 2, (place[1] - before[1]) / 2);
    held.set(event.pointerId, place);
    s.ask();
    tell();
    return true;
  };
  const move = (event: PointerEvent) => {
    const s = scene.current!;
    const place = at(event);
    if (pinch(event, place)) return;
    const held = drag.current;
    if (!held || !s.window) return hover(nearest(...place));
    const [dx, dy] = [place[0] - held.last[0], place[1] - held.last[1]];
    if (Math.hypot(dx, dy) > 2) held.moved = true;
    if (held.kind === "walk") return moveProbe(...toPlane(s.window, s.width, s.height, ...place), held.anchor);
    held.last = place;
    if (held.kind === "pan") {
      s.window = pan(s.window, dx, dy);
      s.ask();
      return tell();
    }
    s.trail.push(toPlane(s.window, s.width, s.height, ...place));
    s.ask(false);
  };
  const up = (event: PointerEvent) => {
    const s = scene.current!;
    touches.current.delete(event.pointerId);
    const held = drag.current;
    drag.current = null;
    setDragging(false);
    if (!held) return;
    if (held.kind === "lasso") {
      const trail = s.trail;
      s.trail = [];
      s.ask(false);
      if (trail.length > 2) s.props.onLasso?.(lasso(s.props.positions, trail, s.shown));
    } else if (!held.moved && held.anchor >= 0) s.props.onPick?.(held.anchor);
  };
  const key = (event: KeyboardEvent) => {
    const s = scene.current!;
    if (!s.window || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrows: Record<string, Point> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const arrow = arrows[event.key];
    if (arrow) {
      const by = ((event.shiftKey ? 100 : 12) * 1) / s.window.scale;
      if (props.walkable && props.tool !== "pan") {
        const [u, v] = s.probe ?? [s.window.u, s.window.v];
        moveProbe(u + arrow[0] * by, v + arrow[1] * by, -2);
      } else {
        s.window = { ...s.window, u: s.window.u + 3 * arrow[0] * by, v: s.window.v + 3 * arrow[1] * by };
        s.ask();
        tell();
      }
    } else if (event.key === "+" || event.key === "=" || event.key === "-") {
      const [x, y] = s.probe && props.walkable ? toScreen(s.window, s.width, s.height, ...s.probe) : [s.width / 2, s.height / 2];
      s.window = zoom(s.window, s.width, s.height, x, y, event.key === "-" ? 0.8 : 1.25);
      s.ask();
      tell();
    } else if (event.key === "0") {
      s.window = fit(s.props.positions, s.width, s.height);
      s.ask();
      tell();
    } else if ("[]{}".includes(event.key)) s.props.onDimension?.("]}".includes(event.key) ? 1 : -1, "{}".includes(event.key) ? 1 : 0);
    else if (event.key === "Enter") {
      const [u, v] = s.probe ?? [s.window.u, s.window.v];
      const index = s.grid.nearest(u, v, 200 / s.window.scale, s.shown);
      if (index >= 0) s.props.onPick?.(index);
    } else if (event.key === "Escape") hover(-1);
    else return;
    event.preventDefault();
  };

  useEffect(() => hover(-1), [props.positions]);
  return (
    <div
      ref={box}
      class={`plane tool-${props.tool}${dragging ? " dragging" : ""}`}
      tabIndex={0}
      role="application"
      aria-roledescription="map of points"
      aria-label={`${props.label}. Arrow keys move, plus and minus zoom, 0 shows all, Enter chooses the nearest point.`}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={up}
      onPointerLeave={() => !drag.current && hover(-1)}
      onKeyDown={key}
    >
      <canvas ref={points} aria-hidden="true" />
      <canvas ref={marks} aria-hidden="true" />
    </div>
  );
}
