/** The class that a conditional model decodes. */
import { numberFrom } from "../../core/hash";
import type { RunInfo } from "../api";
import { useQuery } from "../place";
import { Select } from "../ui";

/** The chosen class, or null where the model asks for none. */
export function useClass(info: RunInfo): [number | null, (y: number) => void] {
  const [query, setQuery] = useQuery();
  return [info.conditional ? numberFrom(query.class, 0, 0, Math.max(0, info.classes.length - 1)) : null, (y) => setQuery({ class: y })];
}

export function Classes({ info }: { info: RunInfo }) {
  const [y, setY] = useClass(info);
  if (y === null) return null;
  return <Select label="Class" value={String(y)} options={info.classes.map((name, i) => [String(i), name] as const)} onChange={(value) => setY(Number(value))} />;
}
