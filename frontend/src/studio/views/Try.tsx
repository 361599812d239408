/** A sample of one's own through the model: drawn, pasted or dropped; or made noisy, for the model to clean. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { floats, type Bundle } from "../../core/bundle";
import { LatestWins } from "../../core/decoder";
import { numberFrom } from "../../core/hash";
import { blank, imagesOf, type Pixels } from "../../core/pixels";
import { Picture } from "../../parts/Picture";
import { getBundle, postSample, runPath, type RunInfo } from "../api";
import { commandOf, literal, pythonOf, type Copies } from "../copies";
import { useQuery } from "../place";
import { Choice, CopyAs, Facts, nice, Panel, Slider, Trouble } from "../ui";
import { Classes, useClass } from "./Classes";
import { Easel, type Brush } from "./Easel";
import { PosteriorChart } from "./PosteriorChart";
import type { ViewProps } from "./RunPage";

/** A sample as `encode` takes it: in the units of its source, before the data were prepared for the model. */
export const sourceOf = (pair: Bundle): Float32Array => floats(pair, pair.arrays.source ? "source" : "original");

type Body = Blob | Uint8Array | Float32Array;

/** What the model makes of the latest sample. */
function useAnswer(info: RunInfo, y: number | null, noisy: boolean) {
  const [answer, setAnswer] = useState<Bundle | null>(null);
  const [error, setError] = useState<string | null>(null);
  const queue = useMemo(
    () =>
      new LatestWins<Body, Bundle>(
        (body) => postSample(runPath(info.id, noisy ? "denoise" : "encode"), { y }, body),
        (bundle) => {
          setAnswer(bundle);
          setError(null);
        },
        (fault) => setError(fault.message),
      ),
    [info.id, JSON.stringify(info.stamp), y, noisy],
  );
  useEffect(() => () => queue.close(), [queue]);
  return { answer, error, queue, setError };
}

export function Try({ info }: ViewProps) {
  if (info.event?.kind === "vector") return <TryVector info={info} />;
  return info.event ? <TryImage info={info} event={info.event} /> : null;
}

