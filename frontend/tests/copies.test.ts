import { expect, test } from "vitest";
import { argumentsOf, atStep, commandOf, literal, pythonOf } from "../src/studio/copies";
import { keptBy, outside } from "../src/studio/views/Train";

test("a command quotes what a shell would take apart", () => {
  expect(commandOf("embed", "/a b/it's", { split: "te st; rm", n: 5, normal: ["a b", "c"], step: null, middle: true, temperature: 0 })).toBe(
    `latentia embed '/a b/it'\\''s' --split 'te st; rm' --n 5 --normal 'a b' --normal c --middle --temperature 0`,
  );
});

test("Python is written as Python", () => {
  expect(literal([1, null, true, 'a"b', Float32Array.of(0.5)])).toBe('[1, None, True, "a\\"b", [0.5]]');
  expect(argumentsOf({ image: null, steps: 11, label: undefined })).toBe("image=None, steps=11");
  expect(pythonOf("/r", ...atStep(40), "run.embed()").split("\n")).toEqual([
    "import latentia as lt",
    'run = lt.open_run("/r")',
    "from latentia.runs.snapshots import model_at",
    "run.model = model_at(run, 40)",
    "run.embed()",
  ]);
});

test("a training that is copied keeps its snapshots", () => {
  expect(keptBy({}, 600)).toEqual(["training.checkpoint_every=20", "training.keep_checkpoints=31"]);
  expect(keptBy({}, null)).toEqual(["training.keep_checkpoints=31"]);
  expect(keptBy({ "training.keep_checkpoints": 2 }, 600)).toEqual([]);
});

test("a number outside its bounds is told", () => {
  expect(outside(0, { min: 1, max: 9 })).toContain("at least 1");
  expect(outside(10, { min: 1, max: 9 })).toContain("at most 9");
  expect(outside("many", { min: 1, max: 9 })).toContain("a number");
  expect(outside(null, { min: 1, max: 9 })).toBeNull();
});
