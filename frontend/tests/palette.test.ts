import { expect, test } from "vitest";
import { contrast, dark, inks, light, packedPalette } from "../src/core/palette";

const linear = (value: number) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const times = (matrix: number[][], vector: number[]) => matrix.map((row) => row.reduce((sum, entry, i) => sum + entry * vector[i], 0));
// Machado, Oliveira & Fernandes (2009), severity 1, on linear RGB.
const eyes: Record<string, { matrix: number[][]; least: number }> = {
  normal: { matrix: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], least: 0.13 },
  deuteranopia: { matrix: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]], least: 0.09 },
  protanopia: { matrix: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]], least: 0.09 },
};

function oklab(hex: string, matrix: number[][]): number[] {
  const rgb = [1, 3, 5].map((at) => linear(Number.parseInt(hex.slice(at, at + 2), 16) / 255));
  const seen = times(matrix, rgb).map((value) => Math.max(0, Math.min(1, value)));
  const lms = times([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]], seen);
  return times([[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099], [0.0259040371, 0.7827717662, -0.808675766]], lms.map(Math.cbrt));
}

for (const [name, colours, isDark] of [["light", light, false], ["dark", dark, true]] as const) {
  test(`every colour of the ${name} set stands out from its ground`, () => {
    for (const colour of colours) expect(contrast(colour, inks(isDark).ground), colour).toBeGreaterThanOrEqual(3);
    expect(contrast(inks(isDark).ink, inks(isDark).ground)).toBeGreaterThan(7);
    for (const ink of ["muted", "accent"] as const) expect(contrast(inks(isDark)[ink], inks(isDark).ground)).toBeGreaterThan(4.5);
  });

  for (const [eye, { matrix, least }] of Object.entries(eyes))
    test(`the ${name} set stays apart under ${eye}`, () => {
      const seen = colours.map((colour) => oklab(colour, matrix));
      const apart = seen.flatMap((one, i) => seen.slice(i + 1).map((other) => Math.hypot(...one.map((value, k) => value - other[k]))));
      expect(Math.min(...apart)).toBeGreaterThan(least);
    });
}

test("contrast is WCAG's", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21);
  expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
});

test("hidden classes have no colour", () => {
  const colours = packedPalette(false, new Set([3]));
  expect(colours[3]).toBe(0);
  expect(colours[4]).not.toBe(0);
});
