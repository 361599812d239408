/** The latent plane with a probe, traversals and samples of one run; decoding happens wherever `batches` does it. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { LatestWins } from "../core/decoder";
import { colourOf } from "../core/palette";
import type { Pixels } from "../core/pixels";
import { latentAt, project, toPlane, type Point, type Window } from "../core/plane";
import { LatentPlane, type Backdrop } from "../parts/LatentPlane";
import { paint, Picture, Sheet, paintSheet } from "../parts/Picture";
import { useDark } from "../parts/theme";
import { latentOf, rawPlane, reach, type Batches, type Scene } from "./scene";

const STEPS = 9; // of a traversal
const ROWS = 8; // dimensions that are shown at first
const SAMPLES = 48; // at once
const BEHIND = 16; // pictures along each side of what is decoded behind the points

interface Props {
  scene: Scene;
  batches: Batches;
}

/** Decodes the latest wish; what came before it stays. */
function useDecoded(batches: Batches, z: Float32Array | null, n: number, y: number | null | readonly number[]): { shown: Pixels[]; error: string | null } {
  const [shown, setShown] = useState<Pixels[]>([]);
  const [error, setError] = useState<string | null>(null);
  const queue = useMemo(
    () =>
      new LatestWins<{ z: Float32Array; n: number; y: typeof y }, Pixels[]>(
        (wish) => batches.decode(wish.z, wish.n, wish.y),
        (pixels) => (setShown(pixels), setError(null)),
        (fault) => setError(fault.message),
      ),
    [batches],
  );
  useEffect(() => () => queue.close(), [queue]);
  useEffect(() => {
    if (z) queue.push({ z, n, y });
  }, [queue, z, n, JSON.stringify(y)]);
  return { shown: z ? shown : [], error };
}

export function Explorer({ scene, batches }: Props) {
  const { facts } = scene;
  const [y, setY] = useState<number | null>(facts.conditional ? 0 : null);
  const [z, setZ] = useState<Float32Array>(() => (facts.walkable ? scene.mean.slice() : latentOf(scene, 0).slice()));
  return (
    <div class="stack explorer-parts">
      <Space scene={scene} batches={batches} z={z} onZ={setZ} y={y} onY={setY} />
      {facts.walkable && <Traversals scene={scene} batches={batches} z={z} y={y} />}
      <Samples scene={scene} batches={batches} y={y} />
    </div>
  );
}

interface SpaceProps extends Props {
  z: Float32Array;
  onZ: (z: Float32Array) => void;
  y: number | null;
  onY: (y: number) => void;
}

