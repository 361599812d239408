/** Several runs side by side: figures in one convention, curves over each other, the same samples, and what differs. */
import { useMemo } from "preact/hooks";
import { writeHash } from "../../core/hash";
import { inks, palette } from "../../core/palette";
import { imagesOf } from "../../core/pixels";
import { Sheet } from "../../parts/Picture";
import { useDark } from "../../parts/theme";
import { getBundle, getJson, runPath, type RunInfo, type RunRow } from "../api";
import { Curves, CurvesPanel } from "../Curves";
import { useQuery } from "../place";
import { CopyAs, Cut, nice, Panel, Refusal, sentence, shell, Trouble, useLoad } from "../ui";

interface Comparison {
  runs: RunRow[];
  figures: { name: string; unit: string; values: (number | null)[]; comparable?: boolean }[];
  notes?: string[];
  settings: { key: string; values: unknown[] }[];
  curves: Record<string, Record<string, { run: string; step: number[]; value: (number | null)[] }[]>>;
}

const written = (value: unknown): string => (value === null || value === undefined ? "–" : typeof value === "number" ? nice(value) : typeof value === "string" ? value : JSON.stringify(value));

export function Compare() {
  const [query, setQuery] = useQuery();
  const names = query.run ?? [];
  const listed = useLoad((signal) => getJson<{ runs: RunRow[] }>("/api/runs", {}, signal), []);
  const others = (listed.value?.runs ?? []).filter((run) => !names.includes(run.id));
  const found = useLoad(names.length > 1 ? (signal) => getJson<Comparison>("/api/compare", { run: names }, signal) : null, [names.join("\n")]);
  return (
    <div class="page">
      <div class="heading">
        <h1>Compare</h1>
        {names.length < 8 && others.length > 0 && (
          <label class="labelled">
            <span class="unseen">Add a run</span>
            <select value="" onChange={(event) => event.currentTarget.value && setQuery({ run: [...names, event.currentTarget.value] })}>
              <option value="">Add a run …</option>
              {others.map((run) => (
                <option key={run.id} value={run.id}>
                  {run.id}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      {names.length > 0 && (
        <div class="chips">
          {names.map((name) => (
            <span key={name} class="chip">
              <a href={writeHash({ page: "run", run: name, view: "training" })}>{name}</a>
              <button type="button" class="quiet" aria-label={`Leave out ${name}`} onClick={() => setQuery({ run: names.filter((one) => one !== name) })}>
                ×
              </button>
            </span>
          ))}
        </div>
      )}
      {names.length < 2 && <p class="muted">Choose two runs or more, here or in the list of runs.</p>}
      {found.error && <Trouble>{found.error}</Trouble>}
      {found.value && names.length > 1 && <Comparison names={names} comparison={found.value} />}
    </div>
  );
}

function Comparison({ names, comparison }: { names: string[]; comparison: Comparison }) {
  const dark = useDark();
  const [query, setQuery] = useQuery();
  const log = query.log?.[0] === "1";
  const colours = names.map((_, i) => (i ? palette(dark)[i] : inks(dark).accent));
  const paths = comparison.runs.map((run) => run.path ?? run.id);
  const curves = useMemo(
    () =>
      Object.entries(comparison.curves).flatMap(([split, figures]) =>
        Object.entries(figures).map(([figure, rows]) => ({
          key: `${split} ${figure}`,
          title: `${figure} (${split})`,
          series: rows.map(({ run, step, value }) => ({ label: run, step, value, colour: colours[names.indexOf(run)] ?? inks(dark).muted })),
        })),
      ),
    [comparison, dark],
  );
  return (
    <div class="stack">
      <Panel title="Figures">
        <Grid names={names} rows={comparison.figures.map(({ name, unit, values, comparable }) => ({ name: name.replaceAll("_", " "), values: values.map(nice), unit, apart: comparable === false }))} />
        {(comparison.notes ?? []).map((note) => (
          <p key={note} class="muted small">
            {sentence(note)}
          </p>
        ))}
      </Panel>
      <Pictures key={names.join("\n")} names={names} />
      <CurvesPanel log={log} onLog={(next) => setQuery({ log: next ? 1 : null })}>
        <div class="curve-grid">
          {curves.map(({ key, title, series }) => (
            <Curves key={key} title={title} series={series} log={log && series.every(({ value }) => value.every((one) => one === null || one > 0))} />
          ))}
        </div>
      </CurvesPanel>
      {comparison.settings.length > 0 && (
        <Panel title="Settings that differ">
          <Grid names={names} rows={comparison.settings.map(({ key, values }) => ({ name: key, values: values.map(written) }))} />
        </Panel>
      )}
      <CopyAs command={`latentia compare ${paths.map(shell).join(" ")}`} python={`import latentia as lt\nlt.compare(${JSON.stringify(paths)})`} />
    </div>
  );
}

interface GridRow {
  name: string;
  values: string[];
  unit?: string;
  /** The values do not compare; the words below say why. */
  apart?: boolean;
}

const Grid = ({ names, rows }: { names: string[]; rows: GridRow[] }) => (
  <div class="table-box" tabIndex={0} role="region" aria-label="Table">
    <table class="compared">
      <thead>
        <tr>
          <td />
          {names.map((name) => (
            <th key={name} scope="col" class="number">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, values, unit, apart }) => (
          <tr key={name} class={apart ? "apart" : undefined}>
            <th scope="row">
              {name} {unit && <span class="muted small">{unit}</span>} {apart && <span class="small">· does not compare</span>}
            </th>
            {values.map((value, i) => (
              <td key={i} class="number">
                {value}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

function Pictures({ names }: { names: string[] }) {
  const dark = useDark();
  const infos = useLoad((signal) => Promise.all(names.map((name) => getJson<RunInfo>(runPath(name), {}, signal))), [names.join("\n")]);
  const shapes = infos.value?.map((info) => info.event?.shape.join(" × ")) ?? [];
  const refused = infos.value?.map((info) => info.views.compare).find((applies) => applies?.ok === false);
  const same = shapes.length === names.length && new Set(shapes).size === 1 && !refused;
  const found = useLoad(same ? (signal) => getBundle("/api/compare/images", { run: names, n: 10 }, signal) : null, [names.join("\n"), same]);
  const rows = useMemo(() => {
    if (!found.value) return [];
    const originals = imagesOf(found.value, "originals");
    const all = imagesOf(found.value, "reconstructions");
    return [originals, ...names.map((_, i) => all.slice(i * originals.length, (i + 1) * originals.length))];
  }, [found.value]);
  return (
    <Panel title="The same samples">
      {(infos.error ?? found.error) && <p class="muted">{sentence(infos.error ?? found.error ?? "")}</p>}
      {refused && <Refusal applies={refused} />}
      {!refused && new Set(shapes).size > 1 && (
        <p class="muted">The runs take samples of different shapes ({[...new Set(shapes)].join("; ")}), so no sample goes through all of them.</p>
      )}
      {same && found.loading && !rows.length && <p class="muted">Reconstructing with each model …</p>}
      {rows.length > 0 && (
        <div class="compare-pictures">
          {rows.map((row, i) => (
            <div key={i} class="compare-row">
              <span class="small">{i ? names[i - 1] : "originals"}</span>
              <Sheet rows={[row]} dark={dark} class="wide" label={i ? `Reconstructions by ${names[i - 1]}` : "Originals"} />
            </div>
          ))}
        </div>
      )}
      <Cut bundle={found.value} />
      {((found.value?.facts.notes as string[] | undefined) ?? []).map((note) => (
        <p key={note} class="muted small">
          {sentence(note)}
        </p>
      ))}
    </Panel>
  );
}
