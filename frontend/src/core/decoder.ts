/** What turns a latent into pixels, wherever it runs, and the queue that keeps it from falling behind the pointer. */
import type { Pixels } from "./pixels";

/** A decoder: the server's over a socket, or one in the page. `y` is the class of a conditional model. */
export interface Decoder {
  decode(z: ArrayLike<number>, y?: number | null): Promise<Pixels>;
}

/**
 * One task in flight; of those that wait, only the latest is kept.
 * Every result is handed to `done` in order; a request that was overtaken is never started.
 */
export class LatestWins<Request, Result> {
  private waiting: { request: Request } | null = null;
  private busy = false;
  private closed = false;

  constructor(
    private readonly work: (request: Request) => Promise<Result>,
    private readonly done: (result: Result, request: Request) => void,
    private readonly failed: (error: Error, request: Request) => void = () => {},
  ) {}

  /** Ask for `request`, in place of any that still waits. */
  push(request: Request): void {
    this.waiting = { request };
    if (!this.busy) void this.drain();
  }

  /** Forget what waits, and hand on nothing that is still on its way. */
  close(): void {
    this.closed = true;
    this.waiting = null;
  }

  get idle(): boolean {
    return !this.busy && !this.waiting;
  }

  private async drain(): Promise<void> {
    this.busy = true;
    while (this.waiting && !this.closed) {
      const { request } = this.waiting;
      this.waiting = null;
      try {
        const result = await this.work(request);
        if (!this.closed) this.done(result, request);
      } catch (error) {
        if (!this.closed) this.failed(error instanceof Error ? error : new Error(String(error)), request);
      }
    }
    this.busy = false;
  }
}
