import { expect, test } from "vitest";
import { makeBundle, parseBundle } from "../src/core/bundle";
import { fromRgba, images, toRgba } from "../src/core/pixels";

test("a bundle comes back as it was written", () => {
  const arrays = {
    odd: { data: Uint8Array.of(1, 2, 3), shape: [3] },
    positions: { data: Float32Array.of(0.5, -1, 2, 3), shape: [2, 2] },
    ids: { data: Int32Array.of(-7), shape: [1] },
    wide: { data: Uint16Array.of(65535), shape: [1] },
    none: { data: new Float32Array(), shape: [0, 4] },
  };
  const { arrays: read, facts } = parseBundle(makeBundle(arrays, { plane: "raw", text: "é <b>" }));
  expect(facts).toEqual({ plane: "raw", text: "é <b>" });
  expect(read).toEqual(arrays);
});

test("a header of any length leaves the arrays aligned", () => {
  for (let length = 0; length < 9; length++) {
    const buffer = makeBundle({ z: { data: Float32Array.of(1.5), shape: [1] } }, { pad: "x".repeat(length) });
    expect(parseBundle(buffer).arrays.z.data[0]).toBe(1.5);
  }
});

test("a bundle that was cut short is refused", () => {
  const buffer = makeBundle({ z: { data: Float32Array.of(1, 2), shape: [2] } });
  expect(() => parseBundle(buffer.slice(0, 2))).toThrow("shorter");
  expect(() => parseBundle(buffer.slice(0, 12))).toThrow("header");
  expect(() => parseBundle(buffer.slice(0, buffer.byteLength - 4))).toThrow("within z");
});

test("the bytes of a bundle written by hand", () => {
  const header = new TextEncoder().encode('{"arrays":[{"name":"a","dtype":"u1","shape":[2],"offset":8}],"n":2}');
  const start = Math.ceil((4 + header.length) / 8) * 8;
  const bytes = new Uint8Array(start + 10);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(header, 4);
  bytes.set([9, 7], start + 8);
  const { arrays, facts } = parseBundle(bytes.buffer);
  expect([...arrays.a.data]).toEqual([9, 7]);
  expect(facts.n).toBe(2);
});

test("images are cut from an array without copying, and drawn with their own channels", () => {
  const data = Uint8Array.from({ length: 2 * 2 * 1 * 3 }, (_, i) => 10 * i);
  const [first, second] = images({ data, shape: [2, 2, 1, 3] });
  expect([second.height, second.width, second.channels]).toEqual([2, 1, 3]);
  expect([...toRgba(first)]).toEqual([0, 10, 20, 255, 30, 40, 50, 255]);
  expect(second.data.buffer).toBe(data.buffer);
  const grey = { height: 1, width: 1, channels: 1, data: Uint8Array.of(77) };
  expect([...toRgba(grey)]).toEqual([77, 77, 77, 255]);
  expect([...fromRgba(toRgba(grey), 1, 1, 1).data]).toEqual([77]);
  expect(images({ data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] }).map((vector) => vector.width)).toEqual([2, 2]);
});
