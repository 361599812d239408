/** Draws from a prior: the model's own, or one fitted to its latents. */
import { useEffect, useRef, useState } from "preact/hooks";
import { numberFrom } from "../../core/hash";
import { imagesOf, isVector } from "../../core/pixels";
import { Sheet } from "../../parts/Picture";
import { useDark } from "../../parts/theme";
import { getBundle, getJson, postJson, runPath } from "../api";
import { argumentsOf, commandOf, pythonOf } from "../copies";
import { useQuery } from "../place";
import { CopyAs, Cut, Panel, Refusal, Select, Slider, Trouble, useCalm, useLoad } from "../ui";
import { Classes, useClass } from "./Classes";
import type { ViewProps } from "./RunPage";

const DRAWN = 48;

function FitPrior({ info, reload }: ViewProps) {
  const prior = info.latent?.kind === "codes" ? "autoregressive" : "gmm";
  const [error, setError] = useState<string | null>(null);
  const job = `/api/jobs/${encodeURIComponent(info.id)}`;
  // The run's own news reload this page when the prior is there; the log says whether the fitting goes on.
  const log = useLoad((signal) => getJson<{ text: string; running: boolean }>(`${job}/log`, {}, signal).catch(() => ({ text: "", running: false })), [info.id]);
  const running = Boolean(log.value?.running) && !info.live;
  const began = useRef(false);
  useEffect(() => {
    if (running) began.current = true;
    else if (began.current) reload();
    if (!running) return;
    const timer = setTimeout(log.again, 1000);
    return () => clearTimeout(timer);
  }, [log.value, running]);
  const act = (path: string, body: unknown) =>
    postJson(path, body).then(
      () => {
        setError(null);
        log.again();
      },
      (fault: Error) => setError(fault.message),
    );
  const text = log.value?.text.trimEnd().split("\n").slice(-12).join("\n");
  return (
    <div class="stack">
      <div class="toolbar">
        <button type="button" class="primary" disabled={running} onClick={() => void act("/api/jobs", { kind: "fit-prior", run: info.id, prior })}>
          {prior === "gmm" ? "Fit a Gaussian mixture to its latents" : "Fit an autoregressive prior to its codes"}
        </button>
        {running && (
          <button type="button" onClick={() => void act(`${job}/stop`, {})}>
            Stop
          </button>
        )}
        <span class="muted" role="status">
          {running ? "Fitting; this page shows samples when it is done." : began.current && "The fitting has ended."}
        </span>
      </div>
      {error && <Trouble>{error}</Trouble>}
      {began.current && text && (
        <pre class="log" tabIndex={0}>
          {text}
        </pre>
      )}
    </div>
  );
}

export function Samples({ info, reload }: ViewProps) {
  const [query, setQuery] = useQuery();
  const applies = info.views.samples;
  const dark = useDark();
  const seed = numberFrom(query.seed, 0, 0, 2 ** 31);
  const temperature = useCalm(numberFrom(query.temperature, 1, 0, 2));
  const prior = query.prior?.[0] ?? info.priors[0] ?? "";
  const [y] = useClass(info);
  const found = useLoad(
    applies?.ok ? (signal) => getBundle(runPath(info.id, "samples"), { n: DRAWN, seed, temperature, prior: prior === "model" ? null : prior, y }, signal) : null,
    [info.id, JSON.stringify(info.stamp), seed, temperature, prior, y],
  );
  if (!applies?.ok)
    return (
      <Refusal applies={applies}>
        {applies.do?.includes("fit-prior") && <FitPrior info={info} reload={reload} />}
      </Refusal>
    );
  const kind = y === null ? null : (info.classes[y] ?? String(y));
  const all = found.value ? imagesOf(found.value) : [];
  const n = all.length || DRAWN;
  const columns = all[0] && isVector(all[0]) ? 4 : innerWidth < 620 ? 6 : 12;
  const rows = Array.from({ length: Math.ceil(all.length / columns) }, (_, i) => all.slice(i * columns, (i + 1) * columns));
  return (
    <Panel
      title="Samples"
      aside={
        <>
          {info.priors.length > 1 && <Select label="Prior" value={prior} options={info.priors.map((name) => [name, name === "model" ? "the model's own" : name] as const)} onChange={(value) => setQuery({ prior: value })} />}
          <Classes info={info} />
          <Slider label="Temperature" value={temperature} min={0} max={1.5} step={0.05} shown={temperature.toFixed(2)} onInput={(value) => setQuery({ temperature: value })} />
          <button type="button" onClick={() => setQuery({ seed: seed + 1 })}>
            Draw again
          </button>
        </>
      }
    >
      {found.error && <Trouble>{found.error}</Trouble>}
      {rows.length > 0 && <Sheet rows={rows} dark={dark} label={`${all.length} samples drawn with seed ${seed}`} class="wide" />}
      <Cut bundle={found.value} />
      <CopyAs
        command={commandOf("sample", info.path, { n, seed, temperature, prior: prior || null, class: kind })}
        python={pythonOf(info.path, `run.sample(${argumentsOf({ n, seed, temperature, prior: prior || undefined, classes: kind === null ? undefined : [kind] })})`)}
      />
    </Panel>
  );
}
