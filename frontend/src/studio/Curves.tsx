/** One figure over the steps, drawn by uPlot: zooms by dragging, back by a double click. */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { calmRange, type Column } from "../core/columns";
import { inks } from "../core/palette";
import { useDark } from "../parts/theme";
import { nice, Panel } from "./ui";

export interface Series {
  label: string;
  step: (number | null)[];
  value: (number | null)[];
  colour: string;
  dashed?: boolean;
  thin?: boolean;
}

interface CurvesProps {
  title: string;
  unit?: string;
  series: Series[];
  log?: boolean;
  /** A step to mark. */
  mark?: number | null;
  height?: number;
  legend?: boolean;
}

/** One table for all series: their steps in one column, gaps where one has none. */
function table(series: Series[]): uPlot.AlignedData {
  const tables = series.map(({ step, value }) => {
    const known = step.map((_, i) => i).filter((i) => step[i] !== null);
    return [known.map((i) => step[i]!), known.map((i) => value[i] ?? null)] as uPlot.AlignedData;
  });
  return tables.length > 1 ? uPlot.join(tables) : (tables[0] ?? [[], []]);
}

export function Curves({ title, unit = "", series, log = false, mark = null, height = 190, legend = true }: CurvesProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const marked = useRef(mark);
  const [cut, setCut] = useState(false);
  const dark = useDark();
  const shape = JSON.stringify([series.map(({ label, colour, dashed, thin }) => [label, colour, dashed, thin]), log, dark, height]);

  useLayoutEffect(() => {
    const ink = inks(dark);
    const axis = { stroke: ink.muted, grid: { stroke: ink.faint, width: 1 }, ticks: { stroke: ink.faint, size: 4 }, font: "11px system-ui, sans-serif", labelFont: "11px system-ui, sans-serif" };
    const drawMark = (chart: uPlot) => {
      if (marked.current === null) return;
      const x = chart.valToPos(marked.current, "x", true);
      const { ctx, bbox } = chart;
      if (x < bbox.left || x > bbox.left + bbox.width) return;
      ctx.save();
      ctx.fillStyle = ink.accent;
      ctx.fillRect(Math.round(x) - devicePixelRatio, bbox.top, 2 * devicePixelRatio, bbox.height);
      ctx.restore();
    };
    const chart = new uPlot(
      {
        width: box.current!.clientWidth || 300,
        height,
        cursor: { sync: { key: "steps" }, y: false, points: { size: 6 } },
        legend: { show: legend, live: legend },
        scales: {
          x: { time: false, range: (_, low, high) => (low == null ? [0, 1] : [low - 0.02 * (high - low), high + 0.02 * (high - low)]) },
          y: log ? { distr: 3 } : { range: (chart) => calmRange(visible(chart)) },
        },
        axes: [{ ...axis, values: (_, steps) => steps.map((step) => (step >= 10_000 ? `${step / 1000}k` : String(step))) }, { ...axis, size: 52, values: (_, values) => values.map((value) => (value === null ? "" : nice(value))) }],
        series: [{ label: "step", value: (_, value) => (value === null ? "–" : nice(value)) }, ...series.map((one) => ({ label: one.label, stroke: one.colour, width: one.thin ? 1 : 1.8, dash: one.dashed ? [5, 4] : undefined, points: { show: one.step.length < 2 }, spanGaps: true, value: (_: uPlot, value: number | null) => nice(value) }))],
        hooks: { draw: [drawMark, (chart) => setCut(visible(chart).flat().some((value) => value !== null && value > chart.scales.y.max!))] },
      },
      table(series),
      box.current!,
    );
    plot.current = chart;
    const observer = new ResizeObserver(() => chart.setSize({ width: box.current!.clientWidth, height }));
    observer.observe(box.current!);
    return () => {
      observer.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [shape]);

  const drawn = useRef(series);
  useEffect(() => {
    if (drawn.current === series) return;
    drawn.current = series;
    plot.current?.setData(table(series));
  }, [series]);
  useEffect(() => {
    marked.current = mark;
    plot.current?.redraw(false);
  }, [mark]);

  const last = series.slice(0, 6).map((one) => `${one.label} ${nice(one.value.findLast((value) => value !== null))}`).join(", ");
  return (
    <figure class="curves">
      <figcaption>
        {title} {unit && <span class="muted">{unit}</span>} {cut && <span class="muted">· the highest values lie above</span>}
      </figcaption>
      <div ref={box} role="img" aria-label={`${title} over the steps; at the end ${last}`} />
    </figure>
  );
}

/** The values within the steps that are shown. */
function visible(chart: uPlot): Column[] {
  const [first, last] = chart.series[0].idxs!;
  return chart.data.slice(1).map((column) => (column as Column).slice(first, last + 1));
}

interface CurvesPanelProps {
  log: boolean;
  onLog: (log: boolean) => void;
  children: ComponentChildren;
}

/** Where curves stand, with the choice of their axis. */
export const CurvesPanel = ({ log, onLog, children }: CurvesPanelProps) => (
  <Panel
    title="Curves"
    aside={
      <label class="check">
        <input type="checkbox" checked={log} onChange={() => onLog(!log)} /> logarithmic
      </label>
    }
  >
    {children}
  </Panel>
);