function Space({ scene, batches, z, onZ, y, onY }: SpaceProps) {
  const { facts } = scene;
  const dark = useDark();
  const [dims, setDims] = useState<[number, number] | null>(null); // null: the plane that came with the scene
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set());
  const [hover, setHover] = useState(-1);
  const [picked, setPicked] = useState(-1);
  const [view, setView] = useState<{ window: Window; width: number; height: number } | null>(null);
  const [behind, setBehind] = useState(false);
  const seen = useMemo(() => (dims ? rawPlane(scene, ...dims) : { plane: scene.plane, positions: scene.positions }), [scene, dims?.join()]);
  const probe = useProbe(batches, y);
  const anchor = useRef<Float32Array | null>(null);
  const backdrop = useBackdrop({ batches, seen, view, y, on: behind && facts.walkable && facts.kind === "image" });

  useEffect(() => {
    if (facts.walkable) probe.push(z);
    else if (scene.z.length) probe.push(latentOf(scene, Math.max(0, picked)).slice());
  }, [probe.queue, picked]);
  const move = (u: number, v: number, from: number) => {
    if (!facts.walkable) return;
    if (from >= -1) anchor.current = from >= 0 ? latentOf(scene, from) : null;
    const wished = latentAt(seen.plane, u, v, anchor.current);
    probe.push(wished);
    onZ(wished);
  };
  const pick = (index: number) => {
    setPicked(index);
    if (facts.conditional && scene.labels && scene.labels[index] < facts.classes.length) onY(scene.labels[index]);
  };
  const turn = (by: number, axis: 0 | 1) => {
    if (!dims) return;
    const next: [number, number] = [...dims];
    next[axis] = (next[axis] + by + facts.dim) % facts.dim;
    setDims(next);
  };
  const shown = hover >= 0 ? hover : picked;
  const at = useMemo(() => (facts.walkable ? project(seen.plane, z) : null), [seen, z]);
  const axes = dims ? [`z${dims[0]}`, `z${dims[1]}`] : facts.axes;
  return (
    <section class="panel" aria-labelledby="space">
      <header>
        <h2 id="space">Latent space</h2>
        <div class="aside">
          {facts.dim > 2 && <Planes facts={facts} dims={dims} onDims={setDims} />}
          {facts.walkable && facts.kind === "image" && (
            <label class="check">
              <input type="checkbox" checked={behind} onChange={(event) => setBehind(event.currentTarget.checked)} /> decoded behind
            </label>
          )}
        </div>
      </header>
      <div class="explorer">
        <div>
          <div class="plane-box">
            <LatentPlane
              key={dims?.join() ?? "given"}
              positions={seen.positions}
              labels={scene.labels}
              dark={dark}
              tool={facts.walkable ? "walk" : "pan"}
              hidden={hidden}
              probe={at as Point | null}
              walkable={facts.walkable}
              onProbe={move}
              onHover={setHover}
              onPick={pick}
              onDimension={turn}
              onWindow={(window, width, height) => setView({ window, width, height })}
              chosen={picked}
              backdrop={backdrop}
              label={`${facts.source} on the plane of ${axes.join(" and ")}`}
            />
            <span class="axis across">{axes[0]}</span>
            <span class="axis up">{axes[1]}</span>
          </div>
          {scene.labels && <Legend scene={scene} hidden={hidden} onHidden={setHidden} dark={dark || Boolean(backdrop)} />}
          <p class="muted small words">{wordsOf(scene, dims)}</p>
        </div>
        <div class="beside">
          <figure class="probe-box">
            <canvas ref={probe.canvas} role="img" aria-label={facts.walkable ? "What the decoder makes of the probe's place" : "The reconstruction of the chosen point"} class="picture probe" width={1} height={1} />
            <figcaption>{facts.walkable ? "decoded at the probe" : "reconstruction"}</figcaption>
          </figure>
          {facts.conditional && (
            <label class="labelled">
              <span>as class</span>
              <select value={String(y)} onChange={(event) => onY(Number(event.currentTarget.value))}>
                {facts.classes.map((name, i) => (
                  <option value={i}>{name}</option>
                ))}
              </select>
            </label>
          )}
          {probe.error && (
            <p class="trouble" role="alert">
              {probe.error}
            </p>
          )}
          {facts.walkable && <Readout z={z} order={facts.order} />}
          <PointCard scene={scene} index={shown} />
        </div>
      </div>
    </section>
  );
}

/** The probe is painted past Preact, so that the picture follows the pointer. */
function useProbe(batches: Batches, y: number | null) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [error, setError] = useState<string | null>(null);
  const last = useRef<Float32Array | null>(null);
  const queue = useMemo(
    () =>
      new LatestWins<Float32Array, Pixels[]>(
        (wished) => batches.decode(wished, 1, y),
        ([pixels]) => {
          if (canvas.current) paint(canvas.current, pixels);
        },
        (fault) => setError(fault.message),
      ),
    [batches, y],
  );
  useEffect(() => {
    if (last.current) queue.push(last.current);
    return () => queue.close();
  }, [queue]);
  const push = (z: Float32Array) => {
    last.current = z;
    queue.push(z);
  };
  return { canvas, queue, push, error };
}

