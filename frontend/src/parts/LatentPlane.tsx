/**
 * The latent plane: points, what is decoded behind them, and a probe that is dragged through it.
 *
 * It knows neither server nor decoder: it draws what it is given (see `scene`) and says where the user is.
 */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { fit, lasso, pan, toPlane, toScreen, zoom, type Point } from "../core/plane";
import { Grid, mixed } from "../core/splat";
import { Scene, type LatentPlaneProps, type Tool } from "./scene";

export type { Backdrop, LatentPlaneProps, Tool } from "./scene";

interface Drag {
  kind: Tool;
  anchor: number;
  last: Point;
  moved: boolean;
  /** Where the plane lies while it is dragged in. */
  edge: DOMRect;
  /** Whether the browser tells of moves as they come, and not only once for each frame. */
  early: boolean;
}

const REACH = 12; // pixels within which a point counts as pointed at

export function LatentPlane(props: LatentPlaneProps) {
  const box = useRef<HTMLDivElement>(null);
  const points = useRef<HTMLCanvasElement>(null);
  const marks = useRef<HTMLCanvasElement>(null);
  const mark = useRef<SVGSVGElement>(null);
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
    const s = (scene.current = new Scene(points.current!, marks.current!, mark.current!));
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
      s.move();
      tell();
    };
    box.current!.addEventListener("wheel", wheel, { passive: false });
    const target = box.current!;
    // As moves come, so that what is decoded does not wait for the next frame to be asked for.
    const early = (event: Event) => {
      const held = drag.current;
      if (held?.kind !== "walk" || !s.props.early) return;
      held.early = true;
      walk(event as PointerEvent, held);
    };
    target.addEventListener("pointerrawupdate", early);
    return () => {
      observer.disconnect();
      target.removeEventListener("wheel", wheel);
      target.removeEventListener("pointerrawupdate", early);
      s.stop();
    };
  }, []);

  const shownFor = useRef<Float32Array | null>(null);
  const toldProbe = useRef<Point | null | undefined>(undefined);
  const drawnFor = useRef<unknown[]>([]);
  useLayoutEffect(() => {
    const s = scene.current!;
    s.props = props;
    s.grid = grid;
    s.drawn = drawn;
    if (props.probe !== toldProbe.current && !drag.current && props.probe !== undefined) s.probe = props.probe;
    toldProbe.current = props.probe;
    const before = s.window;
    if (s.width && (!s.window || (shownFor.current && shownFor.current !== props.positions && !props.window))) s.window = props.window ?? fit(props.positions, s.width, s.height);
    shownFor.current = props.positions;
    if (s.window !== before) tell(false);
    // All the points are drawn again only for what they show, the marks for what they show, and the probe is shifted.
    const shows = [props.positions, props.labels, props.dark, props.hidden, props.marked, props.backdrop, props.opacity, props.chosen];
    const changed = shows.map((value, i) => value !== drawnFor.current[i]);
    if (s.window !== before || changed.some(Boolean)) s.ask(s.window !== before || changed.slice(0, -1).some(Boolean));
    else s.follow();
    drawnFor.current = shows;
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
    s.followSoon();
  };

  const down = (event: PointerEvent) => {
    const s = scene.current!;
    const place = at(event);
    touches.current.set(event.pointerId, place);
    if (event.button > 1 || !s.window) return;
    box.current!.setPointerCapture(event.pointerId);
    const kind: Tool = event.button === 1 || event.shiftKey || touches.current.size > 1 ? "pan" : props.tool === "walk" && !props.walkable ? "pan" : props.tool;
    const anchor = nearest(...place);
    drag.current = { kind, anchor, last: place, moved: false, edge: box.current!.getBoundingClientRect(), early: false };
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
    s.move();
    tell();
    return true;
  };
  const walk = (event: PointerEvent, held: Drag) => {
    const s = scene.current!;
    if (!s.window) return;
    const [x, y] = [event.clientX - held.edge.left, event.clientY - held.edge.top];
    if (Math.hypot(x - held.last[0], y - held.last[1]) > 2) held.moved = true;
    moveProbe(...toPlane(s.window, s.width, s.height, x, y), held.anchor);
  };
  const move = (event: PointerEvent) => {
    const s = scene.current!;
    const held = drag.current;
    if (held?.early && touches.current.size < 2) return;
    const place = at(event);
    if (pinch(event, place)) return;
    if (!held || !s.window) return hover(nearest(...place));
    if (held.kind === "walk") return walk(event, held);
    const [dx, dy] = [place[0] - held.last[0], place[1] - held.last[1]];
    if (Math.hypot(dx, dy) > 2) held.moved = true;
    held.last = place;
    if (held.kind === "pan") {
      s.window = pan(s.window, dx, dy);
      s.move();
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
      <svg ref={mark} class={props.backdrop ? "mark on-picture" : "mark"} width="34" height="34" viewBox="-17 -17 34 34" aria-hidden="true">
        {["edge", "line"].map((kind) => (
          <path key={kind} class={kind} d="M8 0A8 8 0 1 1-8 0A8 8 0 1 1 8 0M8 0H16M-8 0H-16M0 8V16M0-8V-16" />
        ))}
      </svg>
    </div>
  );
}
