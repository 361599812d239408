/** Each latent dimension on its own, those that carry most first: a strip and a slider each. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { floats, type Bundle } from "../../core/bundle";
import { LatestWins } from "../../core/decoder";
import { numberFrom } from "../../core/hash";
import { imagesOf, type Pixels } from "../../core/pixels";
import { paint, Sheet } from "../../parts/Picture";
import { useDark } from "../../parts/theme";
import { getBundle, runPath, type RunInfo } from "../api";
import { argumentsOf, commandOf, pythonOf, type Copies } from "../copies";
import { useQuery } from "../place";
import { socket } from "../socket";
import { CopyAs, Cut, isTyping, nice, Panel, Trouble, useCalm, useLoad } from "../ui";
import { Classes, useClass } from "./Classes";
import type { ViewProps } from "./RunPage";

const STEPS = 11;

/** A z under one's hands, and the picture of it that follows. */
function useHandheld(info: RunInfo, origin: Float32Array | null, y: number | null) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [z, setZ] = useState<Float32Array | null>(origin);
  const [error, setError] = useState<string | null>(null);
  const queue = useMemo(() => {
    const decoder = socket.decoder(info.id);
    return new LatestWins<Float32Array, Pixels>(
      (wished) => decoder.decode(wished, y),
      (pixels) => {
        if (canvas.current) paint(canvas.current, pixels);
        setError(null);
      },
      (fault) => fault.message !== "overtaken" && setError(fault.message),
    );
  }, [info.id, JSON.stringify(info.stamp), y]);
  useEffect(() => () => queue.close(), [queue]);
  useEffect(() => {
    if (!origin) return;
    setZ(origin);
    queue.push(origin);
  }, [origin, queue]);
  const set = (dim: number, value: number) => {
    if (!z) return;
    const next = z.slice();
    next[dim] = value;
    queue.push(next);
    setZ(next);
  };
  return { canvas, z, set, error, reset: () => origin && (queue.push(origin), setZ(origin)) };
}

export function Traversals({ info }: ViewProps) {
  const [query, setQuery] = useQuery();
  const [y] = useClass(info);
  const start = useCalm(query.sample?.[0] ?? "", 300);
  const [unfolded, setUnfolded] = useState(false);
  const ask = { index: start === "" ? null : Math.max(0, Math.trunc(Number(start)) || 0), y: start === "" ? y : null, steps: STEPS, split: info.splits.test ? "test" : (Object.keys(info.splits)[0] ?? "test") };
  const keys = [info.id, JSON.stringify(info.stamp), JSON.stringify(ask)];
  const found = useLoad((signal) => getBundle(runPath(info.id, "traversals"), ask, signal), keys);
  const active = (found.value?.facts.active as boolean[] | undefined) ?? [];
  const order = (found.value?.facts.order as number[] | undefined) ?? [];
  const dead = order.filter((dim) => !active[dim]).slice(0, 50);
  const shown = ((found.value?.facts.dimensions as number[] | undefined) ?? []).filter((dim) => active[dim] || dead.length === order.length);
  const folded = useLoad(unfolded && dead.length ? (signal) => getBundle(runPath(info.id, "traversals"), { ...ask, dims: dead.join(",") }, signal) : null, [...keys, unfolded, dead.join()]);
  const origin = useMemo(() => (found.value ? floats(found.value, "origin").slice() : null), [found.value]);
  const held = useHandheld(info, origin, y);
  const selected = numberFrom(query.dim, shown[0] ?? 0);
  const all = unfolded ? [...shown, ...dead] : shown;

  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (isTyping(event) && (event.target as HTMLInputElement).type !== "range") return;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const bundle = shown.includes(selected) ? found.value : folded.value;
      if (event.key === "[" || event.key === "]") {
        const at = all.indexOf(selected);
        const next = all[Math.max(0, Math.min(all.length - 1, at + (event.key === "]" ? 1 : -1)))];
        if (next !== undefined) setQuery({ dim: next });
        document.getElementById(`dim-${next}`)?.scrollIntoView({ block: "nearest" });
      } else if ((event.key === "ArrowLeft" || event.key === "ArrowRight") && held.z && bundle && (event.target as HTMLElement).tagName !== "INPUT") {
        const [low, high] = rangeOf(bundle, selected);
        const by = ((high - low) / 60) * (event.shiftKey ? 5 : 1) * (event.key === "ArrowRight" ? 1 : -1);
        held.set(selected, Math.max(low, Math.min(high, held.z[selected] + by)));
      } else return;
      event.preventDefault();
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  });

  const rates = found.value?.facts.rates as number[] | null | undefined;
  const spread = found.value?.facts.spread as number[] | undefined;
  const row = (bundle: Bundle, dim: number) => (
    <Row key={dim} bundle={bundle} dim={dim} selected={dim === selected} rate={rates?.[dim] ?? null} most={rates ? Math.max(...rates, 1e-9) : 1} spread={spread?.[dim] ?? null} value={held.z?.[dim] ?? 0} onSelect={() => setQuery({ dim })} onValue={(value) => held.set(dim, value)} />
  );
  return (
    <div class="traversals">
      <Panel class="hand-panel">
        <canvas ref={held.canvas} role="img" aria-label="The decoded latent" class="picture probe" width={1} height={1} />
        {held.error && <Trouble>{held.error}</Trouble>}
        <div class="hand-controls">
          <label class="labelled">
            <span>Start from test sample</span>
            <input type="number" min="0" placeholder="none: the middle" value={query.sample?.[0] ?? ""} onInput={(event) => setQuery({ sample: event.currentTarget.value })} />
          </label>
          <Classes info={info} />
          <button type="button" onClick={held.reset}>
            Back to the start
          </button>
        </div>
        <p class="muted small">[ and ] choose a dimension, the arrow keys move along it.</p>
      </Panel>
      <Panel title="Dimensions" aside={<span class="muted small">{rates ? "by their rate" : "by their spread"}</span>}>
        {found.error && <Trouble>{found.error}</Trouble>}
        {!found.value && !found.error && <p class="muted">Decoding …</p>}
        {found.value && <div class="dims">{shown.map((dim) => row(found.value!, dim))}</div>}
        {shown.length > 0 && shown.length < order.length - dead.length && <p class="muted small">{`${order.length - dead.length - shown.length} more active dimensions carry less than these.`}</p>}
        {dead.length > 0 && dead.length < order.length && (
          <details class="dead" onToggle={(event) => setUnfolded(event.currentTarget.open)}>
            <summary>
              {dead.length} dead {dead.length === 1 ? "dimension" : "dimensions"}: moving them changes nothing
            </summary>
            {folded.error && <Trouble>{folded.error}</Trouble>}
            {folded.value && <div class="dims">{dead.map((dim) => row(folded.value!, dim))}</div>}
          </details>
        )}
        <Cut bundle={found.value} />
        {found.value && shown.length > 0 && <CopyAs {...copies(info, { ...ask, steps: stepsOf(found.value) }, all)} />}
      </Panel>
    </div>
  );
}

