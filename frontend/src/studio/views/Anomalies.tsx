/** Scores of how unusual each sample is, a threshold to move, and what it finds. */
import { useMemo, useState } from "preact/hooks";
import { floats, type Bundle } from "../../core/bundle";
import { histogram } from "../../core/columns";
import { imagesOf, type Pixels } from "../../core/pixels";
import { Picture } from "../../parts/Picture";
import { getBundle, runPath, type RunInfo } from "../api";
import { argumentsOf, commandOf, pythonOf, type Copies } from "../copies";
import { useQuery } from "../place";
import { CopyAs, Facts, nice, Panel, Select, sentence, Slider, Trouble, useLoad } from "../ui";
import { Trio, usePair } from "./PointCard";
import type { ViewProps } from "./RunPage";

const DRAWS = 20; // importance samples of the scores that take some

interface Score {
  name: string;
  definition: string;
  ok: boolean;
  why: string | null;
}

interface AnomalyFacts {
  score: string;
  definition: string;
  auroc: number | null;
  thresholds: { rate: number; value: number }[];
  held_out: number | null;
  normal: string[] | null;
  classes: string[];
  notes: string[];
  scores: Score[];
}

export function Anomalies({ info }: ViewProps) {
  const [query, setQuery] = useQuery();
  const split = query.split?.[0] ?? (info.splits.test ? "test" : Object.keys(info.splits)[0]);
  const score = query.score?.[0] ?? "squared-error";
  const normal = query.normal ?? [];
  const found = useLoad((signal) => getBundle(runPath(info.id, "anomalies"), { score, split, normal, samples: DRAWS }, signal), [info.id, JSON.stringify(info.stamp), score, split, normal.join()]);
  const facts = found.value?.facts as unknown as AnomalyFacts | undefined;
  const scores = facts?.scores ?? [{ name: "squared-error", definition: "", ok: true, why: null }];
  return (
    <div class="stack">
      <div class="toolbar">
        <Select label="Score" value={score} options={scores.filter((one) => one.ok).map((one) => [one.name, one.name.replaceAll("-", " ")] as const)} onChange={(value) => setQuery({ score: value, threshold: null })} />
        {Object.keys(info.splits).length > 1 && <Select label="Part" value={split} options={Object.keys(info.splits).map((name) => [name, name] as const)} onChange={(value) => setQuery({ split: value })} />}
        {info.classes.length > 1 && (
          <Select label="Taken as normal" value={normal[0] ?? ""} options={[["", facts?.normal?.length ? `as trained: ${facts.normal.join(", ")}` : "not said"] as const, ...info.classes.map((name) => [name, name] as const)]} onChange={(value) => setQuery({ normal: value ? [value] : null })} />
        )}
        {found.loading && <span class="muted small">Scoring …</span>}
      </div>
      {found.error && <Trouble>{found.error}</Trouble>}
      {found.value && facts && <Scores key={`${score} ${split} ${normal.join()}`} info={info} bundle={found.value} facts={facts} split={split} />}
      {scores.some((one) => !one.ok) && (
        <details class="panel">
          <summary>Scores that this model cannot give</summary>
          <ul class="notes">
            {scores
              .filter((one) => !one.ok)
              .map((one) => (
                <li key={one.name}>
                  {one.name.replaceAll("-", " ")}: {sentence(one.why ?? "")}
                </li>
              ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function Scores({ info, bundle, facts, split }: { info: RunInfo; bundle: Bundle; facts: AnomalyFacts; split: string }) {
  const [query, setQuery] = useQuery();
  const [looked, setLooked] = useState(-1);
  const scores = useMemo(() => floats(bundle, "scores"), [bundle]);
  const anomalous = bundle.arrays.anomalous?.data ?? null;
  const order = useMemo(() => Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a]), [scores]);
  const low = scores[order[order.length - 1]] ?? 0;
  const high = scores[order[0]] ?? 1;
  const usual = facts.thresholds.find((one) => one.rate === 0.05)?.value ?? scores[order[Math.floor(0.05 * order.length)]] ?? high;
  const asked = query.threshold?.[0] ? Number(query.threshold[0]) : NaN;
  const threshold = Math.max(low, Math.min(high, Number.isFinite(asked) ? asked : usual));
  const above = order.filter((i) => scores[i] > threshold).length;
  return (
    <>
      <Panel title="Scores" aside={<span class="muted small">{sentence(facts.definition)}</span>}>
        <Histogram scores={scores} anomalous={anomalous} low={low} high={high} threshold={threshold} />
        <Slider label="Threshold" value={threshold} min={low} max={high} step={(high - low) / 1000 || 1} shown={nice(threshold)} onInput={(value) => setQuery({ threshold: String(value) })} />
        {facts.thresholds.length > 0 && (
          <div class="chips" role="group" aria-label="Thresholds from held-out samples">
            <span class="muted small">False alarms among {nice(facts.held_out)} held-out samples:</span>
            {facts.thresholds.map(({ rate, value }) => (
              <button key={rate} type="button" class="chip" aria-pressed={Math.abs(threshold - value) < (high - low) / 1000} onClick={() => setQuery({ threshold: String(value) })}>
                {Math.round(100 * rate)} %
              </button>
            ))}
          </div>
        )}
        {anomalous ? <Confusion scores={scores} anomalous={anomalous} threshold={threshold} auroc={facts.auroc} /> : <Facts facts={[["Above the threshold", `${nice(above)} of ${nice(scores.length)}`]]} />}
        {facts.notes.map((note) => (
          <p key={note} class="muted small">
            {sentence(note)}
          </p>
        ))}
        <CopyAs {...copies(info, facts, split, query.normal, threshold)} />
      </Panel>
      <Panel title="Worst cases" aside={<span class="muted small">choose one to see where it fails</span>}>
        <Worst info={info} order={order.slice(0, 24)} scores={scores} split={split} looked={looked} onLook={setLooked} />
        {looked >= 0 && <Look info={info} index={looked} split={split} />}
      </Panel>
    </>
  );
}

/** The same scores and the same threshold: that of a rate of false alarms where it is one of these, else its value. */
function copies(info: RunInfo, facts: AnomalyFacts, split: string, normal: string[] | undefined, threshold: number): Copies {
  const rate = facts.thresholds.find(({ value }) => value === threshold)?.rate;
  const own = rate === undefined ? threshold : undefined;
  const draws = ["elbo", "nll"].includes(facts.score) ? DRAWS : undefined;
  return {
    command: commandOf("anomaly", info.path, { score: facts.score, split, normal, "importance-samples": draws, "false-alarm-rate": rate, threshold: own }),
    python: pythonOf(info.path, `run.anomaly(${argumentsOf({ score: facts.score, split, normal, importance_samples: draws, false_alarm_rate: rate, threshold: own })})`),
  };
}

const BINS = 60;

function Histogram({ scores, anomalous, low, high, threshold }: { scores: Float32Array; anomalous: ArrayLike<number> | null; low: number; high: number; threshold: number }) {
  const usual = histogram(scores, low, high, BINS, anomalous ? (i) => !anomalous[i] : undefined);
  const odd = anomalous ? histogram(scores, low, high, BINS, (i) => Boolean(anomalous[i])) : usual.map(() => 0);
  const most = Math.max(1, ...usual, ...odd);
  const x = ((threshold - low) / (high - low || 1)) * 600;
  return (
    <figure class="histogram">
      <svg viewBox="0 0 600 160" preserveAspectRatio="none" role="img" aria-label={`Histogram of ${scores.length} scores from ${nice(low)} to ${nice(high)}; the threshold is at ${nice(threshold)}`}>
        {usual.map((count, i) => (
          <g key={i}>
            <rect class="usual" x={i * 10 + 0.5} width={anomalous ? 4.5 : 9} y={160 - (158 * count) / most} height={(158 * count) / most} />
            {odd[i] > 0 && <rect class="odd" x={i * 10 + 5} width={4.5} y={160 - (158 * odd[i]) / most} height={(158 * odd[i]) / most} />}
          </g>
        ))}
        <line class="threshold" x1={x} x2={x} y1="0" y2="160" />
      </svg>
      <figcaption class="muted small histogram-ends">
        <span>{nice(low)}</span>
        {anomalous && (
          <span>
            <span class="key usual" /> normal <span class="key odd" /> anomalous
          </span>
        )}
        <span>{nice(high)}</span>
      </figcaption>
    </figure>
  );
}

function Confusion({ scores, anomalous, threshold, auroc }: { scores: Float32Array; anomalous: ArrayLike<number>; threshold: number; auroc: number | null }) {
  const counts = [0, 0, 0, 0]; // normal below, normal above, anomalous below, anomalous above
  for (let i = 0; i < scores.length; i++) counts[(anomalous[i] ? 2 : 0) + (scores[i] > threshold ? 1 : 0)]++;
  const [quiet, alarm, missed, caught] = counts;
  return (
    <div class="confusion-box">
      <table class="confusion">
        <caption class="unseen">Confusion at the threshold</caption>
        <thead>
          <tr>
            <td />
            <th scope="col">below</th>
            <th scope="col">above</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">normal</th>
            <td>{nice(quiet)}</td>
            <td class="wrong">{nice(alarm)}</td>
          </tr>
          <tr>
            <th scope="row">anomalous</th>
            <td class="wrong">{nice(missed)}</td>
            <td>{nice(caught)}</td>
          </tr>
        </tbody>
      </table>
      <Facts
        facts={[
          ["AUROC", nice(auroc)],
          ["Caught", `${nice((100 * caught) / Math.max(1, caught + missed))} %`, "of the anomalous samples"],
          ["False alarms", `${nice((100 * alarm) / Math.max(1, alarm + quiet))} %`, "of the normal samples"],
        ]}
      />
    </div>
  );
}

function Worst({ info, order, scores, split, looked, onLook }: { info: RunInfo; order: number[]; scores: Float32Array; split: string; looked: number; onLook: (index: number) => void }) {
  const n = Math.max(...order, 0) + 1;
  const found = useLoad((signal) => getBundle(runPath(info.id, "thumbnails"), { split, n }, signal), [info.id, JSON.stringify(info.stamp), split, n]);
  const pictures = found.value ? imagesOf(found.value) : [];
  return (
    <div class="worst">
      {found.error && <Trouble>{found.error}</Trouble>}
      {order.map((i) => (
        <button key={i} type="button" class="picture-button" aria-pressed={i === looked} onClick={() => onLook(i)}>
          <Picture pixels={pictures[i]} size={56} label={`Sample ${i}`} />
          <span class="small muted">{nice(scores[i])}</span>
        </button>
      ))}
    </div>
  );
}

/** One case closely, with the squared error of every pixel. */
function Look({ info, index, split }: { info: RunInfo; index: number; split: string }) {
  const { pair, error } = usePair(info, index, split);
  const heat = useMemo(() => (pair ? heatOf(pair) : null), [pair]);
  if (error) return <Trouble>{error}</Trouble>;
  if (!pair) return null;
  const label = pair.facts.label as number | null;
  return (
    <div class="look">
      <Trio pair={pair} size={140} />
      {heat && (
        <figure>
          <Picture pixels={heat} size={140} label="Squared error of every pixel; bright is large" />
          <figcaption>error per pixel</figcaption>
        </figure>
      )}
      <Facts facts={[["Sample", index], label != null && ["Label", info.classes[label] ?? label], ["Squared error", nice(pair.facts.error as number)]]} />
    </div>
  );
}

/** Errors as colours from black through red and yellow to white. */
export function heatOf(pair: Bundle): Pixels | null {
  const field = pair.arrays.error;
  if (!field || field.shape.length !== 2) return null;
  const [height, width] = field.shape;
  let most = 1e-9;
  for (const value of field.data) if (value > most) most = value;
  const data = new Uint8Array(height * width * 3);
  field.data.forEach((value, i) => {
    const heat = Math.sqrt(value / most) * 3;
    for (let channel = 0; channel < 3; channel++) data[3 * i + channel] = 255 * Math.max(0, Math.min(1, heat - channel));
  });
  return { height, width, channels: 3, data };
}
