/** A training as it goes, or went: its curves, what it reconstructs, and a slider that plays it back. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { appendAll, type Table } from "../../core/columns";
import { inks, palette } from "../../core/palette";
import { imagesOf } from "../../core/pixels";
import { Sheet } from "../../parts/Picture";
import { reducedMotion, useDark } from "../../parts/theme";
import { getBundle, getJson, runPath, type RunInfo } from "../api";
import { Curves, CurvesPanel, type Series } from "../Curves";
import { useQuery } from "../place";
import { socket } from "../socket";
import { Code, CopyAs, isTyping, nice, Panel, Player, Refusal, sentence, shell, Trouble, useCalm, useLoad } from "../ui";
import type { ViewProps } from "./RunPage";

type Rows = Record<string, Table>;

/** All that a run has logged, and what it logs meanwhile. */
function useRows(run: string): { rows: Rows | null; error: string | null } {
  const [rows, setRows] = useState<Rows | null>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    let leave = () => {};
    const abort = new AbortController();
    getJson<{ step: number; rows: Rows }>(runPath(run, "metrics"), {}, abort.signal).then(
      (first) => {
        setRows(first.rows);
        leave = socket.watch(run, first.step, (news) => setRows((before) => (news.reset ? news.rows : appendAll(before ?? {}, news.rows))));
      },
      (fault: Error) => fault.name !== "AbortError" && setError(fault.message),
    );
    return () => {
      abort.abort();
      leave();
    };
  }, [run]);
  return { rows, error };
}

const figures: readonly (readonly [string, string, string])[] = [
  ["loss", "Loss", "what is minimised"],
  ["distortion", "Distortion", "nats per sample: −log p(x | z)"],
  ["rate", "Rate", "nats per sample: KL(q(z | x) ‖ p(z))"],
];
const notCurves = new Set(["step", "steps", "epoch", "seconds", "time", "split", "loss", "distortion", "rate", "elbo"]);

function CurvePanels({ rows, info, mark, log }: { rows: Rows; info: RunInfo; mark: number | null; log: boolean }) {
  const dark = useDark();
  const [query, setQuery] = useQuery();
  const ink = inks(dark);
  const others = [...new Set(Object.values(rows).flatMap((table) => Object.keys(table)))].filter(
    (name) => !notCurves.has(name) && Object.values(rows).some((table) => table[name]?.some((value) => typeof value === "number")),
  );
  const more = query.figure?.filter((name) => others.includes(name)) ?? [];
  const seriesOf = (name: string): Series[] =>
    Object.entries(rows)
      .filter(([, table]) => table[name]?.some((value) => typeof value === "number"))
      .map(([split, table], i) => ({ label: split, step: table.step, value: table[name], colour: i ? palette(dark)[i % 10] : ink.accent, dashed: i > 0 }));
  const memo = useMemo(() => Object.fromEntries([...figures.map(([name]) => name), ...more].map((name) => [name, seriesOf(name)])), [rows, dark, more.join()]);
  return (
    <>
      <div class="curve-grid">
        {figures.map(([name, title, unit]) => memo[name].length > 0 && <Curves key={name} title={title} unit={unit} series={memo[name]} mark={mark} log={log && allPositive(memo[name])} />)}
        {info.latent?.probabilistic && info.views.latent?.ok && <Rates info={info} mark={mark} />}
        {more.map((name) => (
          <Curves key={name} title={name.replaceAll("_", " ")} series={memo[name]} mark={mark} />
        ))}
      </div>
      {others.length > 0 && (
        <div class="chips" role="group" aria-label="More curves">
          {others.map((name) => (
            <button key={name} type="button" class="chip" aria-pressed={more.includes(name)} onClick={() => setQuery({ figure: more.includes(name) ? more.filter((one) => one !== name) : [...more, name] })}>
              {name.replaceAll("_", " ")}
            </button>
          ))}
        </div>
      )}
    </>
  );
}

const allPositive = (series: Series[]): boolean => series.every(({ value }) => value.every((one) => one === null || one > 0));

/** The rate of each latent dimension at the snapshots: dead ones stay at zero. */
function Rates({ info, mark }: { info: RunInfo; mark: number | null }) {
  const dark = useDark();
  const key = useCalm(JSON.stringify(info.stamp), 1500);
  const found = useLoad((signal) => getJson<{ steps: number[]; rates: number[][] }>(runPath(info.id, "rates"), {}, signal), [info.id, key]);
  const series = useMemo((): Series[] => {
    if (!found.value) return [];
    const { steps, rates } = found.value;
    const last = rates[rates.length - 1] ?? [];
    const order = last.map((_, i) => i).sort((a, b) => last[b] - last[a]);
    return order.slice(0, 64).map((dim, rank) => ({ label: `z${dim}`, step: steps, value: rates.map((row) => row[dim]), colour: rank < 10 ? palette(dark)[rank] : inks(dark).muted, thin: rank >= 10 }));
  }, [found.value, dark]);
  if (found.error) return <p class="muted small">{sentence(found.error)}</p>;
  if (!series.length) return null;
  return <Curves title="Rate per dimension" unit={`nats; ${series.length === 64 ? "the 64 highest" : `${series.length} dimensions`}`} series={series} mark={mark} legend={false} />;
}

