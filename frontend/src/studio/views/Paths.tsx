/** A way from one sample to another through the latent space: straight, or along a great circle. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { save } from "../../core/csv";
import { numberFrom } from "../../core/hash";
import { imagesOf } from "../../core/pixels";
import { Picture, Sheet } from "../../parts/Picture";
import { useDark } from "../../parts/theme";
import { getBundle, postForBlob, postForBundle, runPath } from "../api";
import { argumentsOf, commandOf, optionsOf, pythonOf } from "../copies";
import { useQuery } from "../place";
import { Choice, CopyAs, Cut, isTyping, nice, Panel, Player, sentence, Trouble, useCalm, useLoad } from "../ui";
import type { ViewProps } from "./RunPage";

const STEPS = 24;
const SHELF = 96;

export function Paths({ info }: ViewProps) {
  const dark = useDark();
  const [query, setQuery] = useQuery();
  const split = info.splits.test ? "test" : (Object.keys(info.splits)[0] ?? "test");
  const most = Math.max(0, (info.splits[split] ?? 1) - 1);
  const a = numberFrom(query.a, 0, 0, most);
  const b = numberFrom(query.b, Math.min(1, most), 0, most);
  const kind = query.kind?.[0] ?? (info.latent?.standard ? "spherical" : "linear");
  const [at, setAt] = useState(0);
  const [playing, setPlaying] = useState(false);
  const direction = useRef(1);
  const body = useCalm({ a, b, kind, steps: STEPS, split }, 120);
  const found = useLoad(() => postForBundle(runPath(info.id, "path"), body), [info.id, JSON.stringify(info.stamp), JSON.stringify(body)]);
  const frames = useMemo(() => (found.value ? imagesOf(found.value) : []), [found.value]);
  const shelf = useLoad((signal) => getBundle(runPath(info.id, "thumbnails"), { split, n: SHELF }, signal), [info.id, JSON.stringify(info.stamp), split]);
  const [error, setError] = useState<string | null>(null);

  useEffect(() => {
    if (!playing || frames.length < 2) return;
    const timer = setTimeout(() => {
      if (at + direction.current < 0 || at + direction.current >= frames.length) direction.current *= -1;
      setAt(at + direction.current);
    }, 70);
    return () => clearTimeout(timer);
  }, [playing, at, frames]);
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      const range = (event.target as HTMLInputElement).type === "range";
      if ((isTyping(event) && !range) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === " " && !(event.target as HTMLElement).closest?.("button, a, summary")) setPlaying((before) => !before);
      else if (event.key === "ArrowLeft" && !range) setAt(Math.max(0, at - 1));
      else if (event.key === "ArrowRight" && !range) setAt(Math.min(frames.length - 1, at + 1));
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  });
  const random = () => setQuery({ a: Math.floor(Math.random() * (most + 1)), b: Math.floor(Math.random() * (most + 1)) });
  const gif = () =>
    postForBlob(runPath(info.id, "path.gif"), body).then(
      (file) => save(`${info.id.replaceAll("/", "-")}-${a}-${b}.gif`, file, "image/gif"),
      (fault: Error) => setError(fault.message),
    );
  const facts = found.value?.facts as { kind: string; why: string; distance: number } | undefined;
  const now = Math.min(at, frames.length - 1);
  return (
    <div class="stack">
      <Panel
        title="From A to B"
        aside={
          <>
            <Choice
              label="Kind of way"
              value={kind}
              options={[
                ["linear", "Straight"],
                ["spherical", "Great circle"],
              ]}
              onChange={(value) => setQuery({ kind: value })}
            />
            <button type="button" onClick={random}>
              Another pair
            </button>
          </>
        }
      >
        {found.error && <Trouble>{found.error}</Trouble>}
        {error && <Trouble>{error}</Trouble>}
        {frames.length > 0 && (
          <div class="path">
            <div class="path-stage">
              <figure>
                <Picture pixels={frames[0]} size={72} label="A, reconstructed" />
                <figcaption>A</figcaption>
              </figure>
              <Picture pixels={frames[now]} size={220} label={`Step ${now + 1} of ${frames.length} on the way`} class="large" />
              <figure>
                <Picture pixels={frames[frames.length - 1]} size={72} label="B, reconstructed" />
                <figcaption>B</figcaption>
              </figure>
            </div>
            <div class="playback">
              <Player
                playing={playing}
                onToggle={() => setPlaying(!playing)}
                label="Way"
                value={now}
                last={frames.length - 1}
                shown={`${Math.round((100 * now) / (frames.length - 1))} %`}
                onInput={(value) => {
                  setPlaying(false);
                  setAt(value);
                }}
              />
              {info.event?.kind === "image" && (
                <button type="button" onClick={() => void gif()}>
                  Save as GIF
                </button>
              )}
            </div>
            <Sheet rows={[frames.filter((_, i) => i % (innerWidth < 620 ? 4 : 2) === 0)]} dark={dark} class="wide" label="The whole way" />
            {facts && (
              <p class="muted small">
                {facts.kind === "spherical" ? "Along the great circle" : "Straight"}, {nice(facts.distance)} apart. {facts.kind !== kind && sentence(facts.why)}
              </p>
            )}
          </div>
        )}
        <Cut bundle={found.value} />
        <CopyAs
          command={`${commandOf("interpolate", info.path, {})} --images ${a} ${b}${optionsOf({ steps: frames.length || STEPS, path: facts?.kind ?? kind, split })}`}
          python={pythonOf(info.path, `run.interpolate(${argumentsOf({ images: [a, b], steps: frames.length || STEPS, path: facts?.kind ?? kind, split })})`)}
        />
      </Panel>
      <Panel title="Choose the ends" aside={<span class="muted small">a click sets A, with Shift or the right button B</span>}>
        <div class="ends">
          <End name="A" value={a} most={most} onChange={(value) => setQuery({ a: value })} />
          <End name="B" value={b} most={most} onChange={(value) => setQuery({ b: value })} />
        </div>
        <div class="shelf">
          {(shelf.value ? imagesOf(shelf.value) : []).map((pixels, i) => (
            <button
              key={i}
              type="button"
              class={`picture-button${i === a ? " is-a" : ""}${i === b ? " is-b" : ""}`}
              aria-label={`Sample ${i}${i === a ? ", A" : ""}${i === b ? ", B" : ""}`}
              onClick={(event) => setQuery(event.shiftKey ? { b: i } : { a: i })}
              onContextMenu={(event) => {
                event.preventDefault();
                setQuery({ b: i });
              }}
            >
              <Picture pixels={pixels} size={40} label="" />
            </button>
          ))}
        </div>
      </Panel>
    </div>
  );
}

const End = ({ name, value, most, onChange }: { name: string; value: number; most: number; onChange: (value: number) => void }) => (
  <label class="labelled">
    <span>{`${name}: sample`}</span>
    <input type="number" min={0} max={most} value={value} onInput={(event) => event.currentTarget.value !== "" && onChange(Number(event.currentTarget.value))} />
  </label>
);
