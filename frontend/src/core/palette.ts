/**
 * Colours of classes, one set for light pages and one for dark.
 *
 * Both were found by a search for ten colours that stay as far apart as they can in OKLab, for eyes with normal vision and
 * under simulated deuteranopia and protanopia (Machado, Oliveira & Fernandes 2009), each with a contrast of at least 3 to 1
 * against its ground (WCAG 2.2, 1.4.11). A test measures both.
 */
import type { Field } from "./bundle";
import { packColour } from "./splat";

export const light = ["#1829ac", "#ed5c1e", "#499e71", "#7948cc", "#b82556", "#388cfc", "#4d580a", "#ca6ebd", "#31638f", "#592262"];
export const dark = ["#1da3ae", "#f94e73", "#d7b20f", "#c1a7fd", "#36dc94", "#5c5fec", "#daf932", "#af35af", "#9bfbfa", "#897718"];

/** What is drawn on canvases beside the points; the same as the style sheet's. */
export interface Inks {
  ground: string;
  ink: string;
  muted: string;
  faint: string;
  accent: string;
  wash: string;
}

const lightInks: Inks = { ground: "#ffffff", ink: "#1c2024", muted: "#5f6670", faint: "#d9d8d2", accent: "#3a4fd0", wash: "#3a4fd01f" };
const darkInks: Inks = { ground: "#17191e", ink: "#eceef1", muted: "#9ba3af", faint: "#343a44", accent: "#9db0ff", wash: "#9db0ff2b" };

export const inks = (isDark: boolean): Inks => (isDark ? darkInks : lightInks);
export const palette = (isDark: boolean): readonly string[] => (isDark ? dark : light);

/** The colour of a class; past the tenth the colours come again (names and shapes of words tell them apart). */
export const colourOf = (label: number, isDark: boolean): string => palette(isDark)[label % 10];

/** The label of a sample that has none. */
export const NONE = 65535;

/** Labels as views hold them: 16 bits, `NONE` where there is none; nothing, where no sample has one. */
export function readLabels(field: Field | undefined, none: number): Uint16Array | null {
  if (!field?.data.some((label) => label !== none)) return null;
  return Uint16Array.from(field.data, (label) => (label === none ? NONE : label));
}

/** The palette for `splat`: a packed colour for each label of 16 bits, 0 for hidden ones; `NONE` muted beside labels; all in the accent without. */
export function packedPalette(isDark: boolean, hidden?: ReadonlySet<number>, labelled = true): Int32Array {
  const colours = new Int32Array(NONE + 1);
  if (!labelled) return colours.fill(packColour(inks(isDark).accent));
  const packed = palette(isDark).map(packColour);
  for (let label = 0; label < NONE; label++) colours[label] = packed[label % packed.length];
  colours[NONE] = packColour(inks(isDark).muted);
  hidden?.forEach((label) => (colours[label] = 0));
  return colours;
}

const channels = (hex: string): number[] => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
const linear = (value: number): number => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);

/** The contrast of two colours, 1 to 21 (WCAG 2.2). */
export function contrast(one: string, other: string): number {
  const luminance = (hex: string) => {
    const [red, green, blue] = channels(hex).map(linear);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}