function TryImage({ info, event }: { info: RunInfo; event: NonNullable<RunInfo["event"]> }) {
  const [query, setQuery] = useQuery();
  const [y] = useClass(info);
  const { height, width, channels } = event;
  const noisy = query.do?.[0] === "denoise";
  const [brush, setBrush] = useState<Brush>(noisy ? "noise" : "ink");
  const usual = Math.max(0.5, Math.round(width / 28) * 1);
  const radius = numberFrom(query.brush, usual, 0, width / 4);
  const noise = numberFrom(query.noise, 0.4, 0, 1);
  const [colour, setColour] = useState("#ffffff");
  const [version, setVersion] = useState(0);
  const pixels = useRef<Pixels>(blank(height, width, channels));
  const exact = useRef<Float32Array | null>(null); // of a picture of real numbers, before it is brushed
  const clean = useRef<{ image: Pixels; exact: Float32Array | null } | null>(null);
  const { answer, error, queue, setError } = useAnswer(info, y, noisy);
  const ink = channels === 3 ? [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)) : [255];

  const send = () => queue.push(exact.current ?? (pixels.current.data as Uint8Array).slice());
  const brushed = () => {
    exact.current = null;
    send();
  };
  const put = (image: Pixels, source: Float32Array | null = null) => {
    pixels.current = { ...image, data: image.data.slice() as Uint8Array };
    exact.current = source;
    clean.current = { image: { ...image, data: image.data.slice() as Uint8Array }, exact: source };
    setVersion((before) => before + 1);
    send();
  };
  useEffect(() => {
    if (clean.current) send();
    else if (query.sample?.[0]) void take(Number(query.sample[0]));
  }, [queue]);
  const take = async (index: number) => {
    try {
      const pair = await getBundle(runPath(info.id, "pair"), { index, split: info.splits.test ? "test" : null });
      put(imagesOf(pair, "original")[0], pair.arrays.source ? floats(pair, "source") : null);
      setQuery({ sample: index });
    } catch (fault) {
      setError((fault as Error).message);
    }
  };
  const takeFile = async (file: Blob | null | undefined) => {
    if (!file) return;
    if (!file.type.startsWith("image/")) return setError("That is not a picture: drop a PNG or JPEG file.");
    try {
      put(imagesOf(await postSample(runPath(info.id, "encode"), { y }, file), "input")[0]);
    } catch (fault) {
      setError((fault as Error).message);
    }
  };
  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
      if (file) void takeFile(file);
    };
    addEventListener("paste", paste);
    return () => removeEventListener("paste", paste);
  });
  const most = Math.max(0, (info.splits.test ?? Object.values(info.splits)[0] ?? 1) - 1);
  return (
    <div class="stack">
      <div class="toolbar">
        <Choice
          label="What to try"
          value={noisy ? "denoise" : "encode"}
          options={[
            ["encode", "Reconstruct"],
            ["denoise", "Denoise"],
          ]}
          onChange={(value) => {
            setQuery({ do: value === "encode" ? null : value });
            setBrush(value === "denoise" ? "noise" : "ink");
          }}
        />
        <Classes info={info} />
      </div>
      <div class="try">
        <Panel title={noisy ? "Brush noise on it" : "Draw, paste or drop a picture"}>
          <div
            class="drop"
            onDragOver={(event) => event.preventDefault()}
            onDrop={(event) => {
              event.preventDefault();
              void takeFile(event.dataTransfer?.files[0]);
            }}
          >
            <Easel pixels={pixels.current} version={version} brush={brush} radius={radius} ink={ink} paper={[0]} noise={noise} onChange={brushed} onRadius={(by) => setQuery({ brush: Math.max(0, radius + by) })} />
          </div>
          <div class="toolbar">
            <Choice
              label="Brush"
              value={brush}
              options={[
                ["ink", "Draw"],
                ["erase", "Erase"],
                ["noise", "Noise"],
              ]}
              onChange={setBrush}
            />
            {channels === 3 && brush === "ink" && <input type="color" aria-label="Colour" value={colour} onInput={(event) => setColour(event.currentTarget.value)} />}
          </div>
          <Slider label="Brush" value={radius} min={0} max={width / 4} step={0.5} shown={`${nice(2 * radius + 1)} px`} onInput={(value) => setQuery({ brush: value })} />
          {brush === "noise" && <Slider label="Noise" value={noise} min={0.05} max={1} step={0.05} shown={`σ ${noise.toFixed(2)}`} onInput={(value) => setQuery({ noise: value })} />}
          <div class="toolbar">
            <button type="button" onClick={() => put(blank(height, width, channels))}>
              Clear
            </button>
            {noisy && clean.current && (
              <button type="button" onClick={() => put(clean.current!.image, clean.current!.exact)}>
                Take the noise off
              </button>
            )}
            <button type="button" onClick={() => void take(Math.floor(Math.random() * (most + 1)))}>
              A test sample
            </button>
            <label class="button file">
              Open a picture
              <input type="file" accept="image/*" onChange={(event) => void takeFile(event.currentTarget.files?.[0])} />
            </label>
          </div>
        </Panel>
        <Answer info={info} answer={answer} error={error} noisy={noisy} />
      </div>
      {info.copy.try && <CopyAs {...(noisy ? { command: info.copy.try.command.replace("reconstruct", "denoise"), python: info.copy.try.python.replace("reconstruct", "denoise") } : info.copy.try)} />}
    </div>
  );
}

interface AnswerProps {
  info: RunInfo;
  answer: Bundle | null;
  error: string | null;
  noisy: boolean;
}

