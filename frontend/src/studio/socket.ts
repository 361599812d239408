/** The one WebSocket of the page: what runs log, and points of the latent space on their way to pixels. */
import type { Decoder } from "../core/decoder";
import type { Pixels } from "../core/pixels";
import type { Columns } from "./api";

export interface News {
  run: string;
  rows: Record<string, Columns>;
  state: string;
  step: number;
  reset?: boolean;
}

interface Pending {
  resolve: (pixels: Pixels) => void;
  reject: (error: Error) => void;
}

/** Read a frame: uint32 sequence number, height, width, channels (0: a vector of floats), then the values. */
export function readFrame(buffer: ArrayBuffer): { seq: number; pixels: Pixels } {
  const view = new DataView(buffer);
  const [seq, height, width, channels] = [0, 4, 8, 12].map((at) => view.getUint32(at, true));
  const data = channels ? new Uint8Array(buffer, 16, height * width * channels) : new Float32Array(buffer, 16, width);
  return { seq, pixels: { height, width, channels: channels || 1, data } };
}

const MOST = 2 ** 20; // the longest message that the server takes, in bytes

/** The request for a decoding. Real numbers of 32 bits need nine digits. */
export function decodeText(seq: number, run: string, z: ArrayLike<number>, y: number | null, step?: number | null): string {
  const text = JSON.stringify({ op: "decode", seq, run, z: Array.from(z, (value: number) => Number(value.toPrecision(9))), y, ...(step == null ? {} : { step }) });
  if (text.length * 3 > MOST && new TextEncoder().encode(text).length > MOST)
    throw new Error(`A latent of ${z.length.toLocaleString("en")} numbers is too large to be decoded while it is dragged: the studio takes 1 MiB.`);
  return text;
}

export class Socket {
  private socket: WebSocket | null = null;
  private seq = 0;
  private pending = new Map<number, Pending>();
  private waiting: string[] = [];
  private watched: { run: string; after: number; tell: (news: News) => void } | null = null;
  private pause = 250;
  readonly onRuns = new Set<() => void>();
  readonly onState = new Set<(connected: boolean) => void>();

  /** Connect, and again whenever the connection is lost. */
  connect(): void {
    const socket = (this.socket = new WebSocket(`ws://${location.host}/ws`));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.pause = 250;
      this.onState.forEach((tell) => tell(true));
      if (this.watched) this.send({ op: "watch", run: this.watched.run, after: this.watched.after });
      this.waiting.splice(0).forEach((text) => socket.send(text));
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => (typeof event.data === "string" ? this.hear(event.data) : this.show(event.data));
    socket.onclose = () => {
      this.onState.forEach((tell) => tell(false));
      this.pending.forEach(({ reject }) => reject(new Error("The connection to the studio was lost; it is being sought again.")));
      this.pending.clear();
      setTimeout(() => this.connect(), this.pause);
      this.pause = Math.min(5000, this.pause * 2);
    };
  }

  private send(message: unknown): void {
    this.sendText(JSON.stringify(message));
  }

  private sendText(text: string): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(text);
    else this.waiting = [...this.waiting.slice(-8), text];
  }

  private hear(text: string): void {
    const message = JSON.parse(text) as { op: string; seq?: number | null; error?: string } & News;
    if (message.op === "runs") this.onRuns.forEach((tell) => tell());
    if (message.op === "rows" && this.watched?.run === message.run) {
      this.watched.after = message.reset ? message.step : Math.max(this.watched.after, message.step);
      this.watched.tell(message);
    }
    if (message.op === "error" && message.seq != null) {
      this.pending.get(message.seq)?.reject(new Error(message.error));
      this.pending.delete(message.seq);
    }
  }

  private show(buffer: ArrayBuffer): void {
    const { seq, pixels } = readFrame(buffer);
    for (const [other, { resolve, reject }] of this.pending) {
      if (other > seq) continue;
      this.pending.delete(other);
      if (other === seq) resolve(pixels);
      else reject(new Error("overtaken"));
    }
  }

  /** Be told what `run` logs after a step, until the returned function is called. */
  watch(run: string, after: number, tell: (news: News) => void): () => void {
    const watched = { run, after, tell };
    this.watched = watched;
    if (this.socket?.readyState === WebSocket.OPEN) this.send({ op: "watch", run, after });
    return () => {
      if (this.watched !== watched) return;
      this.watched = null;
      if (this.socket?.readyState === WebSocket.OPEN) this.send({ op: "unwatch" });
    };
  }

  /** The decoder of a run, or of one of its snapshots. */
  decoder(run: string, step?: number | null): Decoder {
    return {
      decode: (z, y = null) =>
        new Promise<Pixels>((resolve, reject) => {
          const seq = ++this.seq;
          const text = decodeText(seq, run, z, y, step);
          this.pending.set(seq, { resolve, reject });
          this.sendText(text);
        }),
    };
  }
}

export const socket = new Socket();