function wordsOf({ facts, z }: Scene, dims: [number, number] | null): string {
  const n = (z.length / facts.dim).toLocaleString("en");
  const many = `${n} of ${facts.total.toLocaleString("en")} ${facts.source}.`;
  if (!facts.walkable) return `${many} ${facts.why} Point at one to see it; click to choose it.`;
  if (facts.dim <= 2) return `${many} This is the whole latent space: drag, and every place is decoded.`;
  const kept = "A drag that begins at a point keeps what that point has outside the plane.";
  if (dims) return `${many} Two of ${facts.dim} dimensions, the others at their mean. ${kept}`;
  const share = Math.round(100 * (facts.explained ?? []).reduce((sum, one) => sum + one, 0));
  return `${many} The plane of the largest variance holds ${share} % of it. ${kept}`;
}

function Planes({ facts, dims, onDims }: { facts: Scene["facts"]; dims: [number, number] | null; onDims: (dims: [number, number] | null) => void }) {
  const pick = (axis: 0 | 1) => (event: { currentTarget: HTMLSelectElement }) => {
    const next: [number, number] = [...(dims ?? [0, 1])];
    next[axis] = Number(event.currentTarget.value);
    onDims(next);
  };
  const listed = [...facts.order].slice(0, 200).sort((a, b) => a - b);
  return (
    <>
      <label class="labelled">
        <span>plane of</span>
        <select value={dims ? "raw" : "pca"} onChange={(event) => onDims(event.currentTarget.value === "pca" ? null : [facts.order[0], facts.order[1]])}>
          <option value="pca">principal components</option>
          <option value="raw">two dimensions</option>
        </select>
      </label>
      {dims &&
        ([0, 1] as const).map((axis) => (
          <label class="labelled">
            <span>{axis ? "up" : "across"}</span>
            <select value={String(dims[axis])} onChange={pick(axis)}>
              {listed.map((dim) => (
                <option value={dim}>z{dim}</option>
              ))}
            </select>
          </label>
        ))}
    </>
  );
}

function Legend({ scene, hidden, onHidden, dark }: { scene: Scene; hidden: ReadonlySet<number>; onHidden: (hidden: ReadonlySet<number>) => void; dark: boolean }) {
  const present = useMemo(() => new Set(scene.labels), [scene]);
  const toggle = (label: number) => {
    const next = new Set(hidden);
    if (!next.delete(label)) next.add(label);
    onHidden(next);
  };
  return (
    <div class="legend" role="group" aria-label="Classes that are shown">
      {scene.facts.classes.map(
        (name, label) =>
          present.has(label) && (
            <button type="button" class="chip" aria-pressed={!hidden.has(label)} onClick={() => toggle(label)}>
              <span class="dot" style={{ background: colourOf(label, dark) }} />
              {name}
            </button>
          ),
      )}
    </div>
  );
}

function Readout({ z, order }: { z: Float32Array; order: number[] }) {
  const shown = order.slice(0, 6).sort((a, b) => a - b);
  return (
    <div class="readout">
      {shown.map((dim) => (
        <span key={dim}>
          <span class="muted">z{dim}</span> {z[dim].toFixed(2).replace("-", "−")}
        </span>
      ))}
      {order.length > shown.length && <span class="muted">and {order.length - shown.length} more</span>}
    </div>
  );
}

function PointCard({ scene, index }: { scene: Scene; index: number }) {
  const { facts, originals, labels } = scene;
  if (index < 0) return <p class="muted small">Point at an encoding to see the {facts.kind} that it stands for.</p>;
  const name = labels && labels[index] < facts.classes.length ? facts.classes[labels[index]] : null;
  return (
    <figure>
      {originals[index] ? <Picture pixels={originals[index]} label={`Original ${index}`} size={104} /> : <p class="muted small">Its original is not in this page.</p>}
      <figcaption>
        original #{index}
        {name !== null && `, ${name}`}
      </figcaption>
    </figure>
  );
}

interface BackdropOptions {
  batches: Batches;
  seen: ReturnType<typeof rawPlane>;
  view: { window: Window; width: number; height: number } | null;
  y: number | null;
  on: boolean;
}

