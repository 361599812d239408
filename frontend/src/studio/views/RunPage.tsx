/** One run: what it is, what can be done to it, and its views. */
import { useEffect, useRef, useState } from "preact/hooks";
import { writeHash } from "../../core/hash";
import { getJson, postJson, runPath, type RunInfo, type RunRow } from "../api";
import { socket } from "../socket";
import { nice, Refusal, sentence, Trouble, useLoad } from "../ui";
import { Anomalies } from "./Anomalies";
import { Health } from "./Health";
import { Latent } from "./Latent";
import { Paths } from "./Paths";
import { progress, State } from "./Runs";
import { Samples } from "./Samples";
import { Training } from "./Training";
import { Traversals } from "./Traversals";
import { Try } from "./Try";

export interface ViewProps {
  info: RunInfo;
  reload: () => void;
}

const views = {
  training: ["Training", Training],
  latent: ["Latent space", Latent],
  traversals: ["Traversals", Traversals],
  paths: ["Paths", Paths],
  samples: ["Samples", Samples],
  try: ["Try it", Try],
  anomalies: ["Anomalies", Anomalies],
  health: ["Health", Health],
} as const;

function Controls({ info, reload }: ViewProps) {
  const [error, setError] = useState<string | null>(null);
  const [said, setSaid] = useState("");
  const [epochs, setEpochs] = useState("");
  useEffect(() => setSaid(""), [info.state]);
  const act = (verb: "stop" | "resume", body: unknown, words = "") => {
    setError(null);
    postJson(`/api/jobs/${encodeURIComponent(info.id)}/${verb}`, body).then(
      () => {
        setSaid(words);
        reload();
      },
      (fault: Error) => setError(fault.message),
    );
  };
  const idle = !info.job; // a process that was stopped takes a moment to leave
  const resumable = idle && ["interrupted", "crashed", "failed", "diverged"].includes(info.state);
  return (
    <div class="controls">
      {info.live && (
        <button type="button" onClick={() => act("stop", {}, "Asked to stop; a checkpoint is being saved.")}>
          Stop
        </button>
      )}
      {resumable && (
        <button type="button" class="primary" onClick={() => act("resume", { epochs: null })}>
          Resume
        </button>
      )}
      {idle && info.state === "finished" && (
        <form
          class="further"
          onSubmit={(event) => {
            event.preventDefault();
            if (Number(epochs) > 0) act("resume", { epochs: Number(epochs) });
          }}
        >
          <input type="number" min="1" aria-label="Train on to this many epochs in all" placeholder="epochs in all" value={epochs} onInput={(event) => setEpochs(event.currentTarget.value)} />
          <button type="submit" disabled={!(Number(epochs) > 0)}>
            Train on
          </button>
        </form>
      )}
      <span class="muted small" role="status">
        {said}
      </span>
      {error && <Trouble>{error}</Trouble>}
    </div>
  );
}

function Summary({ info }: { info: RunInfo }) {
  const facts = [
    info.preset,
    info.data && `on ${info.data}`,
    info.latent?.dim && (info.latent.shape?.length === 1 ? `${info.latent.dim} latents` : `latents of ${info.latent.shape?.join(" × ")}`),
    info.latent?.codebook && `${info.latent.codebook} codes`,
    info.parameters && `${nice(info.parameters)} parameters`,
    info.state === "finished" ? info.planned : progress(info),
    info.test?.elbo != null && `ELBO ${nice(info.test.elbo)}`,
    info.test?.mse != null && `MSE ${nice(info.test.mse)}`,
  ].filter(Boolean);
  return <p class="summary muted">{facts.join(" · ")}</p>;
}

export function RunPage({ run, view }: { run: string; view: string }) {
  const begun = useRef(false);
  const loaded = useLoad(
    async (signal): Promise<RunInfo | RunRow> => {
      if (!begun.current) {
        // A job that has not become a run yet is in the list alone.
        const { runs } = await getJson<{ runs: RunRow[] }>("/api/runs", {}, signal);
        const row = runs.find(({ id }) => id === run);
        if (row && !row.path) return row;
      }
      const info = await getJson<RunInfo>(runPath(run), {}, signal);
      begun.current = true;
      return info;
    },
    [run],
  );
  useEffect(() => {
    socket.onRuns.add(loaded.again);
    return () => void socket.onRuns.delete(loaded.again);
  }, [run]);
  const info = loaded.value && "views" in loaded.value ? loaded.value : null;
  const job = loaded.value && !info ? loaded.value : null;
  useEffect(() => {
    if (!job?.live) return;
    const timer = setTimeout(loaded.again, 700);
    return () => clearTimeout(timer);
  }, [loaded.value]);
  useEffect(() => {
    document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [view, Boolean(info)]);
  if (!info)
    return (
      <div class="page">
        <div class="heading">
          <h1>{run}</h1>
          {job && <State run={job} />}
        </div>
        {loaded.error ? <Trouble>{loaded.error}</Trouble> : <p class="muted">{job ? (job.live ? "The training is starting …" : sentence(job.problem ?? "It did not start.")) : "Reading the run …"}</p>}
        {job && <StartingLog run={run} />}
      </div>
    );
  const known = view in views ? (view as keyof typeof views) : "training";
  const [, View] = views[known];
  const applies = info.views[known] ?? { ok: true };
  return (
    <div class="page">
      <div class="heading">
        <h1>{run}</h1>
        <State run={info} />
        <Controls info={info} reload={loaded.again} />
      </div>
      <Summary info={info} />
      {loaded.error && <Trouble>{loaded.error}</Trouble>}
      <nav class="tabs" aria-label="Views of the run">
        {Object.entries(views).map(([name, [title]]) => (
          <a
            key={name}
            href={writeHash({ page: "run", run, view: name })}
            aria-current={name === known ? "page" : undefined}
            class={info.views[name]?.ok === false ? "absent" : ""}
            title={info.views[name]?.ok === false ? info.views[name].why : undefined}
          >
            {title}
          </a>
        ))}
      </nav>
      {applies.note && <p class="note">{applies.note}.</p>}
      {applies.ok || known === "samples" || known === "training" ? <View info={info} reload={loaded.again} /> : <Refusal applies={applies} />}
    </div>
  );
}

/** What a job says that has not become a run yet. */
function StartingLog({ run }: { run: string }) {
  const log = useLoad((signal) => getJson<{ text: string; running: boolean }>(`/api/jobs/${encodeURIComponent(run)}/log`, {}, signal), [run]);
  useEffect(() => {
    if (!log.value?.running) return;
    const timer = setTimeout(log.again, 1000);
    return () => clearTimeout(timer);
  }, [log.value]);
  if (!log.value?.text) return null;
  return (
    <pre class="log" tabIndex={0}>
      {log.value.text}
    </pre>
  );
}
