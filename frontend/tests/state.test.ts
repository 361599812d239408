import { expect, test } from "vitest";
import { toCsv } from "../src/core/csv";
import { LatestWins } from "../src/core/decoder";
import { numberFrom, readHash, short, writeHash } from "../src/core/hash";
import { brushNoise } from "../src/core/pixels";

test("a link restores the view", () => {
  const place = { page: "run", run: "2026/öne & <b>", view: "latent", query: { plane: ["pca"], hide: ["1", "2"], text: ["a&b=c d"] } };
  expect(readHash(writeHash(place))).toEqual(place);
  expect(writeHash({ page: "compare", query: { run: ["a", "b/c"] } })).toBe("#/compare?run=a&run=b%2Fc");
  expect(readHash("#/compare?run=a&run=b%2Fc").query.run).toEqual(["a", "b/c"]);
});

test("what is not understood is the list of runs", () => {
  for (const hash of ["", "#", "#/", "#/nowhere", "#/run", "#/run/"]) expect(readHash(hash).page).toBe("runs");
  expect(readHash("#/run/%E0%A4%A").run).toBe("%E0%A4%A"); // not an encoding at all
  expect(readHash("#/run/a").view).toBe("training");
});

test("numbers from a link are kept within bounds", () => {
  expect(numberFrom(["7"], 1, 0, 5)).toBe(5);
  expect(numberFrom(["x"], 1)).toBe(1);
  expect(numberFrom([""], 1)).toBe(1);
  expect(numberFrom(undefined, 2)).toBe(2);
  expect(short(0.123456)).toBe("0.1235");
});

test("of the requests that wait only the latest is made, and one at a time", async () => {
  const made: number[] = [];
  const done: number[] = [];
  const release: (() => void)[] = [];
  const queue = new LatestWins<number, number>(
    (request) => new Promise((resolve) => (made.push(request), release.push(() => resolve(request)))),
    (result) => done.push(result),
  );
  const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
  [1, 2, 3, 4].forEach((request) => queue.push(request));
  expect(made).toEqual([1]);
  release.shift()!();
  await turn();
  expect(made).toEqual([1, 4]);
  release.shift()!();
  await turn();
  expect(done).toEqual([1, 4]);
  expect(queue.idle).toBe(true);
  queue.push(5);
  queue.close();
  release.shift()!();
  await turn();
  expect(done).toEqual([1, 4]);
});

test("a request that fails is told, and the next one is made", async () => {
  const failed: string[] = [];
  const done: number[] = [];
  const queue = new LatestWins<number, number>(
    async (request) => {
      if (request === 1) throw new Error("no");
      return request;
    },
    (result) => done.push(result),
    (error) => failed.push(error.message),
  );
  queue.push(1);
  queue.push(2);
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect([failed, done]).toEqual([["no"], [2]]);
});

test("a table keeps its fields apart", () => {
  expect(toCsv(["id", "name"], [[1, 'a "b", c'], [2, "x"]])).toBe('id,name\n1,"a ""b"", c"\n2,x\n');
});

test("noise is put under the brush and nowhere else", () => {
  const image = { height: 20, width: 20, channels: 1, data: new Uint8Array(400).fill(128) };
  let state = 1;
  brushNoise(image, 10, 10, 4, 0.5, () => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) / 0x80000000);
  const changed = [...image.data.keys()].filter((at) => image.data[at] !== 128);
  expect(changed.length).toBeGreaterThan(35);
  for (const at of changed) expect(Math.hypot((at % 20) - 10, Math.floor(at / 20) - 10)).toBeLessThanOrEqual(4);
});