/** What is in view, decoded in rows and columns. */
function useBackdrop({ batches, seen, view, y, on }: BackdropOptions): Backdrop | null {
  const [calm, setCalm] = useState(view);
  useEffect(() => {
    const timer = setTimeout(() => setCalm(view), 200);
    return () => clearTimeout(timer);
  }, [view]);
  const bounds = useMemo(() => {
    if (!on) return null;
    const { window, width, height } = calm ?? { window: null, width: 0, height: 0 };
    if (!window) {
      const all = Array.from(seen.positions, Math.abs).sort((a, b) => a - b);
      const side = (all[Math.floor(0.99 * (all.length - 1))] || 3) * 1.2;
      return { left: -side, right: side, low: -side, high: side };
    }
    const [left, high] = toPlane(window, width, height, 0, 0);
    const [right, low] = toPlane(window, width, height, width, height);
    const side = Math.max(right - left, high - low) / 2;
    const [u, v] = [(left + right) / 2, (low + high) / 2];
    return { left: u - side, right: u + side, low: v - side, high: v + side };
  }, [calm, on, seen]);
  const z = useMemo(() => {
    if (!bounds) return null;
    const cell = (bounds.right - bounds.left) / BEHIND;
    const rows: number[] = [];
    for (let j = 0; j < BEHIND; j++)
      for (let i = 0; i < BEHIND; i++) rows.push(...latentAt(seen.plane, bounds.left + (i + 0.5) * cell, bounds.high - (j + 0.5) * cell));
    return Float32Array.from(rows);
  }, [bounds]);
  const { shown } = useDecoded(batches, z, BEHIND * BEHIND, y);
  return useMemo(() => {
    if (!bounds || shown.length !== BEHIND * BEHIND) return null;
    const { width, height } = shown[0];
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [BEHIND * width, BEHIND * height];
    const context = canvas.getContext("2d")!;
    const small = document.createElement("canvas");
    shown.forEach((pixels, i) => {
      paint(small, pixels);
      context.drawImage(small, (i % BEHIND) * width, Math.floor(i / BEHIND) * height);
    });
    return { image: canvas, ...bounds };
  }, [shown, bounds]);
}

interface TraversalsProps extends Props {
  z: Float32Array;
  y: number | null;
}

