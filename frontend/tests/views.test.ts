import { expect, test } from "vitest";
import { makeBundle, parseBundle, type Numbers } from "../src/core/bundle";
import { colourOf, NONE, packedPalette, readLabels } from "../src/core/palette";
import { packColour } from "../src/core/splat";
import { toPixels, type Facts } from "../src/page/scene";
import { decodeText } from "../src/studio/socket";
import { heatOf } from "../src/studio/views/Anomalies";
import { progress } from "../src/studio/views/Runs";
import { sourceOf, written } from "../src/studio/views/Try";

const bundleOf = (arrays: Record<string, [Numbers, number[]]>) =>
  parseBundle(makeBundle(Object.fromEntries(Object.entries(arrays).map(([name, [data, shape]]) => [name, { data, shape }]))));

test("labels above 250 keep their numbers, and only their colours come again", () => {
  expect(readLabels({ data: Uint16Array.of(3, 253, 65535), shape: [3] }, 65535)).toEqual(Uint16Array.of(3, 253, NONE));
  expect(readLabels({ data: Uint8Array.of(3, 255), shape: [2] }, 255)).toEqual(Uint16Array.of(3, NONE));
  expect(readLabels({ data: Uint8Array.of(255), shape: [1] }, 255)).toBeNull();
  const colours = packedPalette(false, new Set([3]));
  expect(colours[3]).toBe(0);
  expect(colours[253]).toBe(packColour(colourOf(3, false)) | 0);
});

test("a sample is tried in the units of its source", () => {
  expect(sourceOf(bundleOf({ original: [Float32Array.of(1), [1]], source: [Float32Array.of(9), [1]] }))).toEqual(Float32Array.of(9));
  expect(sourceOf(bundleOf({ original: [Float32Array.of(1), [1]] }))).toEqual(Float32Array.of(1));
  expect(written(Math.fround(0.1))).toBe("0.1");
  for (const value of Float32Array.of(0.1, 1e-30, 123456.789)) expect(Math.fround(Number(written(value)))).toBe(value);
});

test("a latent larger than a message may be is refused with a sentence", () => {
  expect(JSON.parse(decodeText(1, "r", Float32Array.of(0.5), null, 5))).toEqual({ op: "decode", seq: 1, run: "r", z: [0.5], y: null, step: 5 });
  expect(decodeText(1, "r", new Float32Array(60_000).fill(-0.123456789), null).length).toBeLessThan(2 ** 20);
  expect(() => decodeText(1, "r", new Float32Array(120_000).fill(-0.123456789), null)).toThrow("120,000 numbers is too large");
});

test("images of two or four channels are their mean, in grey", () => {
  const facts = { kind: "image", shape: [4, 1, 2], low: 0, high: 1 } as Facts;
  const [pixels] = toPixels(Float32Array.of(0, 1, 1, 1, 0, 1, 1, 1), facts);
  expect([pixels.channels, ...pixels.data]).toEqual([1, 128, 255]);
  const [colours] = toPixels(Float32Array.of(0, 0.2, 1), { ...facts, shape: [3, 1, 1] });
  expect([colours.channels, ...colours.data]).toEqual([3, 0, 51, 255]);
});

test("the heat of a large picture", () => {
  const data = new Float32Array(400 * 400);
  data[7] = 4;
  const heat = heatOf(bundleOf({ error: [data, [400, 400]] }))!;
  expect([...heat.data.slice(21, 24)]).toEqual([255, 255, 255]);
});

test("how far a run is, in steps of steps", () => {
  expect(progress({ step: 117, steps: 1230 })).toBe("step 117 of 1,230");
  expect(progress({ step: 0, steps: null })).toBe("step 0");
  expect(progress({ step: null, steps: 9 })).toBeNull();
});
