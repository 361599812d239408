/** One sample: original, reconstruction, difference, where its posterior lies, and what lies nearest to it. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { floats, type Bundle } from "../../core/bundle";
import { LatestWins } from "../../core/decoder";
import { imagesOf } from "../../core/pixels";
import { Picture } from "../../parts/Picture";
import { getBundle, runPath, type RunInfo } from "../api";
import { Facts, nice, Panel, Trouble } from "../ui";
import { PosteriorChart } from "./PosteriorChart";

interface PointCardProps {
  info: RunInfo;
  /** The sample's number within its part, or -1. */
  index: number;
  split: string;
  step?: number | null;
  onGo?: (id: number) => void;
}

/** The pair of a sample; while the pointer moves on, only the latest is asked for. */
export function usePair(info: RunInfo, index: number, split: string, step?: number | null): { pair: Bundle | null; error: string | null } {
  const [pair, setPair] = useState<Bundle | null>(null);
  const [error, setError] = useState<string | null>(null);
  const queue = useMemo(
    () =>
      new LatestWins<number, Bundle>(
        (wished) => getBundle(runPath(info.id, "pair"), { split, index: wished, step }),
        (bundle) => {
          setPair(bundle);
          setError(null);
        },
        (fault) => setError(fault.message),
      ),
    [info.id, JSON.stringify(info.stamp), split, step],
  );
  useEffect(() => () => queue.close(), [queue]);
  useEffect(() => {
    if (index >= 0) queue.push(index);
    else setPair(null);
  }, [index, queue]);
  return { pair, error };
}

export function PointCard({ info, index, split, step, onGo }: PointCardProps) {
  const { pair, error } = usePair(info, index, split, step);
  const label = pair?.facts.label as number | null | undefined;
  return (
    <Panel title={pair ? `Sample ${pair.facts.index as number}` : "A sample"} class="point-card">
      {error && <Trouble>{error}</Trouble>}
      {!pair && !error && <p class="muted small">Point at one of the dots, or choose one below.</p>}
      {pair && (
        <>
          <Trio pair={pair} />
          <Facts
            facts={[
              label != null && ["Label", info.classes[label] ?? label],
              ["Squared error", nice(pair.facts.error as number), "summed over the sample's values"],
            ]}
          />
          <PosteriorChart z={floats(pair, "z")} scale={floats(pair, "scale")} />
          <Neighbours pair={pair} onGo={onGo} />
        </>
      )}
    </Panel>
  );
}

/** Original, reconstruction and what lies between them. */
export function Trio({ pair, size = 84, names = ["original", "reconstruction", "difference"] }: { pair: Bundle; size?: number; names?: string[] }) {
  return (
    <div class="trio">
      {names.map((name) => {
        const [pixels] = imagesOf(pair, name);
        return (
          pixels && (
            <figure key={name}>
              <Picture pixels={pixels} size={size} label={name === "difference" ? "Reconstruction minus original; grey is none" : `The ${name}`} />
              <figcaption>{name}</figcaption>
            </figure>
          )
        );
      })}
    </div>
  );
}

function Neighbours({ pair, onGo }: { pair: Bundle; onGo?: (id: number) => void }) {
  const ids = pair.arrays.neighbours?.data ?? [];
  const pictures = imagesOf(pair, "neighbour_pixels");
  const distances = (pair.facts.distances as number[] | undefined) ?? [];
  if (!pictures.length) return null;
  return (
    <div>
      <h3>Nearest in the latent space</h3>
      <div class="neighbours">
        {pictures.map((pixels, k) => (
          <button key={ids[k]} type="button" class="picture-button" title={`Sample ${ids[k]}, ${nice(distances[k])} away`} onClick={() => onGo?.(ids[k])}>
            <Picture pixels={pixels} size={36} label={`Sample ${ids[k]}, ${nice(distances[k])} away`} />
          </button>
        ))}
      </div>
    </div>
  );
}
