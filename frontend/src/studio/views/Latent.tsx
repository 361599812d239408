/** The latent space: points to look into, and a probe to drag through it while the decoder follows. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { floats, type Bundle } from "../../core/bundle";
import { LatestWins } from "../../core/decoder";
import { numberFrom, short } from "../../core/hash";
import { latentAt, project, toPlane, type Plane, type Point, type Window } from "../../core/plane";
import { imagesOf, toRgba, type Pixels } from "../../core/pixels";
import { LatentPlane, type Backdrop, type Tool } from "../../parts/LatentPlane";
import { paint } from "../../parts/Picture";
import { useDark } from "../../parts/theme";
import { getBundle, runPath, type RunInfo } from "../api";
import { useQuery } from "../place";
import { socket } from "../socket";
import { Choice, CopyAs, nice, Panel, Select, Slider, Trouble, useCalm, useLoad } from "../ui";
import { Classes, useClass } from "./Classes";
import { Cohort } from "./Cohort";
import { PointCard } from "./PointCard";
import { PointTable } from "./PointTable";
import { Legend } from "./Legend";
import type { ViewProps } from "./RunPage";

export const planes = [
  ["raw", "Two dimensions"],
  ["pca", "Principal components"],
  ["tsne", "t-SNE"],
  ["umap", "UMAP"],
] as const;

/** What the server told about the points. */
export interface Points {
  bundle: Bundle;
  positions: Float32Array;
  labels: Uint8Array | null;
  errors: Float32Array;
  ids: Int32Array;
  z: Float32Array;
  dim: number;
  plane: Plane | null;
  facts: { axes: string[]; explained: number[] | null; residual: number | null; n: number; total: number; split: string };
}

