import { duration } from './format.js';

/** A line on standard error that says how far a run is and how long it will take; rewritten in place on a terminal. */
export class Progress {
  private readonly began = performance.now();
  private lastShown = 0;
  private shown = false;

  /** `done` steps were made before this process started, of `total`. */
  constructor(
    private readonly label: string,
    private readonly total: number,
    private readonly done = 0,
    private readonly stream: NodeJS.WriteStream = process.stderr,
  ) {}

  /** Call after every step; shows at most five times a second on a terminal, every ten seconds elsewhere. */
  update(step: number, detail: string): void {
    const now = performance.now();
    const interval = this.stream.isTTY ? 200 : 10_000;
    if (now - Math.max(this.lastShown, this.began) < interval) return;
    this.lastShown = now;
    const perStep = (now - this.began) / Math.max(1, step - this.done);
    const left = duration((perStep * Math.max(0, this.total - step)) / 1000);
    const percent = Math.floor((100 * step) / this.total);
    this.write(`${this.label} ${step}/${this.total} (${percent}%), at most ${left} left; ${detail}`);
  }

  /** Ends the line. */
  finish(): void {
    if (this.shown && this.stream.isTTY) this.stream.write('\r\x1b[K');
  }

  private write(text: string): void {
    this.shown = true;
    this.stream.write(this.stream.isTTY ? `\r\x1b[K${text.slice(0, (this.stream.columns ?? 120) - 1)}` : `${text}\n`);
  }
}
