/** Small things that every view uses. */
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Bundle } from "../core/bundle";
import type { Applies } from "./api";

/** What is being loaded, what came, and what went wrong; what came before stays until then. */
export interface Loaded<T> {
  value: T | null;
  error: string | null;
  loading: boolean;
  again: () => void;
}

/** Load when `keys` change; `null` loads nothing. */
export function useLoad<T>(load: ((signal: AbortSignal) => Promise<T>) | null, keys: unknown[]): Loaded<T> {
  const [state, setState] = useState<{ value: T | null; error: string | null; loading: boolean }>({ value: null, error: null, loading: Boolean(load) });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (!load) return;
    const abort = new AbortController();
    setState((before) => ({ ...before, loading: true }));
    load(abort.signal).then(
      (value) => !abort.signal.aborted && setState({ value, error: null, loading: false }),
      (error: Error) => !abort.signal.aborted && setState((before) => ({ value: before.value, error: error.message, loading: false })),
    );
    return () => abort.abort();
  }, [...keys, turn, Boolean(load)]);
  return { ...state, again: useCallback(() => setTurn((before) => before + 1), []) };
}

/** The latest value, a little later, so that typing and dragging do not ask for everything on their way. */
export function useCalm<T>(value: T, milliseconds = 200): T {
  const [calm, setCalm] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setCalm(value), milliseconds);
    return () => clearTimeout(timer);
  }, [JSON.stringify(value)]);
  return calm;
}

/** A sentence about what went wrong. */
export const Trouble = ({ children }: { children: ComponentChildren }) => (
  <p class="trouble" role="alert">
    {children}
  </p>
);

/** What the server left out so that its answer stays small. */
export function Cut({ bundle }: { bundle: Bundle | null }) {
  const cut = bundle?.facts.cut as string | null | undefined;
  return cut ? <p class="muted small">{sentence(cut)}</p> : null;
}

/** Why a view does not apply, and what to do about it. */
export function Refusal({ applies, children }: { applies: Applies; children?: ComponentChildren }) {
  return (
    <div class="refusal">
      <p>{sentence(applies.why ?? "This does not apply here.")}</p>
      {applies.do && (
        <>
          <p class="muted">What you can do:</p>
          <Code text={applies.do} />
        </>
      )}
      {children}
    </div>
  );
}

/** A sentence begins with a capital letter and ends with a full stop. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  const name = /^\S*[\d_./-]/.test(trimmed); // a run's name or a setting keeps its letters
  return trimmed && (name ? trimmed[0] : trimmed[0].toUpperCase()) + trimmed.slice(1) + (/[.!?:]$/.test(trimmed) ? "" : ".");
}

/** A word as a shell takes it. */
export const shell = (word: string): string => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function useCopied(): [string | null, (text: string) => void] {
  const [said, setSaid] = useState<string | null>(null);
  const timer = useRef(0);
  const run = (text: string) =>
    void copy(text).then((done) => {
      setSaid(done ? "Copied" : "Could not copy");
      clearTimeout(timer.current);
      timer.current = window.setTimeout(() => setSaid(null), 1800);
    });
  return [said, run];
}

/** A command to read and to copy. */
export function Code({ text }: { text: string }) {
  const [said, run] = useCopied();
  return (
    <div class="code">
      <pre tabIndex={0}>{text}</pre>
      <button type="button" class="quiet" onClick={() => run(text)}>
        {said ?? "Copy"}
      </button>
    </div>
  );
}

/** The same result from a shell or from Python. */
export function CopyAs({ command, python }: { command: string | null; python: string }) {
  const [said, run] = useCopied();
  return (
    <div class="copy-as" role="group" aria-label="Do the same elsewhere">
      {command !== null && (
        <button type="button" class="quiet" title={command} onClick={() => run(command)}>
          Copy as command
        </button>
      )}
      <button type="button" class="quiet" title={python} onClick={() => run(python)}>
        Copy as Python
      </button>
      <span class="muted" role="status">
        {said}
      </span>
    </div>
  );
}

/** A titled part of a view. */
export function Panel({ title, aside, children, class: name = "" }: { title?: ComponentChildren; aside?: ComponentChildren; children: ComponentChildren; class?: string }) {
  return (
    <section class={`panel ${name}`}>
      {(title || aside) && (
        <header>
          {title && <h2>{title}</h2>}
          {aside && <div class="aside">{aside}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

/** A labelled control. */
export const Labelled = ({ label, children, class: name = "" }: { label: string; children: ComponentChildren; class?: string }) => (
  <label class={`labelled ${name}`}>
    <span>{label}</span>
    {children}
  </label>
);

interface SelectProps<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}

export const Select = <T extends string>({ label, value, options, onChange }: SelectProps<T>) => (
  <Labelled label={label}>
    <select value={value} onChange={(event) => onChange(event.currentTarget.value as T)}>
      {options.map(([key, text]) => (
        <option key={key} value={key} selected={key === value}>
          {text}
        </option>
      ))}
    </select>
  </Labelled>
);

/** One of a few, as buttons beside each other. */
export function Choice<T extends string>({ label, value, options, onChange }: SelectProps<T>) {
  return (
    <div class="choice" role="group" aria-label={label}>
      {options.map(([key, text]) => (
        <button key={key} type="button" aria-pressed={key === value} onClick={() => onChange(key)}>
          {text}
        </button>
      ))}
    </div>
  );
}

interface SliderProps {
  label: string;
  value: number;
  min: number;
  max: number;
  step?: number | "any";
  shown?: string;
  onInput: (value: number) => void;
}

export const Slider = ({ label, value, min, max, step = 1, shown, onInput }: SliderProps) => (
  <label class="slider">
    <span>{label}</span>
    <input type="range" min={min} max={max} step={step} value={value} aria-valuetext={shown} onInput={(event) => onInput(Number(event.currentTarget.value))} />
    <output>{shown ?? value}</output>
  </label>
);

interface PlayerProps {
  playing: boolean;
  onToggle: () => void;
  title?: string;
  label: string;
  value: number;
  last: number;
  shown: string;
  onInput: (value: number) => void;
}

/** Plays a row of pictures, and a slider that chooses one. */
export const Player = ({ playing, onToggle, title, last, ...slider }: PlayerProps) => (
  <>
    <button type="button" class="primary" aria-keyshortcuts="Space" onClick={onToggle} title={title}>
      {playing ? "Pause" : "Play"}
    </button>
    <Slider {...slider} min={0} max={last} />
  </>
);

/** A number as a person writes it: at most four significant digits, thousands apart. */
export function nice(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  if (size >= 10_000 || size < 1e-4) return value.toExponential(2).replace("-", "−");
  return value.toLocaleString("en", { maximumSignificantDigits: 4 }).replace("-", "−");
}

/** A span of time. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Facts beside each other, each with its name. */
export const Facts = ({ facts }: { facts: (readonly [string, ComponentChildren, string?] | null | undefined | false)[] }) => (
  <dl class="facts">
    {facts.filter(Boolean).map((fact) => {
      const [name, value, title] = fact as [string, ComponentChildren, string?];
      return (
        <div key={name} title={title}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      );
    })}
  </dl>
);

/** Whether an event comes from something that is typed into, so that the view's own keys keep out of it. */
export const isTyping = (event: Event): boolean => {
  const target = event.target as HTMLElement;
  return /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) || target.isContentEditable;
};
