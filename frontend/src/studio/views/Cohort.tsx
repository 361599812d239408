/** The points within a lasso: what they are, their mean, and their numbers to take away. */
import { useMemo } from "preact/hooks";
import { save, toCsv } from "../../core/csv";
import { NONE } from "../../core/palette";
import { imagesOf } from "../../core/pixels";
import { Picture } from "../../parts/Picture";
import { postForBundle, runPath, type RunInfo } from "../api";
import { argumentsOf, atStep, literal, pythonOf } from "../copies";
import { CopyAs, Facts, nice, Panel, Trouble, useLoad } from "../ui";
import { useClass } from "./Classes";
import { latentOf, type Points } from "./points";

const LISTED = 500; // of more samples, the numbers are read from the file that is exported

interface CohortProps {
  info: RunInfo;
  points: Points;
  chosen: number[];
  split: string;
  step: number | null;
  onClear: () => void;
}

export function Cohort({ info, points, chosen, split, step, onClear }: CohortProps) {
  const [y] = useClass(info);
  const ids = useMemo(() => chosen.map((i) => points.ids[i]), [chosen, points]);
  const found = useLoad(ids.length ? () => postForBundle(runPath(info.id, "mean"), { split, ids, y, step }) : null, [ids, JSON.stringify(info.stamp), y, step]);
  const makeup = useMemo(() => {
    const counts = new Map<number, number>();
    if (points.labels) for (const i of chosen) counts.set(points.labels[i], (counts.get(points.labels[i]) ?? 0) + 1);
    return [...counts].sort((a, b) => b[1] - a[1]);
  }, [chosen, points]);
  if (!chosen.length) return null;
  const error = points.errors.length ? chosen.reduce((sum, i) => sum + points.errors[i], 0) / chosen.length : null;
  const name = (label: number) => (label === NONE ? "no label" : (info.classes[label] ?? String(label)));
  const file = `${info.id.replaceAll("/", "-")}-${split}-cohort.csv`;
  const download = () => {
    const latents = points.z.length > 0;
    const header = ["id", "label", "squared_error", ...(latents ? Array.from({ length: points.dim }, (_, i) => `z${i}`) : [])];
    const rows = chosen.map((i) => [points.ids[i], points.labels ? name(points.labels[i]) : "", points.errors[i] ?? "", ...(latents ? Array.from(latentOf(points, i)!) : [])]);
    save(file, toCsv(header, rows));
  };
  const python = pythonOf(
    info.path,
    ...atStep(step),
    ...(ids.length > LISTED ? ["import numpy as np"] : []),
    `ids = ${ids.length > LISTED ? `np.loadtxt(${literal(file)}, delimiter=",", quotechar='"', skiprows=1, usecols=0, dtype=int)  # the exported file` : literal(ids)}`,
    `print(run.embed(${argumentsOf({ split, n: ids.reduce((most, id) => Math.max(most, id), 0) + 1, write: false })}).latents[ids].mean(0))`,
  );
  return (
    <Panel
      title={`Cohort of ${nice(chosen.length)}`}
      class="cohort"
      aside={
        <>
          <button type="button" class="primary" onClick={download}>
            Export as CSV
          </button>
          <button type="button" onClick={onClear}>
            Clear
          </button>
        </>
      }
    >
      <div class="cohort-body">
        {found.error && <Trouble>{found.error}</Trouble>}
        {found.value && (
          <figure>
            <Picture pixels={imagesOf(found.value)[0]} size={120} label="The mean of the cohort's latents, decoded" />
            <figcaption>mean latent, decoded</figcaption>
          </figure>
        )}
        <div>
          <Facts facts={[["Samples", nice(chosen.length)], error !== null && ["Mean squared error", nice(error), "summed over each sample's values, mean over the cohort"]]} />
          {makeup.length > 0 && (
            <p class="muted small">
              {makeup
                .slice(0, 8)
                .map(([label, count]) => `${name(label)}: ${count}`)
                .join(" · ")}
            </p>
          )}
          <CopyAs command={null} python={python} />
        </div>
      </div>
    </Panel>
  );
}
