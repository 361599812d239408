/** All runs of the folder in a table that sorts, from which several can be compared. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { writeHash } from "../../core/hash";
import { getJson, type RunRow } from "../api";
import { go, useQuery } from "../place";
import { socket } from "../socket";
import { duration, nice, Trouble, useLoad } from "../ui";

type Key = "id" | "preset" | "data" | "state" | "latent_dim" | "elbo" | "mse" | "parameters" | "seconds" | "started";

const columns: readonly (readonly [Key, string, boolean, string?])[] = [
  ["id", "Run", false],
  ["preset", "Preset", false],
  ["data", "Data", false],
  ["state", "State", false],
  ["latent_dim", "Latents", true, "Latent dimensions"],
  ["elbo", "ELBO", true, "Evidence lower bound on the test part, in nats per sample; higher is better"],
  ["mse", "MSE", true, "Mean squared error of reconstructions on the test part; lower is better"],
  ["parameters", "Parameters", true],
  ["seconds", "Time", true],
  ["started", "Begun", true],
];

const valueOf = (run: RunRow, key: Key): string | number | null => (key === "elbo" || key === "mse" ? (run.test?.[key] ?? null) : (run[key] ?? null));

/** Nothing comes last, whichever way the rest is sorted. */
export function compareRows(a: RunRow, b: RunRow, key: Key, down: boolean): number {
  const [x, y] = [valueOf(a, key), valueOf(b, key)];
  if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
  const order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), "en", { numeric: true });
  return down ? -order : order;
}

export const State = ({ run }: { run: Pick<RunRow, "state" | "live" | "problem"> }) => (
  <span class={`state state-${run.state}`} title={run.problem ?? undefined}>
    {run.state}
  </span>
);

/** How far a run is, in steps. */
export const progress = (run: Pick<RunRow, "step" | "steps">): string | null => (run.step == null ? null : `step ${nice(run.step)}${run.steps ? ` of ${nice(run.steps)}` : ""}`);

const when = (seconds: number | null | undefined): string => {
  if (!seconds) return "–";
  const date = new Date(1000 * seconds);
  const today = new Date().toDateString() === date.toDateString();
  return date.toLocaleString("en-GB", today ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
};

export function Runs() {
  const [query, setQuery] = useQuery();
  const listed = useLoad((signal) => getJson<{ runs: RunRow[] }>("/api/runs", {}, signal), []);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const sort = (query.sort?.[0] ?? "started") as Key;
  const down = (query.down?.[0] ?? (sort === "started" ? "1" : "0")) === "1";
  const words = query.find?.[0] ?? "";
  useEffect(() => {
    socket.onRuns.add(listed.again);
    return () => void socket.onRuns.delete(listed.again);
  }, []);
  const rows = useMemo(() => {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = (listed.value?.runs ?? []).filter((run) => wanted.every((word) => `${run.id} ${run.preset} ${run.data} ${run.state}`.toLowerCase().includes(word)));
    return shown.sort((a, b) => compareRows(a, b, sort, down));
  }, [listed.value, sort, down, words]);

  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const total = listed.value?.runs.length ?? 0;
  return (
    <div class="page">
      <div class="heading">
        <h1>Runs</h1>
        <input
          type="search"
          aria-label="Find runs by name, preset, data or state"
          placeholder="Find"
          value={words}
          onInput={(event) => setQuery({ find: event.currentTarget.value })}
        />
        <button type="button" disabled={chosen.size < 2 || chosen.size > 8} onClick={() => go({ page: "compare", query: { run: [...chosen] } })}>
          {chosen.size > 8 ? "Compare at most 8" : `Compare${chosen.size ? ` ${chosen.size}` : ""}`}
        </button>
        <a class="button primary" href="#/train">
          Train a model
        </a>
      </div>
      {listed.error && <Trouble>{listed.error}</Trouble>}
      {listed.value && !total && (
        <div class="empty">
          <p>There are no runs here yet.</p>
          <p class="muted">Train one: the digits that come with it take a few seconds.</p>
          <a class="button primary" href="#/train">
            Train a model
          </a>
        </div>
      )}
      {total > 0 && (
        <div class="table-box" tabIndex={0} role="region" aria-label="Table of runs">
          <table class="runs">
            <thead>
              <tr>
                <th scope="col">
                  <span class="unseen">Compare</span>
                </th>
                {columns.map(([key, title, number, help]) => (
                  <th key={key} scope="col" class={number ? "number" : ""} aria-sort={sort === key ? (down ? "descending" : "ascending") : undefined}>
                    <button type="button" title={help} onClick={() => setQuery({ sort: key, down: sort === key && !down ? "1" : "0" })}>
                      {title}
                      <span aria-hidden="true" class="sort">
                        {sort === key ? (down ? "↓" : "↑") : ""}
                      </span>
                    </button>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((run) => (
                <tr key={run.id} class={chosen.has(run.id) ? "chosen" : ""}>
                  <td>
                    <input type="checkbox" aria-label={`Compare ${run.id}`} checked={chosen.has(run.id)} onChange={() => toggle(run.id)} />
                  </td>
                  <th scope="row">
                    <a href={writeHash({ page: "run", run: run.id, view: "training" })}>{run.id}</a>
                  </th>
                  <td>{run.preset ?? "–"}</td>
                  <td>{run.data ?? "–"}</td>
                  <td>
                    <State run={run} />
                    {run.live && <span class="muted small"> {progress(run)}</span>}
                    {run.problem && <span class="muted small problem"> {run.problem}</span>}
                  </td>
                  <td class="number">{nice(run.latent_dim)}</td>
                  <td class="number">{nice(run.test?.elbo)}</td>
                  <td class="number">{nice(run.test?.mse)}</td>
                  <td class="number">{nice(run.parameters)}</td>
                  <td class="number">{duration(run.seconds)}</td>
                  <td class="number">{when(run.started)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {total > 0 && !rows.length && <p class="muted">No run matches “{words}”.</p>}
    </div>
  );
}
