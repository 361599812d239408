/** Logged rows as columns, and how more of them are put behind. */

export type Column = (number | null)[];
export type Table = Record<string, Column>;

/** The columns of `more` behind those of `table`; what one of them lacks is null there. Neither is changed. */
export function append(table: Table | undefined, more: Table): Table {
  const before = table ? Math.max(0, ...Object.values(table).map((column) => column.length)) : 0;
  const added = Math.max(0, ...Object.values(more).map((column) => column.length));
  const joined: Table = {};
  for (const name of new Set([...Object.keys(table ?? {}), ...Object.keys(more)]))
    joined[name] = [...(table?.[name] ?? new Array<null>(before).fill(null)), ...(more[name] ?? new Array<null>(added).fill(null))];
  return joined;
}

/** The same for every split of a run's log. */
export function appendAll(rows: Record<string, Table>, more: Record<string, Table>): Record<string, Table> {
  const joined = { ...rows };
  for (const [split, table] of Object.entries(more)) joined[split] = append(rows[split], table);
  return joined;
}

/**
 * A range for the values of curves that shows their course rather than their first fall: the top lies at the 97th hundredth
 * unless the whole range is not much larger, and not below the last value of any.
 */
export function calmRange(columns: readonly Column[]): [number, number] {
  const finite = columns.map((column) => column.filter((value): value is number => value !== null && Number.isFinite(value)));
  const known = finite.flat().sort((a, b) => a - b);
  if (!known.length) return [0, 1];
  const [low, high] = [known[0], known[known.length - 1]];
  const top = Math.max(known[Math.floor(0.97 * (known.length - 1))], ...finite.flatMap((column) => column.slice(-1)));
  const bound = high - low > 1.6 * (top - low) && top > low ? top + 0.15 * (top - low) : high;
  const margin = 0.06 * (bound - low) || Math.abs(low) * 0.1 || 1;
  return [low - margin, bound + margin];
}

/** How many values fall into each of `bins` equal parts of [low, high]; what lies outside counts to the outermost. */
export function histogram(values: ArrayLike<number>, low: number, high: number, bins: number, take?: (index: number) => boolean): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (let i = 0; i < values.length; i++) {
    if (take && !take(i)) continue;
    const bin = Math.floor(((values[i] - low) / (high - low || 1)) * bins);
    counts[Math.max(0, Math.min(bins - 1, bin))]++;
  }
  return counts;
}
