import type { Configuration } from './configuration.js';
import type { Cell, CellResult, Experiment } from './experiment.js';
import { Pool } from './pool.js';
import { openResults, type ResultLine } from './results-file.js';
import { belongs, type Shard } from './shard.js';
import { type TableRow, tableOf } from './table.js';

export interface RunOptions {
  /** The results file. */
  readonly path: string;
  readonly shard: Shard;
  /** Threads. */
  readonly jobs: number;
  /** Begin anew where the file holds cells. */
  readonly force: boolean;
  /** Sees the cost that is done and in all, and the cell that was finished last. */
  readonly progress: (done: number, total: number, key: string) => void;
  /** Ends the run: what is finished is in the file. */
  readonly signal: AbortSignal;
}

/** The cells of an experiment under its configuration. */
export function cellsOf(experiment: Experiment, { settings }: Configuration): readonly Cell[] {
  return experiment.cells(settings);
}

/** Computes the cells of a shard that its results file does not hold yet, appending each as it is finished. Returns all lines of the file, or null where it was aborted. */
export async function runCells(
  experiment: Experiment,
  configuration: Configuration,
  { path, shard, jobs, force, progress, signal }: RunOptions,
): Promise<readonly ResultLine[] | null> {
  const file = openResults(path, configuration, shard, force);
  const own = cellsOf(experiment, configuration).filter((_, k) => belongs(k, shard));
  const lines = new Map(file.lines.map((line) => [line.key, line]));
  const left = own.filter(({ key }) => !lines.has(key));
  const total = costOf(own);
  let done = total - costOf(left);
  progress(done, total, '');
  const pool = new Pool({ experiment: configuration.experiment, settings: configuration.settings }, jobs);
  const stop = () => void pool.stop();
  signal.addEventListener('abort', stop);
  try {
    if (!signal.aborted) {
      await pool.run(left, (line, cell) => {
        file.append(line);
        lines.set(line.key, line);
        done += cell.cost;
        progress(done, total, line.key);
      });
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  const finished = own.flatMap(({ key }) => lines.get(key) ?? []);
  return finished.length === own.length ? finished : null;
}

/** The final table from the lines of all cells. */
export function concludeExperiment(
  experiment: Experiment,
  configuration: Configuration,
  lines: readonly ResultLine[],
): TableRow[] {
  const results = new Map(lines.map((line) => [line.key, line.result]));
  const all = cellsOf(experiment, configuration).map(
    ({ key, parameters }): CellResult => ({ key, parameters, result: results.get(key) as object }),
  );
  return tableOf(configuration, experiment.conclude(all, configuration.settings));
}

function costOf(cells: readonly Cell[]): number {
  return cells.reduce((sum, { cost }) => sum + cost, 0);
}
