import { Worker } from 'node:worker_threads';
import type { Cell } from './experiment.js';
import type { ExperimentName } from './registry.js';
import type { ResultLine } from './results-file.js';

/** What a worker is told once, and then for every cell. */
export interface WorkerTask {
  readonly experiment: ExperimentName;
  readonly settings: unknown;
}

type Message = { readonly line: ResultLine } | { readonly error: string };

/** Computes cells in `jobs` threads, those of the largest cost first; `finished` sees each as it ends. After `stop` no further cell begins and running ones are given up. */
export class Pool {
  private readonly workers = new Set<Worker>();
  private stopped = false;

  constructor(
    private readonly task: WorkerTask,
    private readonly jobs: number,
  ) {}

  async run(cells: readonly Cell[], finished: (line: ResultLine, cell: Cell) => void): Promise<void> {
    const waiting = [...cells].sort((a, b) => b.cost - a.cost);
    const lane = async () => {
      if (waiting.length === 0 || this.stopped) return;
      const worker = new Worker(new URL('./cell-worker.js', import.meta.url), {
        workerData: this.task,
        // Cells share the cores among them: a solver that hires threads of its own would only be in their way.
        env: { HTDML_THREADS: '1', ...process.env },
      });
      this.workers.add(worker);
      try {
        for (let cell = waiting.shift(); cell !== undefined && !this.stopped; cell = waiting.shift()) {
          const line = await compute(worker, cell);
          if (line !== null) finished(line, cell);
        }
      } finally {
        this.workers.delete(worker);
        await worker.terminate();
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(this.jobs, cells.length) }, lane));
    } finally {
      await this.stop();
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all([...this.workers].map((worker) => worker.terminate()));
  }
}

/** One cell's line; null where the worker was ended meanwhile. */
function compute(worker: Worker, cell: Cell): Promise<ResultLine | null> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      act();
    };
    const onMessage = (message: Message) =>
      settle(() =>
        'line' in message ? resolve(message.line) : reject(new Error(`cell ${cell.key}: ${message.error}`)),
      );
    const onError = (error: Error) => settle(() => reject(error));
    const onExit = () => settle(() => resolve(null));
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage({ key: cell.key, parameters: cell.parameters });
  });
}
