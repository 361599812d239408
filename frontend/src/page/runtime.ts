/** The decoder in the page: its ONNX graph in onnxruntime-web, on one thread, from bytes that are already here. */
import * as ort from "onnxruntime-web/wasm";
import { toPixels, type Batches, type Facts } from "./scene";

/** The bytes of a data block of the page: gzip in base64. */
export async function bytesOf(id: string): Promise<ArrayBuffer> {
  const block = document.getElementById(id);
  if (!block?.textContent) throw new Error(`This page lacks its part "${id}": save it again as one whole file.`);
  const text = atob(block.textContent.trim());
  const packed = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).arrayBuffer();
}

/** Decodes real numbers. */
export class Runtime {
  private busy: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly session: ort.InferenceSession,
    readonly facts: Facts & { latent_shape: number[] },
  ) {}

  static async start(wasm: ArrayBuffer, graph: ArrayBuffer, facts: Facts): Promise<Runtime> {
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.proxy = false;
    ort.env.wasm.wasmBinary = wasm;
    ort.env.logLevel = "error";
    const session = await ort.InferenceSession.create(new Uint8Array(graph), { executionProviders: ["wasm"] });
    return new Runtime(session, facts as Facts & { latent_shape: number[] });
  }

  /** Latents (n, dim) become the means of p(x given z), (n, *shape); one batch after the other. */
  async run(z: Float32Array, n: number, y: number | null | readonly number[]): Promise<Float32Array> {
    const feeds: Record<string, ort.Tensor> = { z: new ort.Tensor("float32", z, [n, ...this.facts.latent_shape]) };
    if (this.session.inputNames.includes("y")) {
      if (y === null) throw new Error("The decoder takes a class, and none was chosen.");
      const labels = Array.from({ length: n }, (_, i) => BigInt(typeof y === "number" ? y : y[i]));
      feeds.y = new ort.Tensor("int64", BigInt64Array.from(labels), [n]);
    }
    const work = this.busy.then(() => this.session.run(feeds));
    this.busy = work.catch(() => undefined);
    return (await work).mean.data as Float32Array;
  }

  get batches(): Batches {
    return { decode: async (z, n, y) => toPixels(await this.run(z, n, y), this.facts) };
  }
}

/** The largest difference from what PyTorch gave when the page was written, relative where values are larger than 1. */
export function largestDifference(here: ArrayLike<number>, there: ArrayLike<number>): number {
  let largest = here.length === there.length ? 0 : Infinity;
  for (let i = 0; i < there.length; i++) largest = Math.max(largest, Math.abs(here[i] - there[i]) / Math.max(1, Math.abs(there[i])));
  return largest;
}
