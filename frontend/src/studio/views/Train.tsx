/** Start a training: a preset, data, and any setting of the config, each with its own help text. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { getJson, postJson, type FieldSpec, type StudioInfo } from "../api";
import { argumentsOf, literal, optionsOf } from "../copies";
import { go, useQuery } from "../place";
import { CopyAs, Labelled, Panel, sentence, shell, Trouble, useLoad } from "../ui";

type Values = Record<string, unknown>;

interface Preset {
  name: string;
  family: string;
  description: string;
  source: string;
  notes: string[];
  fields: { key: string; value: unknown; from: string }[];
}

/** Settings that most people look for first. */
export const first = ["training.epochs", "training.steps", "training.batch_size", "seed", "training.optimizer.lr", "model.latent_dim", "objective.beta", "training.device"];

const SNAPSHOTS = 30;

/** The settings that keep snapshots, unless settings say something about them. Between them lie equal numbers of steps where it is known how many there are. */
export function keptBy(settings: Values, steps: unknown): string[] {
  if ("training.checkpoint_every" in settings || "training.keep_checkpoints" in settings) return [];
  const every = typeof steps === "number" ? [`training.checkpoint_every=${Math.max(1, Math.floor(steps / SNAPSHOTS))}`] : [];
  return [...every, `training.keep_checkpoints=${SNAPSHOTS + 1}`];
}

const isNumber = ({ type }: FieldSpec): boolean => type === "integer" || type === "number";

/** What is wrong with a number, by the bounds of its setting; nothing, if it is right. */
export function outside(value: unknown, { min, max }: Pick<FieldSpec, "min" | "max">): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== "number") return "This must be a number.";
  if (min !== null && value < min) return `This must be at least ${min}.`;
  if (max !== null && value > max) return `This must be at most ${max}.`;
  return null;
}

export function Train() {
  const [query, setQuery] = useQuery();
  const about = useLoad((signal) => getJson<StudioInfo>("/api/studio", {}, signal), []);
  const name = query.preset?.[0] ?? "vae";
  const preset = useLoad((signal) => getJson<Preset>(`/api/presets/${encodeURIComponent(name)}`, {}, signal), [name]);
  const [settings, setSettings] = useState<Values>({});
  const [run, setRun] = useState("");
  const [snapshots, setSnapshots] = useState(true);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const data = query.data?.[0] ?? "digits";
  useEffect(() => setSettings({}), [name]);
  const presetValues = useMemo(() => Object.fromEntries((preset.value?.fields ?? []).map(({ key, value }) => [key, value])), [preset.value]);
  const valueOf = (field: FieldSpec) => (field.key in settings ? settings[field.key] : field.key in presetValues ? presetValues[field.key] : field.default);
  const all = about.value?.fields ?? [];
  const exists = (field: FieldSpec) => {
    if (field.key.startsWith("data.source") || !field.when) return !field.key.startsWith("data.source");
    const other = all.find((one) => one.key === field.when!.key);
    return Boolean(other && field.when.is.includes(String(valueOf(other))));
  };
  const fields = all.filter(exists);
  const change = (field: FieldSpec, value: unknown) => {
    const next = { ...settings };
    if (value === undefined || JSON.stringify(value) === JSON.stringify(presetValues[field.key])) delete next[field.key];
    else next[field.key] = value;
    setSettings(next);
  };
  const start = () => {
    for (const field of fields) {
      const fault = isNumber(field) ? outside(valueOf(field), field) : null;
      if (fault) return setError(`${field.key}: ${fault}`);
    }
    setBusy(true);
    setError(null);
    postJson<{ id: string }>("/api/jobs", { preset: name, data, settings, name: run || null, snapshots: snapshots ? SNAPSHOTS : 0 }).then(
      ({ id }) => go({ page: "run", run: id, view: "training" }),
      (fault: Error) => {
        setError(fault.message);
        setBusy(false);
      },
    );
  };
  const families = [...new Set(about.value?.presets.map(({ family }) => family))];
  const set = Object.entries(settings).map(([key, value]) => `${key}=${typeof value === "string" ? value : value === null ? "none" : JSON.stringify(value)}`);
  const value = (key: string) => (key in settings ? settings[key] : presetValues[key]);
  const kept = [...set, ...(snapshots ? keptBy(settings, value("training.steps")) : [])];
  const directory = run ? `${about.value?.folder ?? "runs"}/${run}` : undefined;
  const command = `latentia train ${shell(name)}${optionsOf({ data, out: directory, set: kept })}`;
  const python = `import latentia as lt\nlt.train(${literal(name)}, ${argumentsOf({ data, directory, settings: kept.length ? kept : undefined })})`;
  const local = about.value?.data.find((one) => one.name === data)?.local ?? true;
  const sections = [...new Set(fields.map(({ section }) => section))];
  const top = first.map((key) => fields.find((field) => field.key === key)).filter((field): field is FieldSpec => Boolean(field));
  return (
    <form
      class="page train"
      onSubmit={(event) => {
        event.preventDefault();
        start();
      }}
    >
      <div class="heading">
        <h1>Train a model</h1>
      </div>
      {about.error && <Trouble>{about.error}</Trouble>}
      <div class="train-grid">
        <Panel title="What">
          <Labelled label="Preset">
            <select value={name} onChange={(event) => setQuery({ preset: event.currentTarget.value })}>
              {families.map((family) => (
                <optgroup key={family} label={family}>
                  {about.value!.presets
                    .filter((one) => one.family === family)
                    .map((one) => (
                      <option key={one.name} value={one.name} selected={one.name === name}>
                        {one.name}
                      </option>
                    ))}
                </optgroup>
              ))}
            </select>
          </Labelled>
          {preset.error && <Trouble>{preset.error}</Trouble>}
          {preset.value && (
            <>
              <p>{sentence(preset.value.description)}</p>
              <p class="muted small">{preset.value.source}</p>
            </>
          )}
          <Labelled label="Data: a name, or the path of a file or folder on this machine">
            <input list="data-names" value={data} onInput={(event) => setQuery({ data: event.currentTarget.value })} />
          </Labelled>
          <datalist id="data-names">
            {about.value?.data.map((one) => (
              <option key={one.name} value={one.name} />
            ))}
          </datalist>
          {!local && <p class="muted small">These data are not on this machine: the training downloads them first.</p>}
          <Labelled label="Name of the run (left out: the time and the preset)">
            <input value={run} placeholder={`time-${name}`} onInput={(event) => setRun(event.currentTarget.value)} />
          </Labelled>
          <label class="check">
            <input type="checkbox" checked={snapshots} onChange={() => setSnapshots(!snapshots)} /> keep 30 snapshots, to play the training back
          </label>
        </Panel>
        <Panel title="Settings most often changed">
          {top.map((field) => (
            <Field key={field.key} field={field} value={valueOf(field)} changed={field.key in settings} onChange={(value) => change(field, value)} />
          ))}
        </Panel>
      </div>
      <div class="start">
        <button type="submit" class="primary large" disabled={busy}>
          {busy ? "Starting …" : "Start training"}
        </button>
        {Object.keys(settings).length > 0 && (
          <button type="button" onClick={() => setSettings({})}>
            {`Take back ${Object.keys(settings).length} ${Object.keys(settings).length === 1 ? "change" : "changes"}`}
          </button>
        )}
        <CopyAs command={command} python={python} />
        {error && <Trouble>{error}</Trouble>}
      </div>
      <h2>Every setting</h2>
      {sections.map((section) => (
        <details key={section} class="panel settings">
          <summary>{section || "general"}</summary>
          <div class="fields">
            {fields
              .filter((field) => field.section === section)
              .map((field) => (
                <Field key={field.key} field={field} value={valueOf(field)} changed={field.key in settings} onChange={(value) => change(field, value)} />
              ))}
          </div>
        </details>
      ))}
    </form>
  );
}

