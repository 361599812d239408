/** Light or dark: what the system prefers, unless the user chose; kept from visit to visit. */
import { useEffect, useState } from "preact/hooks";

export type Choice = "system" | "light" | "dark";

const query = "(prefers-color-scheme: dark)";
const listeners = new Set<() => void>();

function kept(): Choice {
  try {
    const value = localStorage.getItem("latentia-theme");
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

let choice: Choice = "system";

/** Choose for good, and tell everything that draws. */
export function choose(next: Choice): void {
  choice = next;
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem("latentia-theme", next);
  } catch {
    // A page without storage forgets.
  }
  listeners.forEach((tell) => tell());
}

/** To be called once, before anything is drawn. */
export function startTheme(): void {
  choice = kept();
  document.documentElement.dataset.theme = choice;
  matchMedia(query).addEventListener("change", () => listeners.forEach((tell) => tell()));
}

export const isDark = (): boolean => choice === "dark" || (choice === "system" && matchMedia(query).matches);
export const chosen = (): Choice => choice;
export const reducedMotion = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Whether the page is dark now; draws again when that changes. */
export function useDark(): boolean {
  const [dark, setDark] = useState(isDark());
  useEffect(() => {
    const tell = () => setDark(isDark());
    listeners.add(tell);
    return () => void listeners.delete(tell);
  }, []);
  return dark;
}
