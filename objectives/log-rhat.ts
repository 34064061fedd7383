import { logRhat as evaluate, type Objective, type Quantity } from 'htdml';

/** The samples of {@link logRhat}, and whether its signal is held. */
export interface LogRhatOptions {
  /** `M K`: chains times window, in kernel steps. It shifts the value only. */
  readonly samples: number;
  /**
   * Hold `|g|^2` at this value. A model can always raise its `R_hat` by fitting the data worse, which makes the signal large; a design that
   * should mix better holds the signal at its start.
   */
  readonly heldSignal?: number | undefined;
}

/** `log R_hat` of the full predictor (3.2). */
export function logRhat(options: LogRhatOptions): Objective {
  return overTime('logRhat', 'timescale', options);
}

/** `log R_hat` of the slow cluster `C*` (section 4), smooth where its levels cross, with jumps where the set changes. Needs the table route. */
export function logRhatSlowCluster(options: LogRhatOptions): Objective {
  return overTime('logRhatSlowCluster', 'slowClusterTimescale', options);
}

/** `log R_hat` with soft membership (4.2): smooth everywhere. Needs the table route, made with a window. */
export function logRhatSoft(options: LogRhatOptions): Objective {
  return overTime('logRhatSoft', 'softTimescale', options);
}

/** `log R_hat` from one of a route's timescales. */
function overTime(
  name: string,
  time: Extract<Quantity, 'timescale' | 'slowClusterTimescale' | 'softTimescale'>,
  { samples, heldSignal }: LogRhatOptions,
): Objective {
  return {
    name,
    quantities: heldSignal === undefined ? [time, 'signal'] : [time],
    evaluate(values) {
      const at = evaluate({ timescale: values[time], signal: heldSignal ?? values.signal }, samples);
      if (at === null) return null;
      const bar = { [time]: at.bar.timescale };
      return { value: at.value, bar: heldSignal === undefined ? { ...bar, signal: at.bar.signal } : bar };
    },
  };
}