/** The same strips: a sample comes with its own class. */
function copies(info: RunInfo, ask: { index: number | null; y: number | null; steps: number; split: string }, dims: number[]): Copies {
  const label = ask.y === null ? undefined : (info.classes[ask.y] ?? String(ask.y));
  const { steps, split } = ask;
  return {
    command: commandOf("traverse", info.path, { ...(ask.index === null ? { middle: true } : { image: ask.index }), dims: dims.join(","), steps, class: label, split }),
    python: pythonOf(info.path, `run.traverse(${argumentsOf({ image: ask.index, dims, steps, label, split })})`),
  };
}

const stepsOf = (bundle: Bundle): number => floats(bundle, "values").length / Math.max(1, (bundle.facts.dimensions as number[]).length);

function rangeOf(bundle: Bundle, dim: number): [number, number] {
  const dims = bundle.facts.dimensions as number[];
  const values = floats(bundle, "values");
  const steps = stepsOf(bundle);
  const at = dims.indexOf(dim);
  return at < 0 ? [-3, 3] : [values[at * steps], values[(at + 1) * steps - 1]];
}

interface RowProps {
  bundle: Bundle;
  dim: number;
  selected: boolean;
  rate: number | null;
  most: number;
  spread: number | null;
  value: number;
  onSelect: () => void;
  onValue: (value: number) => void;
}

function Row({ bundle, dim, selected, rate, most, spread, value, onSelect, onValue }: RowProps) {
  const dark = useDark();
  const [low, high] = rangeOf(bundle, dim);
  const frames = useMemo(() => {
    const dims = bundle.facts.dimensions as number[];
    const all = imagesOf(bundle, bundle.arrays.pixels ? "pixels" : "frames");
    const steps = all.length / Math.max(1, dims.length);
    return all.slice(dims.indexOf(dim) * steps, (dims.indexOf(dim) + 1) * steps);
  }, [bundle, dim]);
  return (
    <div id={`dim-${dim}`} class={`dim${selected ? " selected" : ""}`} onPointerDown={onSelect}>
      <div class="dim-name">
        <strong>z{dim}</strong>
        <span class="muted small">{rate !== null ? `${nice(rate)} nats` : `sd ${nice(spread)}`}</span>
        {rate !== null && <meter min={0} max={most} value={rate} aria-label={`Rate of z${dim}`} />}
      </div>
      <div class="dim-strip">
        {frames.length > 0 && <Sheet rows={[frames]} dark={dark} label={`z${dim} from ${nice(low)} to ${nice(high)}`} />}
        <input type="range" aria-label={`z${dim}`} min={low} max={high} step={(high - low) / 240} value={value} onFocus={onSelect} onInput={(event) => onValue(Number(event.currentTarget.value))} />
      </div>
      <output>{value.toFixed(2).replace("-", "−")}</output>
    </div>
  );
}
