/** What is shown, as the part of the address behind `#`: a link restores the view. */

export interface Place {
  /** "runs", "train", "compare" or "run". */
  page: string;
  /** The run, where the page is "run". */
  run: string | null;
  /** The view of the run: "training", "latent" ... */
  view: string;
  query: Record<string, string[]>;
}

const pages = ["runs", "train", "compare"];

/** Read `#/run/NAME/latent?x=0&y=1`; what is not understood is the list of runs. */
export function readHash(hash: string): Place {
  const [path, search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const query: Record<string, string[]> = {};
  for (const [key, value] of new URLSearchParams(search)) (query[key] ??= []).push(value);
  const parts = path.split("/").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  if (parts[0] === "run" && parts[1]) return { page: "run", run: parts[1], view: parts[2] || "training", query };
  return { page: pages.includes(parts[0]) ? parts[0] : "runs", run: null, view: "", query };
}

/** The opposite of `readHash`; empty values are left out. */
export function writeHash(place: Partial<Place>): string {
  const path = place.run ? `run/${encodeURIComponent(place.run)}/${place.view || "training"}` : place.page === "runs" ? "" : (place.page ?? "");
  const search = new URLSearchParams();
  for (const [key, values] of Object.entries(place.query ?? {})) for (const value of values) if (value !== "") search.append(key, value);
  const text = search.toString();
  return `#/${path}${text ? `?${text}` : ""}`;
}

/** A number from the address, within bounds, or `otherwise`. */
export function numberFrom(values: string[] | undefined, otherwise: number, low = -Infinity, high = Infinity): number {
  const value = values?.length && values[0] !== "" ? Number(values[0]) : NaN;
  return Number.isFinite(value) ? Math.max(low, Math.min(high, value)) : otherwise;
}

/** A number as short as four significant digits need. */
export const short = (value: number): string => String(Number(value.toPrecision(4)));
