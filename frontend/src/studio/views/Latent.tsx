/** The latent space: points to look into, and a probe to drag through it while the decoder follows. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { numberFrom, short } from "../../core/hash";
import { toPlane, type Window } from "../../core/plane";
import { LatentPlane, type Tool } from "../../parts/LatentPlane";
import { useDark } from "../../parts/theme";
import { getBundle, runPath, type RunInfo } from "../api";
import { argumentsOf, atStep, commandOf, literal, pythonOf, type Copies } from "../copies";
import { useQuery } from "../place";
import { Choice, CopyAs, Cut, nice, Panel, Select, Slider, Trouble, useCalm, useLoad } from "../ui";
import { Classes } from "./Classes";
import { Cohort } from "./Cohort";
import { PointCard } from "./PointCard";
import { PointTable } from "./PointTable";
import { Legend } from "./Legend";
import { useBackdrop } from "./backdrop";
import { readPoints, type Points, type View } from "./points";
import { useProbe } from "./probe";
import type { ViewProps } from "./RunPage";

export const planes = [
  ["raw", "Two dimensions"],
  ["pca", "Principal components"],
  ["tsne", "t-SNE"],
  ["umap", "UMAP"],
] as const;

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
    (signal) =>
      getBundle(runPath(info.id, "latents"), { split, n, plane: method, step, ...(method === "raw" ? { x, y_axis: yAxis } : {}) }, signal).then((bundle) => ({ points: readPoints(bundle), method })),
    [info.id, JSON.stringify(info.stamp), split, n, method, x, yAxis, step],
  );
  const points = loaded.value?.points;
  const waits = loaded.value?.method !== method; // what is seen is another plane, whose places mean nothing on the next one
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
      {points && (
        <div class={waits ? "stack waits" : "stack"} inert={waits}>
          <Explorer key={`${info.id} ${split} ${loaded.value!.method}`} info={info} points={points} method={loaded.value!.method} split={split} step={step} dims={[x, yAxis]} />
        </div>
      )}
    </div>
  );
}

const Dimension = ({ label, value, dim, onChange }: { label: string; value: number; dim: number; onChange: (value: number) => void }) => (
  <Select label={label} value={String(value)} options={Array.from({ length: dim }, (_, i) => [String(i), `z${i}`] as const)} onChange={(text) => onChange(Number(text))} />
);

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
  const latest = useRef<View | null>(null);
  const timer = useRef(0);
  const look = (seen: View) => {
    latest.current = seen;
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setView(latest.current), 120); // nothing else is rendered while the plane moves
  };
  useEffect(() => setCohort([]), [points.positions.length]); // its numbers were those of other points
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
    const view = latest.current;
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
            {points.plane && info.event?.kind === "image" && (
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
              onWindow={(window, width, height, byUser) => look({ window, width, height, byUser })}
              probe={probe.at}
              walkable
              onProbe={probe.move}
              early={points.plane !== null}
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
          <Cut bundle={points.bundle} />
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
      <CopyAs {...copies(info, { method, split, step, dims, n: points.facts.n, dim: points.dim })} />
    </>
  );
}

interface Shown {
  method: string;
  split: string;
  step: number | null;
  dims: [number, number];
  n: number;
  dim: number;
}

/** The same points: a command where one shows them; a snapshot, or two dimensions out of many, only Python. */
function copies(info: RunInfo, { method, split, step, dims, n, dim }: Shown): Copies {
  const raw = method === "raw";
  const some = raw && dim > 2;
  const projection = raw ? (some ? "auto" : "none") : method;
  const made = `run.embed(${argumentsOf({ n, split, projection })})`;
  return {
    command: step === null && !some ? commandOf("embed", info.path, { n, split, projection }) : null,
    python: pythonOf(info.path, ...atStep(step), some ? `points = ${made}.latents.flatten(1)[:, ${literal(dims)}]` : made),
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