function readPoints(bundle: Bundle): Points {
  const { labels, ids, origin } = bundle.arrays;
  const basis = floats(bundle, "basis");
  const dim = Number(bundle.facts.dim);
  const none = Number(bundle.facts.none ?? 255);
  const known = labels && labels.data.some((label) => label !== none);
  return {
    bundle,
    positions: floats(bundle, "positions"),
    labels: known ? (labels.data instanceof Uint8Array ? labels.data : Uint8Array.from(labels.data, (label) => (label === none ? 255 : label % 250))) : null,
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

const counts = [1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000];

export function Latent({ info }: ViewProps) {
  const [query, setQuery] = useQuery();
  const dim = info.latent?.dim ?? 2;
  const method = query.plane?.[0] ?? (dim <= 2 ? "raw" : "pca");
  const x = numberFrom(query.x, 0, 0, dim - 1);
  const yAxis = numberFrom(query.y, Math.min(1, dim - 1), 0, dim - 1);
  const split = query.split?.[0] ?? (info.splits.test ? "test" : (Object.keys(info.splits)[0] ?? "test"));
  const n = numberFrom(query.n, Math.min(dim > 256 ? 2000 : 10_000, info.splits[split] ?? 10_000), 1, 100_000);
  const step = query.step?.[0] ? Number(query.step[0]) : null;
  const loaded = useLoad(
    (signal) => getBundle(runPath(info.id, "latents"), { split, n, plane: method, step, ...(method === "raw" ? { x, y_axis: yAxis } : {}) }, signal).then(readPoints),
    [info.id, JSON.stringify(info.stamp), split, n, method, x, yAxis, step],
  );
  const points = loaded.value;
  return (
    <div class="stack">
      <div class="toolbar">
        <Select label="Plane" value={method} options={planes} onChange={(value) => setQuery({ plane: value, u: null, v: null, window: null })} />
        {method === "raw" && dim > 2 && (
          <>
            <Dimension label="Across" value={x} dim={dim} onChange={(value) => setQuery({ x: value, window: null })} />
            <Dimension label="Up" value={yAxis} dim={dim} onChange={(value) => setQuery({ y: value, window: null })} />
          </>
        )}
        {Object.keys(info.splits).length > 1 && <Select label="Part" value={split} options={Object.keys(info.splits).map((name) => [name, name] as const)} onChange={(value) => setQuery({ split: value, n: null, pick: null })} />}
        <Select
          label="Points"
          value={String(n)}
          options={[...new Set([n, ...counts.filter((count) => count <= (info.splits[split] ?? 0)), Math.min(100_000, info.splits[split] ?? n)])].sort((a, b) => a - b).map((count) => [String(count), nice(count)] as const)}
          onChange={(value) => setQuery({ n: value })}
        />
        <Classes info={info} />
        {loaded.loading && <span class="muted small" role="status">{["tsne", "umap"].includes(method) ? "Mapping neighbours; this takes some seconds …" : "Encoding …"}</span>}
      </div>
      {loaded.error && <Trouble>{loaded.error}</Trouble>}
      {points && <Explorer key={`${info.id} ${split}`} info={info} points={points} method={method} split={split} step={step} dims={[x, yAxis]} />}
    </div>
  );
}

const Dimension = ({ label, value, dim, onChange }: { label: string; value: number; dim: number; onChange: (value: number) => void }) => (
  <Select label={label} value={String(value)} options={Array.from({ length: dim }, (_, i) => [String(i), `z${i}`] as const)} onChange={(text) => onChange(Number(text))} />
);

interface View {
  window: Window;
  width: number;
  height: number;
  byUser: boolean;
}

/** A window from a link: where it looks, and its scale. */
function windowFrom(values: string[] | undefined): Window | null {
  const [u, v, scale] = values?.[0]?.split(",").map(Number) ?? [];
  return [u, v, scale].every(Number.isFinite) && scale > 0 ? { u, v, scale } : null;
}

interface ExplorerProps {
  info: RunInfo;
  points: Points;
  method: string;
  split: string;
  step: number | null;
  dims: [number, number];
}

function Explorer({ info, points, method, split, step, dims }: ExplorerProps) {
  const dark = useDark();
  const [query, setQuery] = useQuery();
  const [hover, setHover] = useState(-1);
  const [cohort, setCohort] = useState<number[]>([]);
  const [view, setView] = useState<View | null>(null);
  const tool = (query.tool?.[0] ?? "walk") as Tool;
  const hidden = useMemo(() => new Set((query.hide ?? []).map(Number)), [query.hide?.join()]);
  const picked = numberFrom(query.pick, -1, -1, points.positions.length / 2 - 1);
  const opacity = numberFrom(query.clear, 1, 0, 1);
  const probe = useProbe({ info, points, step, onNearest: (index) => setQuery({ pick: index }) });
  const backdrop = useBackdrop({ info, points, method, dims, split, step, view, on: query.decoded?.[0] === "1" });
  const planeKey = `${method} ${dims.join()}`;
  const kept = useMemo(() => ({ key: planeKey, window: windowFrom(query.window) }), []);
  const start = kept.key === planeKey ? kept.window : null; // a link's window is for the link's plane
  const shownAt = hover >= 0 ? hover : picked;
  const calmView = useCalm(view, 400);
  useEffect(() => {
    if (calmView?.byUser) setQuery({ window: [calmView.window.u, calmView.window.v, calmView.window.scale].map(short).join(",") });
  }, [calmView]);
  const shown = (i: number) => !points.labels || !hidden.has(points.labels[i]);
  const takeView = () => {
    if (!view) return;
    const [left, high] = toPlane(view.window, view.width, view.height, 0, 0);
    const [right, low] = toPlane(view.window, view.width, view.height, view.width, view.height);
    const within: number[] = [];
    for (let i = 0; i < points.positions.length / 2; i++) {
      const [u, v] = [points.positions[2 * i], points.positions[2 * i + 1]];
      if (u >= left && u <= right && v >= low && v <= high && shown(i)) within.push(i);
    }
    setCohort(within);
  };
  const change = (by: -1 | 1, axis: 0 | 1) => {
    if (method !== "raw" || points.dim <= 2) return;
    const next = (dims[axis] + by + points.dim) % points.dim;
    setQuery({ [axis ? "y" : "x"]: next, window: null });
  };
  return (
    <>
      <div class="explorer">
        <Panel class="plane-panel">
          <div class="toolbar">
            <Choice
              label="What dragging does"
              value={tool}
              options={[
                ["walk", points.plane ? "Walk" : "Nearest"],
                ["pan", "Move"],
                ["lasso", "Lasso"],
              ]}
              onChange={(value) => setQuery({ tool: value })}
            />
            {points.plane && (
              <label class="check">
                <input type="checkbox" checked={query.decoded?.[0] === "1"} onChange={(event) => setQuery({ decoded: event.currentTarget.checked ? 1 : null })} /> decoded behind
              </label>
            )}
            <Slider label="Points" value={opacity} min={0} max={1} step={0.05} shown={`${Math.round(100 * opacity)} %`} onInput={(value) => setQuery({ clear: value === 1 ? null : value })} />
            <button type="button" class="quiet" onClick={takeView}>
              Take what is in view
            </button>
          </div>
          <div class="plane-box">
            <LatentPlane
              key={planeKey}
              positions={points.positions}
              labels={points.labels}
              dark={dark}
              tool={tool}
              hidden={hidden}
              window={start}
              onWindow={(window, width, height, byUser) => setView({ window, width, height, byUser })}
              probe={probe.at}
              walkable
              onProbe={probe.move}
              onHover={setHover}
              onPick={(index) => setQuery({ pick: index })}
              onLasso={setCohort}
              onDimension={change}
              marked={cohort}
              chosen={picked}
              backdrop={backdrop.shown}
              opacity={opacity}
              label={`${nice(points.facts.n)} encodings on the plane of ${points.facts.axes.join(" and ")}`}
            />
            <span class="axis across">{points.facts.axes[0]}</span>
            <span class="axis up">{points.facts.axes[1]}</span>
          </div>
          <PlaneWords points={points} method={method} />
          {backdrop.error && <Trouble>{backdrop.error}</Trouble>}
          {points.labels && <Legend labels={points.labels} classes={info.classes} hidden={hidden} dark={dark || Boolean(backdrop.shown)} onHide={(next) => setQuery({ hide: [...next] })} />}
        </Panel>
        <div class="beside">
          {points.plane && (
            <Panel title="At the probe" class="probe-panel">
              <canvas ref={probe.canvas} role="img" aria-label="What the decoder makes of the probe's place" class="picture probe" width={1} height={1} />
              {probe.error && <Trouble>{probe.error}</Trouble>}
              <Readout z={probe.z} />
            </Panel>
          )}
          <PointCard info={info} index={shownAt < 0 ? -1 : points.ids[shownAt]} split={split} step={step} onGo={(id) => setQuery({ pick: points.ids.indexOf(id) })} />
        </div>
      </div>
      <Cohort info={info} points={points} chosen={cohort} split={split} step={step} onClear={() => setCohort([])} />
      <PointTable points={points} classes={info.classes} chosen={cohort} picked={picked} onPick={(index) => setQuery({ pick: index })} />
      <CopyAs {...copies(info, method, split, points.facts.n)} />
    </>
  );
}

function copies(info: RunInfo, method: string, split: string, n: number): { command: string; python: string } {
  const { command, python } = info.copy.latent;
  const projection = method === "raw" ? "none" : method;
  return {
    command: `${command} --split ${split} --n ${n} --projection ${projection}`,
    python: python.replace("embed()", `embed(split="${split}", n=${n}, projection="${projection}")`),
  };
}

/** What the plane is, and what it leaves out. */
function PlaneWords({ points, method }: { points: Points; method: string }) {
  const { explained, residual } = points.facts;
  const n = `${nice(points.facts.n)} of ${nice(points.facts.total)} samples.`;
  if (!points.plane)
    return <p class="muted small">{`${n} A map of neighbours: there is no way back from it to latents, so dragging shows the nearest real sample.`}</p>;
  if (points.dim <= 2) return <p class="muted small">{n} The whole latent space. Dragging decodes every point of it.</p>;
  const share = explained?.reduce((sum, one) => sum + one, 0);
  return (
    <p class="muted small">
      {n} {method === "pca" ? "The plane of the largest variance" : "Two dimensions, the others at their means"}: it holds {share === undefined ? "some" : `${Math.round(100 * share)} %`} of the variance; points lie{" "}
      {nice(residual)} from it (root mean square). A drag that begins at a point keeps what that point has outside the plane.
    </p>
  );
}

/** z in numbers. */
function Readout({ z }: { z: Float32Array | null }) {
  const [all, setAll] = useState(false);
  if (!z) return <p class="muted small">Drag in the plane, or focus it and use the arrow keys.</p>;
  const shown = all ? [...z] : [...z].slice(0, 12);
  return (
    <div class="readout">
      {shown.map((value, i) => (
        <span key={i}>
          <span class="muted">z{i}</span> {value.toFixed(2).replace("-", "−")}
        </span>
      ))}
      {z.length > 12 && (
        <button type="button" class="quiet" onClick={() => setAll(!all)}>
          {all ? "fewer" : `all ${z.length}`}
        </button>
      )}
    </div>
  );
}

interface ProbeOptions {
  info: RunInfo;
  points: Points;
  step: number | null;
  onNearest: (index: number) => void;
}

/** The probe: its place is sent to the decoder at once, and what comes back is painted past Preact. */
function useProbe({ info, points, step, onNearest }: ProbeOptions) {
  const [query, setQuery] = useQuery();
  const [y] = useClass(info);
  const canvas = useRef<HTMLCanvasElement>(null);
  const anchor = useRef<Float32Array | null>(null);
  const [z, setZ] = useState<Float32Array | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [at, setAt] = useState<Point | null>(() => (query.u && query.v ? [numberFrom(query.u, 0), numberFrom(query.v, 0)] : null));
  const frame = useRef(0);
  const calmAt = useCalm(at, 300);
  const queue = useMemo(() => {
    const decoder = socket.decoder(info.id, step);
    const show = (pixels: Pixels) => canvas.current && paint(canvas.current, pixels);
    return new LatestWins<Float32Array, Pixels>(
      (wished) => decoder.decode(wished, y),
      (pixels) => {
        show(pixels);
        setError(null);
      },
      (fault) => fault.message !== "overtaken" && setError(fault.message),
    );
  }, [info.id, JSON.stringify(info.stamp), step, y]);
  useEffect(() => () => queue.close(), [queue]);

  const move = (u: number, v: number, from: number) => {
    if (from >= -1) anchor.current = from >= 0 && points.plane ? (latentOf(points, from)?.slice() ?? null) : null;
    if (!points.plane) {
      const index = nearestTo(points.positions, u, v);
      if (index >= 0) onNearest(index);
    } else {
      const wished = latentAt(points.plane, u, v, anchor.current);
      queue.push(wished);
      cancelAnimationFrame(frame.current);
      frame.current = requestAnimationFrame(() => setZ(wished));
    }
    cancelAnimationFrame(later.current);
    later.current = requestAnimationFrame(() => setAt([u, v]));
  };
  const later = useRef(0);

  // A link, a new plane, a new class or new weights: what stands at the probe is decoded again.
  useEffect(() => {
    if (!points.plane) return;
    const place: Point = at ?? [0, 0];
    const wished = latentAt(points.plane, ...place, anchor.current);
    queue.push(wished);
    setZ(wished);
    if (!at) setAt(project(points.plane, wished));
  }, [queue, points]);
  useEffect(() => {
    if (calmAt) setQuery({ u: short(calmAt[0]), v: short(calmAt[1]) });
  }, [calmAt]);
  return { canvas, at, z, error, move };
}

function nearestTo(positions: Float32Array, u: number, v: number): number {
  let best = -1;
  let least = Infinity;
  for (let i = 0; i < positions.length / 2; i++) {
    const distance = (positions[2 * i] - u) ** 2 + (positions[2 * i + 1] - v) ** 2;
    if (distance < least) [least, best] = [distance, i];
  }
  return best;
}

interface BackdropOptions {
  info: RunInfo;
  points: Points;
  method: string;
  dims: [number, number];
  split: string;
  step: number | null;
  view: View | null;
  on: boolean;
}

/** The part of the plane that is in view, decoded in rows and columns of square pictures. */
function useBackdrop({ info, points, method, dims, split, step, view, on }: BackdropOptions): { shown: Backdrop | null; error: string | null } {
  const [y] = useClass(info);
  const calm = useCalm(view, 250);
  const bounds = useMemo(() => {
    const positions = points.positions;
    if (!calm) {
      let [low, high] = [Infinity, -Infinity];
      for (const value of positions) [low, high] = [Math.min(low, value), Math.max(high, value)];
      return [low, high, low, high];
    }
    const side = Math.max(calm.width, calm.height) / calm.window.scale / 2;
    return [calm.window.u - side, calm.window.u + side, calm.window.v - side, calm.window.v + side];
  }, [calm, points]);
  const applies = on && points.plane && info.event?.kind === "image" && points.positions.length > 0;
  const found = useLoad(
    applies
      ? (signal) =>
          getBundle(runPath(info.id, "manifold"), { x0: bounds[0], x1: bounds[1], y0: bounds[2], y1: bounds[3], n: 24, plane: method, split, step, y, samples: points.facts.n, ...(method === "raw" ? { x: dims[0], y_axis: dims[1] } : {}) }, signal).then((bundle) => sheetOf(bundle))
      : null,
    [info.id, JSON.stringify(info.stamp), applies, bounds.join(), method, dims.join(), y, step],
  );
  return { shown: applies ? found.value : null, error: applies ? found.error : on && info.event?.kind === "vector" ? "Vectors cannot be drawn behind the points." : null };
}

function sheetOf(bundle: Bundle): Backdrop {
  const frames = imagesOf(bundle);
  const n = Number(bundle.facts.n);
  const { width, height } = frames[0];
  const image = document.createElement("canvas");
  image.width = n * width;
  image.height = n * height;
  const context = image.getContext("2d")!;
  frames.forEach((frame, i) => context.putImageData(new ImageData(toRgba(frame) as Uint8ClampedArray<ArrayBuffer>, width, height), (i % n) * width, Math.floor(i / n) * height));
  const [x0, x1, y0, y1] = ["x0", "x1", "y0", "y1"].map((name) => Number(bundle.facts[name]));
  const [dx, dy] = [(x1 - x0) / (n - 1) / 2, (y1 - y0) / (n - 1) / 2];
  return { image, left: x0 - dx, right: x1 + dx, low: y0 - dy, high: y1 + dy };
}
