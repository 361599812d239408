/** Where the page is, held in the address. */
import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { readHash, writeHash, type Place } from "../core/hash";

export const Here = createContext<Place>(readHash(""));

/** The place that the address names; draws again when it changes. */
export function usePlaceRoot(): Place {
  const [place, setPlace] = useState(readHash(location.hash));
  useEffect(() => {
    const tell = () => setPlace(readHash(location.hash));
    addEventListener("hashchange", tell);
    return () => removeEventListener("hashchange", tell);
  }, []);
  return place;
}

/** Go to a place, as a link does. */
export const go = (place: Partial<Place>): void => void (location.hash = writeHash(place));

type Change = Record<string, string | number | readonly (string | number)[] | null>;

/** The query of the place, and a way to change it without leaving a step in the history. */
export function useQuery(): [Record<string, string[]>, (change: Change) => void] {
  const place = useContext(Here);
  const change = (wished: Change) => {
    const now = readHash(location.hash);
    const query = { ...now.query };
    for (const [key, value] of Object.entries(wished)) query[key] = value === null ? [] : (Array.isArray(value) ? value : [value]).map(String);
    const hash = writeHash({ ...now, query });
    if (hash === location.hash) return;
    history.replaceState(null, "", hash);
    dispatchEvent(new HashChangeEvent("hashchange"));
  };
  return [place.query, change];
}