/** Originals over reconstructions at a snapshot; what was looked at stays until the next is there. */
function Pictures({ info, step }: { info: RunInfo; step: number | null }) {
  const dark = useDark();
  const kept = useRef(new Map<string, Awaited<ReturnType<typeof getBundle>>>());
  const key = `${step ?? JSON.stringify(info.stamp)}`;
  const n = info.event?.kind === "vector" || innerWidth < 620 ? 6 : 12;
  const found = useLoad(
    async (signal) => {
      const known = kept.current.get(key);
      if (known) return { bundle: known, step };
      const bundle = await getBundle(runPath(info.id, "reconstructions"), { n, step }, signal);
      if (kept.current.size > 200) kept.current.clear();
      kept.current.set(key, bundle);
      return { bundle, step };
    },
    [info.id, key],
  );
  const rows = useMemo(() => (found.value ? [imagesOf(found.value.bundle, "originals"), imagesOf(found.value.bundle, "reconstructions")] : []), [found.value]);
  if (found.error) return <Trouble>{found.error}</Trouble>;
  if (!rows.length) return <p class="muted">Decoding …</p>;
  const mse = found.value?.bundle.facts.mse as number | undefined;
  return (
    <>
      <Sheet rows={rows} dark={dark} class="wide" label={`${rows[0].length} originals, and below them their reconstructions at step ${nice(step)}`} />
      <p class="muted small">
        Originals above, reconstructions below{mse === undefined ? "" : `; mean squared error ${nice(mse)}`}.
      </p>
    </>
  );
}

/** Which snapshot is looked at: the newest while nobody chose another, and then only the chosen one. */
function usePlayback(info: RunInfo) {
  const [query, setQuery] = useQuery();
  const steps = info.snapshots ?? [];
  const wished = query.step?.[0];
  const following = wished === undefined || wished === "";
  const found = following ? steps.length - 1 : steps.findIndex((step) => step >= Number(wished));
  const index = found < 0 ? steps.length - 1 : found;
  const [playing, setPlaying] = useState(false);
  const show = (next: number, follow = false) => setQuery({ step: follow ? null : (steps[next] ?? null) });
  useEffect(() => {
    if (!playing) return;
    const timer = setTimeout(() => {
      if (index >= steps.length - 1) setPlaying(false);
      else show(index + 1);
    }, 220);
    return () => clearTimeout(timer);
  }, [playing, index, steps.length]);
  const toggle = () => {
    if (!playing && index >= steps.length - 1) show(0);
    setPlaying(!playing);
  };
  return { steps, index, following, playing, toggle, show, stop: () => setPlaying(false) };
}

function Playback({ info, playback }: { info: RunInfo; playback: ReturnType<typeof usePlayback> }) {
  const { steps, index, following, playing, toggle, show, stop } = playback;
  const applies = info.views.playback;
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      const pressed = (event.target as HTMLElement).closest?.("button, a, summary, .plane");
      if (event.key !== " " || (isTyping(event) && (event.target as HTMLInputElement).type !== "range") || pressed || steps.length < 2) return;
      event.preventDefault();
      toggle();
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  });
  if (steps.length < 2) return applies && !applies.ok && !info.live ? <Refusal applies={applies} /> : null;
  return (
    <div class="playback">
      <Player
        playing={playing}
        onToggle={toggle}
        title={reducedMotion() ? "Plays on request only" : "Space"}
        label="Step"
        value={index}
        last={steps.length - 1}
        shown={nice(steps[index])}
        onInput={(value) => {
          stop();
          show(value);
        }}
      />
      {info.live && (
        <button type="button" aria-pressed={following} onClick={() => show(0, true)} title="Go on to each new snapshot">
          Follow
        </button>
      )}
    </div>
  );
}

export function Training({ info }: ViewProps) {
  const { rows, error } = useRows(info.id);
  const [query, setQuery] = useQuery();
  const playback = usePlayback(info);
  const log = query.log?.[0] === "1";
  const steps = playback.steps;
  const step = steps.length > 1 ? steps[playback.index] : null;
  const seen = playback.following ? null : step;
  return (
    <div class="stack">
      {info.views.latent?.ok !== false && (
        <Panel title="What it reconstructs">
          {info.event && steps.length > 0 ? <Pictures info={info} step={step} /> : <p class="muted">Pictures appear with the first checkpoint.</p>}
          <Playback info={info} playback={playback} />
          {info.copy.playback && info.views.playback?.ok && <CopyAs {...info.copy.playback} />}
        </Panel>
      )}
      {info.views.latent?.ok === false && <Refusal applies={info.views.latent} />}
      <CurvesPanel log={log} onLog={(next) => setQuery({ log: next ? 1 : null })}>
        {error && <Trouble>{error}</Trouble>}
        {rows && Object.keys(rows).length > 0 ? <CurvePanels rows={rows} info={info} mark={seen} log={log} /> : !error && <p class="muted">{rows ? "Nothing has been logged yet." : "Reading the log …"}</p>}
        {info.copy.training && <CopyAs {...info.copy.training} />}
      </CurvesPanel>
      <Log info={info} />
    </div>
  );
}

function Log({ info }: { info: RunInfo }) {
  const [open, setOpen] = useState(false);
  const found = useLoad(open ? (signal) => getJson<{ text: string }>(`/api/jobs/${encodeURIComponent(info.id)}/log`, {}, signal) : null, [info.id, open, info.step]);
  return (
    <details class="panel" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Log and config</summary>
      {found.error && <Trouble>{found.error}</Trouble>}
      {found.value && (
        <pre class="log" tabIndex={0}>
          {found.value.text || "The log is empty."}
        </pre>
      )}
      {info.config && (
        <pre class="log" tabIndex={0}>
          {JSON.stringify(info.config, null, 2)}
        </pre>
      )}
      <Code text={`latentia train ${shell(`${info.path}/config.toml`)}`} />
    </details>
  );
}
