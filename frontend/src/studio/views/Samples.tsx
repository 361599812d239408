/** Draws from a prior: the model's own, or one fitted to its latents. */
import { useState } from "preact/hooks";
import { numberFrom } from "../../core/hash";
import { imagesOf, isVector } from "../../core/pixels";
import { Sheet } from "../../parts/Picture";
import { useDark } from "../../parts/theme";
import { getBundle, postJson, runPath } from "../api";
import { useQuery } from "../place";
import { CopyAs, Panel, Refusal, Select, Slider, Trouble, useCalm, useLoad } from "../ui";
import { Classes, useClass } from "./Classes";
import type { ViewProps } from "./RunPage";

function FitPrior({ info, reload }: ViewProps) {
  const prior = info.latent?.kind === "codes" ? "autoregressive" : "gmm";
  const [said, setSaid] = useState<string | null>(null);
  const start = () =>
    postJson("/api/jobs", { kind: "fit-prior", run: info.id, prior }).then(
      () => {
        setSaid("Fitting; this page shows samples when it is done.");
        setTimeout(reload, 3000);
      },
      (error: Error) => setSaid(error.message),
    );
  return (
    <p>
      <button type="button" class="primary" onClick={() => void start()}>
        {prior === "gmm" ? "Fit a Gaussian mixture to its latents" : "Fit an autoregressive prior to its codes"}
      </button>{" "}
      <span class="muted" role="status">
        {said}
      </span>
    </p>
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
    applies?.ok ? (signal) => getBundle(runPath(info.id, "samples"), { n: 48, seed, temperature, prior: prior === "model" ? null : prior, y }, signal) : null,
    [info.id, JSON.stringify(info.stamp), seed, temperature, prior, y],
  );
  if (!applies?.ok)
    return (
      <Refusal applies={applies}>
        {applies.do?.includes("fit-prior") && <FitPrior info={info} reload={reload} />}
      </Refusal>
    );
  const all = found.value ? imagesOf(found.value) : [];
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
      {info.copy.samples && <CopyAs command={`${info.copy.samples.command} --seed ${seed}`} python={info.copy.samples.python.replace("sample()", `sample(seed=${seed})`)} />}
    </Panel>
  );
}
