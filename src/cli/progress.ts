import { duration } from './format.js';

/** A line that says how far a run is and how long it will take, rewritten in place on a terminal. Elsewhere standard error is for failures, and nothing is said. */
export class Progress {
  private readonly began = performance.now();
  private lastShown = 0;
  private shown = false;

  /** `done` steps were made before this process started, of `total`. The time left is a bound where steps become no slower, else `about` is said. */
  constructor(
    private readonly label: string,
    private readonly total: number,
    private readonly done = 0,
    private readonly stream: NodeJS.WriteStream = process.stderr,
    private readonly bound: 'at most' | 'about' = 'at most',
  ) {}

  /** Call after every step; shows at most five times a second. */
  update(step: number, detail: string): void {
    const now = performance.now();
    if (!this.stream.isTTY || now - Math.max(this.lastShown, this.began) < 200) return;
    this.lastShown = now;
    const perStep = (now - this.began) / Math.max(1, step - this.done);
    const left = duration((perStep * Math.max(0, this.total - step)) / 1000);
    const percent = Math.floor((100 * step) / this.total);
    const line = `${this.label} ${step}/${this.total} (${percent}%), ${this.bound} ${left} left; ${detail}`;
    this.shown = true;
    this.stream.write(`\r\x1b[K${line.slice(0, (this.stream.columns ?? 120) - 1)}`);
  }

  /** Ends the line. */
  finish(): void {
    if (this.shown) this.stream.write('\r\x1b[K');
  }
}