interface FieldProps {
  field: FieldSpec;
  value: unknown;
  changed: boolean;
  onChange: (value: unknown) => void;
}

const asText = (value: unknown): string => (value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));

/** What was typed, as the config takes it; an empty field is none where there may be none. */
function parsed(text: string, field: FieldSpec): unknown {
  if (text.trim() === "") return field.optional ? null : undefined;
  if (field.type === "integer" || field.type === "number") return Number.isFinite(Number(text)) ? Number(text) : text;
  if (field.type === "list" || field.type === "schedule") {
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }
  return text;
}

function Field({ field, value, changed, onChange }: FieldProps) {
  const id = `field-${field.key}`;
  const choices = field.choices ? (field.optional ? [null, ...field.choices] : field.choices) : null;
  const numeric = isNumber(field);
  const fault = numeric ? outside(value, field) : null;
  return (
    <div class={`field${changed ? " changed" : ""}`}>
      <label for={id}>{field.key.split(".").slice(1).join(" · ").replaceAll("_", " ") || field.key}</label>
      {field.type === "boolean" ? (
        <input id={id} type="checkbox" aria-describedby={`${id}-help`} checked={Boolean(value)} onChange={(event) => onChange(event.currentTarget.checked)} />
      ) : choices ? (
        <select id={id} aria-describedby={`${id}-help`} value={asText(value)} onChange={(event) => onChange(choices.find((choice) => asText(choice) === event.currentTarget.value))}>
          {choices.map((choice) => (
            <option key={asText(choice)} value={asText(choice)} selected={asText(choice) === asText(value)}>
              {choice === null ? "none" : asText(choice)}
            </option>
          ))}
        </select>
      ) : (
        <input
          id={id}
          type="text"
          inputMode={numeric ? "decimal" : "text"}
          aria-invalid={fault ? "true" : undefined}
          aria-describedby={`${id}-help`}
          placeholder={field.optional ? "none" : undefined}
          value={asText(value)}
          onChange={(event) => onChange(parsed(event.currentTarget.value, field))}
        />
      )}
      <p id={`${id}-help`} class="muted small">
        {fault ? <strong class="fault">{fault} </strong> : null}
        {field.help}
      </p>
    </div>
  );
}
