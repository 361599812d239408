/** The latent explorer in a notebook: an anywidget whose decoder is the kernel. It lives in a shadow tree, so that neither
 * the notebook's style sheet nor its own reaches the other. */
import { render } from "preact";
import { parseBundle } from "../core/bundle";
import type { Pixels } from "../core/pixels";
import base from "../parts/base.css?inline";
import { Explorer } from "../page/Explorer";
import own from "../page/explorer.css?inline";
import { readScene, toPixels, type Batches } from "../page/scene";

/** What anywidget hands over; only what is used here. */
interface Model {
  get(name: string): unknown;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBufferView[]): void;
  on(event: "msg:custom", listener: (content: Answer, buffers: DataView[]) => void): void;
  off(event: "msg:custom", listener: (content: Answer, buffers: DataView[]) => void): void;
}

interface Answer {
  seq: number;
  error?: string;
}

interface Wish {
  done: (pixels: Pixels[]) => void;
  failed: (error: Error) => void;
}

/** Where the widget lives, the picture that stands in for it elsewhere has nothing to say. */
function hideStatic(el: HTMLElement, name: string | undefined): void {
  for (let at: HTMLElement | null = el; at && name; at = at.parentElement) {
    const found = at.querySelector<HTMLElement>(`.latentia-static[data-explorer="${CSS.escape(name)}"]`);
    if (found) {
      found.hidden = true;
      return;
    }
  }
}

function mount({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const bytes = model.get("scene") as DataView;
  const scene = readScene(parseBundle(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer));
  const wishes = new Map<number, Wish>();
  let last = 0;
  const listener = ({ seq, error }: Answer, buffers: DataView[]) => {
    const wish = wishes.get(seq);
    wishes.delete(seq);
    if (error !== undefined || !buffers[0]) return wish?.failed(new Error(error ?? "The kernel answered without a picture."));
    const { buffer, byteOffset, byteLength } = buffers[0];
    const values = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
    wish?.done(toPixels(values, scene.facts));
  };
  model.on("msg:custom", listener);
  const batches: Batches = {
    decode: (z, n, y) =>
      new Promise((done, failed) => {
        last += 1;
        wishes.set(last, { done, failed });
        model.send({ seq: last, n, y }, undefined, [z]);
      }),
  };
  const root = el.attachShadow({ mode: "open" });
  const style = document.createElement("style");
  style.textContent = `${base}\n${own}`.replaceAll(":root", ":host") + ":host { display: block; color: var(--ink); }";
  hideStatic(el, (scene.facts as { static?: string }).static);
  const place = document.createElement("div");
  root.append(style, place);
  render(<Explorer scene={scene} batches={batches} />, place);
  return () => {
    model.off("msg:custom", listener);
    render(null, place);
  };
}

export default { render: mount };
