/** The binary answers of the server: a JSON header and arrays behind it. */

export type Numbers = Float32Array | Uint8Array | Int32Array | Uint16Array;

export interface Field {
  data: Numbers;
  shape: number[];
}

/** Arrays by name, and the facts beside them. */
export interface Bundle {
  arrays: Record<string, Field>;
  facts: Record<string, unknown>;
}

interface Entry {
  name: string;
  dtype: "f4" | "u1" | "i4" | "u2";
  shape: number[];
  offset: number;
}

const kinds = { f4: Float32Array, u1: Uint8Array, i4: Int32Array, u2: Uint16Array };

/**
 * Read a bundle: uint32 length of the header, the header, zeros up to a multiple of 8, the arrays.
 * Offsets count from the start of the arrays. Nothing is copied: the arrays look into `buffer`.
 */
export function parseBundle(buffer: ArrayBuffer): Bundle {
  if (buffer.byteLength < 4) throw new Error("The answer is shorter than its header.");
  const length = new DataView(buffer).getUint32(0, true);
  if (4 + length > buffer.byteLength) throw new Error("The answer ends within its header.");
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))) as { arrays: Entry[] };
  const start = Math.ceil((4 + length) / 8) * 8;
  const { arrays: entries, ...facts } = header;
  const arrays: Record<string, Field> = {};
  for (const { name, dtype, shape, offset } of entries) {
    const kind = kinds[dtype];
    if (!kind) throw new Error(`The answer holds numbers of an unknown kind, ${dtype}.`);
    const count = shape.reduce((product, side) => product * side, 1);
    if (start + offset + count * kind.BYTES_PER_ELEMENT > buffer.byteLength) throw new Error(`The answer ends within ${name}.`);
    arrays[name] = { data: new kind(buffer, start + offset, count), shape };
  }
  return { arrays, facts };
}

/** Write a bundle; the opposite of `parseBundle`. */
export function makeBundle(arrays: Record<string, Field>, facts: Record<string, unknown> = {}): ArrayBuffer {
  const entries: Entry[] = [];
  let offset = 0;
  for (const [name, { data, shape }] of Object.entries(arrays)) {
    const dtype = (Object.keys(kinds) as Entry["dtype"][]).find((key) => data instanceof kinds[key])!;
    entries.push({ name, dtype, shape, offset });
    offset += Math.ceil(data.byteLength / 8) * 8;
  }
  const header = new TextEncoder().encode(JSON.stringify({ ...facts, arrays: entries }));
  const start = Math.ceil((4 + header.length) / 8) * 8;
  const buffer = new ArrayBuffer(start + offset);
  new DataView(buffer).setUint32(0, header.length, true);
  new Uint8Array(buffer).set(header, 4);
  entries.forEach((entry) => {
    const { data } = arrays[entry.name];
    new Uint8Array(buffer).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start + entry.offset);
  });
  return buffer;
}

/** The numbers of an array as floats; absent ones as an empty array. */
export function floats(bundle: Bundle, name: string): Float32Array {
  const field = bundle.arrays[name];
  if (!field) return new Float32Array();
  return field.data instanceof Float32Array ? field.data : Float32Array.from(field.data);
}
