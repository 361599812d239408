import { expect, test } from "vitest";
import { fit, inside, lasso, latentAt, project, toPlane, toScreen, zoom, type Point } from "../src/core/plane";
import { disc, Grid, mixed, packColour, shuffled, splat } from "../src/core/splat";

const random = (seed: number) => () => (seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff) / 0x7fffffff;

test("a plane's point and its latent lead to one another, and an anchor keeps what lies outside", () => {
  const plane = { origin: Float32Array.of(1, 0, 2), basis: [Float32Array.of(0.6, 0.8, 0), Float32Array.of(0, 0, 1)] as [Float32Array, Float32Array] };
  const z = latentAt(plane, 0.5, -2);
  expect(project(plane, z).map((value) => Number(value.toFixed(5)))).toEqual([0.5, -2]);
  const anchor = [4, -3, 1];
  const there = project(plane, anchor);
  expect([...latentAt(plane, ...there, anchor)].map((value) => Number(value.toFixed(5)))).toEqual(anchor);
  const moved = latentAt(plane, there[0] + 1, there[1], anchor);
  expect([...moved].map((value) => Number(value.toFixed(4)))).toEqual([4.6, -2.2, 1]);
  expect(() => latentAt({ ...plane, basis: null }, 0, 0)).toThrow("no way back");
});

test("screen and plane lead to one another, and zooming keeps the point under the pointer", () => {
  const window = { u: 0.3, v: -1, scale: 80 };
  const [u, v] = toPlane(window, 400, 300, 31, 207);
  expect(toScreen(window, 400, 300, u, v).map(Math.round)).toEqual([31, 207]);
  expect(toScreen(zoom(window, 400, 300, 31, 207, 2.5), 400, 300, u, v).map(Math.round)).toEqual([31, 207]);
  expect(toScreen(window, 400, 300, 0.3, 0)[1]).toBeLessThan(150); // v points up
});

test("the window fits the points", () => {
  const positions = Float32Array.from({ length: 2000 }, random(1)).map((value) => 10 * value - 5);
  const window = fit(positions, 600, 400);
  const visible = Array.from({ length: 1000 }, (_, i) => toScreen(window, 600, 400, positions[2 * i], positions[2 * i + 1])).filter(
    ([x, y]) => x >= 0 && y >= 0 && x < 600 && y < 400,
  );
  expect(visible.length).toBeGreaterThan(980);
  expect(fit(new Float32Array(), 600, 400).scale).toBeGreaterThan(0);
});

test("a lasso takes exactly the points within it", () => {
  const next = random(5);
  const positions = Float32Array.from({ length: 4000 }, () => 4 * next() - 2);
  const circle: Point[] = Array.from({ length: 720 }, (_, i) => [Math.cos((i * Math.PI) / 360), Math.sin((i * Math.PI) / 360)]);
  const found = new Set(lasso(positions, circle));
  for (let i = 0; i < 2000; i++) {
    const distance = Math.hypot(positions[2 * i], positions[2 * i + 1]);
    if (Math.abs(distance - 1) > 1e-3 && found.has(i) !== distance < 1) throw new Error(`point ${i} at ${distance}`);
  }
  expect(found.size).toBeGreaterThan(300);
  const ell: Point[] = [[0, 0], [2, 0], [2, 1], [1, 1], [1, 2], [0, 2]];
  expect([inside(ell, 0.5, 1.5), inside(ell, 1.5, 1.5), inside(ell, 1.5, 0.5)]).toEqual([true, false, true]);
  expect(lasso(positions, circle.slice(0, 2))).toEqual([]);
  expect(lasso(positions, circle, () => false)).toEqual([]);
});

test("the nearest point is the one that brute force finds", () => {
  const next = random(9);
  const positions = Float32Array.from({ length: 6000 }, (_, i) => (i % 2 ? next() : next() * 20));
  const grid = new Grid(positions);
  for (let k = 0; k < 300; k++) {
    const [u, v, reach] = [22 * next() - 1, 1.4 * next() - 0.2, 0.3 * next()];
    let best = -1;
    let least = reach * reach;
    for (let i = 0; i < 3000; i++) {
      const distance = (positions[2 * i] - u) ** 2 + (positions[2 * i + 1] - v) ** 2;
      if (distance <= least) [least, best] = [distance, i];
    }
    expect(grid.nearest(u, v, reach)).toBe(best);
  }
  expect(new Grid(new Float32Array()).nearest(0, 0, 9)).toBe(-1);
  expect(grid.nearest(10, 0.5, 99, (i) => i === 42)).toBe(42);
});

test("points fall on the pixels they should, clipped at the edges, hidden classes left out", () => {
  const window = { u: 0, v: 0, scale: 10 };
  const pixels = new Int32Array(40 * 30);
  const colours = new Int32Array(256);
  colours[1] = packColour("#ff8000");
  const stamp = disc(0);
  splat(pixels, 40, 30, Float32Array.of(0, 0, 1, 1, -1, 0.5, 99, 99), window, colours, Uint16Array.of(1, 0, 1, 1), stamp);
  const drawn = [...pixels.keys()].filter((at) => pixels[at]).map((at) => [at % 40, Math.floor(at / 40)]);
  expect(drawn).toEqual([[10, 10], [20, 15]]);
  const bytes = new Uint8Array(pixels.buffer, 4 * (15 * 40 + 20), 3);
  expect([...bytes]).toEqual([255, 128, 0]);
  splat(pixels, 40, 30, Float32Array.of(-2, -1.5), window, colours, Uint16Array.of(1), disc(3)); // over a corner
  expect(pixels[29 * 40]).not.toBe(0);
});

test("covering a point half mixes the colours", () => {
  const pixels = new Int32Array(1).fill(packColour("#000000"));
  const stamp = { x: Int16Array.of(0), y: Int16Array.of(0), cover: Uint16Array.of(128), reach: 0 };
  splat(pixels, 1, 1, Float32Array.of(0, 0), { u: 0.5, v: -0.5, scale: 1 }, Int32Array.of(packColour("#ffffff")), null, stamp);
  expect(pixels[0] & 0xff).toBeGreaterThan(120);
  expect(pixels[0] & 0xff).toBeLessThan(135);
});

test("a shuffle holds every number once, and is the same every time", () => {
  const order = shuffled(1000);
  expect(new Set(order).size).toBe(1000);
  expect([...shuffled(1000)]).toEqual([...order]);
  expect([...order]).not.toEqual([...Uint32Array.from({ length: 1000 }, (_, i) => i)]);
  const { positions, classes } = mixed(Float32Array.from({ length: 400 }, (_, i) => Math.floor(i / 2)), Uint16Array.from({ length: 200 }, (_, i) => i));
  classes.forEach((label, i) => expect([positions[2 * i], positions[2 * i + 1]]).toEqual([label, label]));
});
