import { setImmediate } from 'node:timers/promises';
import type { Progress } from './progress.js';
import type { RunFolder } from './run-folder.js';

/** A run was interrupted by a signal. */
export class Interrupted extends Error {
  /** `again` says what goes on with it; null where its state is not saved. */
  constructor(readonly again: string | null = 'the same command and --resume') {
    super('interrupted');
  }
}

const CHECKPOINT_EVERY_MS = 5000;

/**
 * Runs a generator of steps to its end, where each step says the state from which it follows: traces every record, shows progress, saves a checkpoint at the
 * first step and then every few seconds or every so many steps, and on SIGINT or SIGTERM saves one and throws {@link Interrupted}. Returns the final state.
 */
export async function drive<S, R extends object>(
  steps: Generator<{ readonly record: R; readonly state: S }, S>,
  folder: RunFolder<S>,
  progress: Progress,
  describe: (record: R, state: S) => { readonly step: number; readonly detail: string; readonly traced: object },
  checkpointEvery: number | null = null,
): Promise<S> {
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    let saved = Number.NEGATIVE_INFINITY;
    let taken = 0;
    let breathed = performance.now();
    let current: S | null = null;
    for (;;) {
      const next = steps.next();
      if (next.done) {
        folder.mark();
        folder.checkpoint(next.value);
        return next.value;
      }
      const { record, state } = next.value;
      if (state !== current) folder.mark();
      current = state;
      const { step, detail, traced } = describe(record, state);
      folder.trace(traced);
      progress.update(step, detail);
      const now = performance.now();
      if (now - breathed > 50) {
        await setImmediate(); // lets signals in
        breathed = now;
      }
      const due = checkpointEvery === null ? now - saved > CHECKPOINT_EVERY_MS : taken++ % checkpointEvery === 0;
      if (interrupted || due) {
        folder.checkpoint(state);
        saved = now;
      }
      if (interrupted) throw new Interrupted();
    }
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    progress.finish();
  }
}
