/** The classes by colour and name; each can be left out. */
import { useMemo } from "preact/hooks";
import { colourOf, inks, NONE } from "../../core/palette";

interface LegendProps {
  labels: Uint16Array;
  classes: string[];
  hidden: ReadonlySet<number>;
  dark: boolean;
  onHide: (hidden: Set<number>) => void;
}

export function Legend({ labels, classes, hidden, dark, onHide }: LegendProps) {
  const present = useMemo(() => [...new Set(labels)].sort((a, b) => a - b), [labels]);
  const toggle = (label: number, alone: boolean) => {
    const next = new Set(hidden);
    if (alone) {
      const others = present.filter((other) => other !== label);
      const isAlone = others.every((other) => hidden.has(other)) && !hidden.has(label);
      next.clear();
      if (!isAlone) others.forEach((other) => next.add(other));
    } else if (!next.delete(label)) next.add(label);
    onHide(next);
  };
  return (
    <div class="legend" role="group" aria-label="Classes; Shift and click shows one alone">
      {present.map((label) => (
        <button key={label} type="button" class="chip" aria-pressed={!hidden.has(label)} title="Hide or show; with Shift, this class alone" onClick={(event) => toggle(label, event.shiftKey)}>
          <span class="dot" style={{ background: label === NONE ? inks(dark).muted : colourOf(label, dark) }} />
          {label === NONE ? "no label" : (classes[label] ?? label)}
        </button>
      ))}
    </div>
  );
}