function Traversals({ scene, batches, z, y }: TraversalsProps) {
  const { facts } = scene;
  const [all, setAll] = useState(false);
  const [fromProbe, setFromProbe] = useState(false);
  const live = useMemo(() => facts.order.filter((dim) => facts.active[dim]), [facts]);
  const ranked = live.length ? live : facts.order;
  const dims = all ? ranked.slice(0, 64) : ranked.slice(0, ROWS);
  const start = fromProbe ? z : scene.mean;
  const most = Math.max(...(facts.rates ?? [0]), 1e-9);
  return (
    <section class="panel" aria-labelledby="traversals">
      <header>
        <h2 id="traversals">One dimension at a time</h2>
        <div class="aside">
          <label class="check">
            <input type="checkbox" checked={fromProbe} onChange={(event) => setFromProbe(event.currentTarget.checked)} /> start from the probe
          </label>
        </div>
      </header>
      <div class="dims">
        {dims.map((dim) => (
          <Row key={dim} scene={scene} batches={batches} dim={dim} start={start} y={y} share={facts.rates ? facts.rates[dim] / most : null} />
        ))}
      </div>
      <p class="muted small words">
        {facts.unit === "z" ? "From −3 to 3" : "Three standard deviations to each side"}, the others {fromProbe ? "as at the probe" : "at their mean"}; ordered by {facts.rates ? "rate" : "spread"}.
        {live.length > 0 && live.length < facts.order.length && ` Left out: ${facts.order.length - live.length} of ${facts.order.length} dimensions, which carry next to nothing.`}
      </p>
      {ranked.length > ROWS && (
        <button type="button" class="more" onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show all ${Math.min(64, ranked.length)}`}
        </button>
      )}
    </section>
  );
}

interface RowProps extends Props {
  dim: number;
  start: Float32Array;
  y: number | null;
  share: number | null;
}

function Row({ scene, batches, dim, start, y, share }: RowProps) {
  const { facts } = scene;
  const dark = useDark();
  const [low, high] = reach(scene, dim);
  const [value, setValue] = useState<number | null>(null);
  const strip = useMemo(() => {
    const rows = new Float32Array(STEPS * facts.dim);
    for (let step = 0; step < STEPS; step++) {
      rows.set(start, step * facts.dim);
      rows[step * facts.dim + dim] = low + ((high - low) * step) / (STEPS - 1);
    }
    return rows;
  }, [start, dim]);
  const one = useMemo(() => {
    const moved = start.slice();
    moved[dim] = value ?? start[dim];
    return moved;
  }, [start, value, dim]);
  const { shown } = useDecoded(batches, strip, STEPS, y);
  const { shown: hand } = useDecoded(batches, one, 1, y);
  const rate = facts.rates?.[dim];
  return (
    <div class="dim">
      <div class="dim-name">
        <strong>z{dim}</strong>
        <span class="muted small">{rate === undefined ? `sd ${scene.spread[dim].toFixed(2)}` : `${rate.toFixed(2)} nats`}</span>
        {share !== null && (
          <span class="bar" aria-hidden="true">
            <span style={{ width: `${Math.round(100 * share)}%` }} />
          </span>
        )}
      </div>
      <div class="dim-strip">
        <Sheet rows={[shown]} label={`Dimension ${dim} from ${low.toFixed(1)} to ${high.toFixed(1)}`} class="wide" dark={dark} />
        <input
          type="range"
          min={low}
          max={high}
          step={(high - low) / 200}
          value={value ?? start[dim]}
          aria-label={`z${dim}`}
          onInput={(event) => setValue(Number(event.currentTarget.value))}
        />
      </div>
      <figure class="dim-hand">
        <Picture pixels={hand[0]} label={`Decoded with z${dim} = ${(value ?? start[dim]).toFixed(2)}`} size={64} />
        <figcaption>{(value ?? start[dim]).toFixed(2).replace("-", "−")}</figcaption>
      </figure>
    </div>
  );
}

function Samples({ scene, batches, y }: Props & { y: number | null }) {
  const { facts, samples } = scene;
  const dark = useDark();
  const count = samples.z.length / facts.dim;
  const [at, setAt] = useState(0);
  const canvas = useRef<HTMLCanvasElement>(null);
  // Of a prior that knows the classes, the draws of the wished one; of another, the same draws decoded as it.
  const chosen = useMemo(() => Array.from({ length: count }, (_, i) => i).filter((i) => !samples.y || samples.y[i] === y), [samples, y]);
  const shownNow = useMemo(() => Array.from({ length: Math.min(SAMPLES, chosen.length) }, (_, i) => chosen[(at + i) % chosen.length]), [chosen, at]);
  const z = useMemo(() => {
    if (!shownNow.length) return null;
    const rows = new Float32Array(shownNow.length * facts.dim);
    shownNow.forEach((index, i) => rows.set(samples.z.subarray(index * facts.dim, (index + 1) * facts.dim), i * facts.dim));
    return rows;
  }, [shownNow]);
  const { shown, error } = useDecoded(batches, z, shownNow.length, y);
  useEffect(() => {
    if (!canvas.current || !shown.length) return;
    const columns = canvas.current.clientWidth < 520 ? 8 : 16;
    const rows: Pixels[][] = [];
    for (let i = 0; i < shown.length; i += columns) rows.push(shown.slice(i, i + columns));
    paintSheet(canvas.current, rows);
  }, [shown, dark]);
  return (
    <section class="panel" aria-labelledby="samples">
      <header>
        <h2 id="samples">Samples</h2>
        {chosen.length > SAMPLES && (
          <button type="button" onClick={() => setAt((at + SAMPLES) % chosen.length)}>
            Draw others
          </button>
        )}
      </header>
      {facts.samples !== null ? (
        <p class="muted">{facts.samples}</p>
      ) : (
        <>
          <canvas ref={canvas} role="img" aria-label={`${shownNow.length} samples`} class="picture sheet wide" width={1} height={1} />
          <p class="muted small words">Draws from {facts.prior}, decoded.</p>
        </>
      )}
      {error && (
        <p class="trouble" role="alert">
          {error}
        </p>
      )}
    </section>
  );
}