function Answer({ info, answer, error, noisy }: AnswerProps) {
  const facts = (answer?.facts ?? {}) as { error?: number; rate?: number | null; elbo?: number | null; class?: { name: string; probability: number } };
  const untrained = noisy && !info.corruption;
  return (
    <Panel title={noisy ? "What it makes of it" : "How the model sees it"} class="answer">
      {error && <Trouble>{error}</Trouble>}
      {!answer && !error && <p class="muted">Draw something, or take a test sample.</p>}
      {answer && (
        <>
          <div class="answer-pictures">
            {(noisy ? ["input", "reconstruction"] : ["reconstruction", "difference"]).map(
              (name) =>
                imagesOf(answer, name)[0] && (
                  <figure key={name}>
                    <Picture pixels={imagesOf(answer, name)[0]} size={196} label={name === "difference" ? "Reconstruction minus input; grey is none" : `The ${name}`} />
                    <figcaption>{noisy ? (name === "input" ? "noisy" : "cleaned") : name}</figcaption>
                  </figure>
                ),
            )}
          </div>
          <Facts
            facts={[
              facts.error !== undefined && ["Squared error", nice(facts.error), "summed over the sample's values"],
              facts.rate != null && ["Rate", `${nice(facts.rate)} nats`],
              facts.elbo != null && ["ELBO", `${nice(facts.elbo)} nats`, "of one sample of z"],
              facts.class && ["Class", `${facts.class.name} (${Math.round(100 * facts.class.probability)} %)`],
            ]}
          />
          {!noisy && <PosteriorChart z={floats(answer, "z")} scale={floats(answer, "scale")} />}
          {untrained && <p class="muted small">This model was not trained to undo noise; it removes only what its latents cannot express.</p>}
        </>
      )}
    </Panel>
  );
}

/** A real number of 32 bits, as short as it can be written. */
export function written(value: number): string {
  const lengths = [6, 7, 8].map((digits) => Number(value.toPrecision(digits)));
  return String(lengths.find((short) => Math.fround(short) === Math.fround(value)) ?? Number(value.toPrecision(9)));
}

/** The same sample, as a file of numbers. */
function copies(info: RunInfo, row: number[]): Copies {
  const numbers = literal([row]);
  return {
    command: `printf '%s\\n' ${row.join(",")} > sample.csv && ${commandOf("reconstruct", info.path, { input: "sample.csv" })}`,
    python: pythonOf(info.path, "import numpy as np", `np.save("sample.npy", np.array(${numbers}, dtype="float32"))`, `run.reconstruct(input="sample.npy")`),
  };
}

function TryVector({ info }: { info: RunInfo }) {
  const [y] = useClass(info);
  const [text, setText] = useState("");
  const { answer, error, queue, setError } = useAnswer(info, y, false);
  const dim = info.event?.width ?? 0;
  const values = text.split(/[\s,;]+/).filter(Boolean).map(Number);
  const send = () => {
    if (values.length !== dim || !values.every(Number.isFinite)) setError(`The model takes ${dim} numbers; these are ${values.filter(Number.isFinite).length}.`);
    else queue.push(Float32Array.from(values));
  };
  const take = async () => {
    const most = info.splits.test ?? 1;
    try {
      const pair = await getBundle(runPath(info.id, "pair"), { index: Math.floor(Math.random() * most), split: info.splits.test ? "test" : null });
      const row = sourceOf(pair);
      setText([...row].map(written).join(", "));
      queue.push(row);
    } catch (fault) {
      setError((fault as Error).message);
    }
  };
  return (
    <div class="try">
      <Panel title={`${dim} numbers`}>
        <textarea rows={8} aria-label="The sample's values, with commas between them" value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <div class="toolbar">
          <button type="button" class="primary" onClick={send}>
            Encode
          </button>
          <button type="button" onClick={() => void take()}>
            A test sample
          </button>
          <Classes info={info} />
        </div>
      </Panel>
      <Answer info={info} answer={answer} error={error} noisy={false} />
      {values.length === dim && values.every(Number.isFinite) && <CopyAs {...copies(info, values)} />}
    </div>
  );
}
