/** The server's answers, typed; see the studio's own documentation for the addresses. */
import { parseBundle, type Bundle } from "../core/bundle";

export interface Applies {
  ok: boolean;
  why?: string;
  do?: string | null;
  note?: string;
}

export interface RunRow {
  id: string;
  path?: string;
  preset: string | null;
  family?: string | null;
  data: string | null;
  state: string;
  live: boolean;
  /** The command that goes on with it. */
  job?: string | null;
  step?: number | null;
  steps?: number | null;
  epoch?: number | null;
  epochs?: number | null;
  planned?: string | null;
  seed?: number | null;
  started?: number | null;
  seconds?: number | null;
  parameters?: number | null;
  latent_dim?: number | null;
  test?: Record<string, number | null> | null;
  heartbeat?: string | null;
  problem?: string | null;
}

export interface RunInfo extends RunRow {
  path: string;
  config: Record<string, unknown> | null;
  notes: string[];
  event: { shape: number[]; kind: "image" | "vector"; height: number; width: number; channels: number; low: number; high: number } | null;
  latent: { shape: number[] | null; dim: number | null; kind: "vector" | "feature-map" | "codes"; probabilistic: boolean; standard: boolean; codebook: number | null } | null;
  classes: string[];
  labels: boolean;
  conditional: boolean;
  classifies: boolean;
  corruption: Record<string, unknown> | null;
  splits: Record<string, number>;
  priors: string[];
  snapshots: number[];
  stamp: unknown;
  evaluation: Record<string, unknown> | null;
  views: Record<string, Applies>;
  copy: Record<string, { command: string; python: string }>;
}

export interface FieldSpec {
  key: string;
  section: string;
  type: "integer" | "number" | "boolean" | "choice" | "text" | "list" | "schedule" | "part";
  default: unknown;
  choices: unknown[] | null;
  optional: boolean;
  min: number | null;
  max: number | null;
  help: string;
  when: { key: string; is: string[] } | null;
}

export interface StudioInfo {
  version: string;
  folder: string;
  presets: { name: string; family: string; description: string; source: string }[];
  data: { name: string; local: boolean }[];
  fields: FieldSpec[];
}

export type Columns = Record<string, (number | null)[]>;

/** A refusal or a fault, in the server's own sentence. */
export class Fault extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Fault("The studio does not answer. Is its process still running?", 0);
  }
  if (answer.ok) return answer;
  let sentence = `The studio answered ${answer.status}.`;
  try {
    const text = await answer.text();
    sentence = text;
    sentence = (JSON.parse(text) as { error?: string }).error ?? sentence;
  } catch {
    // A plain sentence stays as it is.
  }
  throw new Fault(sentence, answer.status);
}

/** An address with a query; absent values are left out. */
export function address(path: string, query: Record<string, unknown> = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    if (value !== null && value !== undefined && value !== "") for (const one of Array.isArray(value) ? value : [value]) search.append(key, String(one));
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

export const runPath = (run: string, rest = ""): string => `/api/runs/${encodeURIComponent(run)}${rest && `/${rest}`}`;

export const getJson = async <T>(path: string, query?: Record<string, unknown>, signal?: AbortSignal): Promise<T> =>
  (await ask(address(path, query), { signal })).json() as Promise<T>;

export const getBundle = async (path: string, query?: Record<string, unknown>, signal?: AbortSignal): Promise<Bundle> =>
  parseBundle(await (await ask(address(path, query), { signal })).arrayBuffer());

const json = (body: unknown): RequestInit => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const postJson = async <T>(path: string, body: unknown): Promise<T> => (await ask(path, json(body))).json() as Promise<T>;
export const postForBundle = async (path: string, body: unknown): Promise<Bundle> => parseBundle(await (await ask(path, json(body))).arrayBuffer());
export const postForBlob = async (path: string, body: unknown): Promise<Blob> => (await ask(path, json(body))).blob();

/** Send a sample's bytes (or a picture file, or a vector) and get a bundle. */
export async function postSample(path: string, query: Record<string, unknown>, body: Blob | Uint8Array | Float32Array): Promise<Bundle> {
  const vector = body instanceof Float32Array;
  const type = vector ? "application/json" : body instanceof Blob ? body.type : "application/octet-stream";
  const content = vector ? JSON.stringify({ values: Array.from(body) }) : (body as Blob | Uint8Array<ArrayBuffer>);
  return parseBundle(await (await ask(address(path, query), { method: "POST", headers: { "Content-Type": type }, body: content })).arrayBuffer());
}
