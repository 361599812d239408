import { expect, test } from "vitest";
import { append, appendAll, calmRange, histogram } from "../src/core/columns";

test("columns grow together, and what is not there is null", () => {
  expect(append({ step: [1, 2], loss: [9, 8] }, { step: [3], rate: [1] })).toEqual({ step: [1, 2, 3], loss: [9, 8, null], rate: [null, null, 1] });
  expect(append(undefined, { step: [1] })).toEqual({ step: [1] });
  expect(appendAll({ train: { step: [1] } }, { valid: { step: [2] } })).toEqual({ train: { step: [1] }, valid: { step: [2] } });
});

test("the range of a curve leaves out its first fall", () => {
  const falling = [5000, 900, ...Array.from({ length: 98 }, (_, i) => 200 - i)];
  const [low, high] = calmRange([falling]);
  expect(low).toBeLessThan(103);
  expect(high).toBeLessThan(400);
  expect(calmRange([[1, null, 2]])).toEqual([0.94, 2.06]);
  expect(calmRange([])).toEqual([0, 1]);
  const [bottom, top] = calmRange([[3, 3]]);
  expect(bottom).toBeLessThan(top);
});

test("the newest value of every curve is within its range", () => {
  const steady = Array.from({ length: 98 }, (_, i) => 200 - i);
  for (const newest of [300, 4000]) expect(calmRange([[5000, ...steady], [100, newest, null]])[1]).toBeGreaterThan(newest);
});

test("every value is counted once", () => {
  const values = Float32Array.of(-1, 0, 0.49, 0.5, 1, 7);
  expect(histogram(values, 0, 1, 2)).toEqual([3, 3]);
  expect(histogram(values, 0, 1, 2, (i) => i > 2)).toEqual([0, 3]);
});
