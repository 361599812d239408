/** What "Copy as" copies: the command and the Python that give what a view shows. */
import { shell } from "./ui";

export interface Copies {
  /** Nothing, where no command shows it. */
  command: string | null;
  python: string;
}

/** A value as Python writes it. */
export function literal(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return `[${Array.from(value as ArrayLike<unknown>, literal).join(", ")}]`;
  return JSON.stringify(value);
}

/** Options of a command: absent ones are left out, `true` is a flag alone, and a list is an option for each of its values. */
export function optionsOf(options: Record<string, unknown>): string {
  return Object.entries(options)
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => [name, one] as const))
    .filter(([, value]) => value !== null && value !== undefined && value !== false)
    .map(([name, value]) => ` --${name}${value === true ? "" : ` ${shell(String(value))}`}`)
    .join("");
}

/** Arguments of a call by name; absent ones (undefined) are left out, null is None. */
export const argumentsOf = (values: Record<string, unknown>): string =>
  Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${literal(value)}`)
    .join(", ");

/** A command on a run, with options. */
export const commandOf = (verb: string, path: string, options: Record<string, unknown>): string => `latentia ${verb} ${shell(path)}${optionsOf(options)}`;

/** Python that opens a run, and goes on with `lines`. */
export const pythonOf = (path: string, ...lines: string[]): string => [`import latentia as lt`, `run = lt.open_run(${literal(path)})`, ...lines].join("\n");

/** The lines that give a run the weights of a snapshot. */
export const atStep = (step: number | null): string[] => (step === null ? [] : ["from latentia.runs.snapshots import model_at", `run.model = model_at(run, ${step})`]);
