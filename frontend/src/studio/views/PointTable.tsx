/** The points as a table: the same that the plane shows, for those who cannot see or point. */
import { useMemo, useState } from "preact/hooks";
import { NONE } from "../../core/palette";
import { nice } from "../ui";
import type { Points } from "./points";

interface PointTableProps {
  points: Points;
  classes: string[];
  chosen: number[];
  picked: number;
  onPick: (index: number) => void;
}

const PAGE = 15;
type Order = "id" | "error" | "label";

export function PointTable({ points, classes, chosen, picked, onPick }: PointTableProps) {
  const [order, setOrder] = useState<Order>("error");
  const [page, setPage] = useState(0);
  const [open, setOpen] = useState(false);
  const sorted = useMemo(() => {
    if (!open) return [];
    const all = chosen.length ? [...chosen] : Array.from({ length: points.positions.length / 2 }, (_, i) => i);
    if (order === "error" && points.errors.length) all.sort((a, b) => points.errors[b] - points.errors[a]);
    if (order === "label" && points.labels) all.sort((a, b) => points.labels![a] - points.labels![b] || a - b);
    return all;
  }, [points, chosen, order, open]);
  const pages = Math.max(1, Math.ceil(sorted.length / PAGE));
  const now = Math.min(page, pages - 1);
  const headers: [Order, string][] = [["id", "Sample"], ...(points.labels ? [["label", "Label"] as [Order, string]] : []), ...(points.errors.length ? [["error", "Squared error"] as [Order, string]] : [])];
  return (
    <details class="panel point-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{chosen.length ? "The cohort as a table" : "The points as a table"}</summary>
      <div class="table-box" tabIndex={0} role="region" aria-label="Table of points">
        <table>
          <thead>
            <tr>
              {headers.map(([key, title]) => (
                <th key={key} scope="col" class={key === "error" ? "number" : ""} aria-sort={order === key ? (key === "error" ? "descending" : "ascending") : undefined}>
                  <button type="button" onClick={() => (setOrder(key), setPage(0))}>
                    {title}
                  </button>
                </th>
              ))}
              {points.facts.axes.map((axis, i) => (
                <th key={i} scope="col" class="number">
                  {axis}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted.slice(now * PAGE, (now + 1) * PAGE).map((i) => (
              <tr key={i} class={i === picked ? "chosen" : ""}>
                <th scope="row">
                  <button type="button" class="quiet" onClick={() => onPick(i)}>
                    {points.ids[i]}
                  </button>
                </th>
                {points.labels && <td>{points.labels[i] === NONE ? "–" : (classes[points.labels[i]] ?? points.labels[i])}</td>}
                {points.errors.length > 0 && <td class="number">{nice(points.errors[i])}</td>}
                <td class="number">{points.positions[2 * i].toFixed(3).replace("-", "−")}</td>
                <td class="number">{points.positions[2 * i + 1].toFixed(3).replace("-", "−")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div class="pager">
        <button type="button" disabled={now === 0} onClick={() => setPage(now - 1)}>
          Earlier
        </button>
        <span class="muted small">
          {nice(now + 1)} of {nice(pages)}
        </span>
        <button type="button" disabled={now >= pages - 1} onClick={() => setPage(now + 1)}>
          Later
        </button>
      </div>
    </details>
  );
}
