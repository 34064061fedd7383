import { setImmediate } from 'node:timers/promises';
import type { Progress } from './progress.js';
import type { RunFolder } from './run-folder.js';

/** A run was interrupted by a signal; its state is saved. */
export class Interrupted extends Error {}

const CHECKPOINT_EVERY_MS = 5000;

/**
 * Runs a generator of steps to its end: traces every record, shows progress, saves a checkpoint every few seconds, and on SIGINT or SIGTERM
 * saves one and throws {@link Interrupted}.
 */
export async function drive<S, R extends object>(
  steps: Iterable<{ readonly record: R; readonly state: S }>,
  folder: RunFolder<S>,
  progress: Progress,
  describe: (record: R, state: S) => { readonly step: number; readonly detail: string; readonly traced: object },
): Promise<S | null> {
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    let state: S | null = null;
    let saved = performance.now();
    let breathed = saved;
    for (const next of steps) {
      state = next.state;
      const { step, detail, traced } = describe(next.record, next.state);
      folder.trace(traced);
      progress.update(step, detail);
      const now = performance.now();
      if (now - breathed > 50) {
        await setImmediate(); // lets signals in
        breathed = now;
      }
      if (interrupted || now - saved > CHECKPOINT_EVERY_MS) {
        folder.checkpoint(state);
        saved = now;
      }
      if (interrupted) throw new Interrupted();
    }
    if (state !== null) folder.checkpoint(state);
    return state;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    progress.finish();
  }
}
