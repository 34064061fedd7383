import { logRhat as evaluate, type Objective } from 'htdml';

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
export function logRhat({ samples, heldSignal }: LogRhatOptions): Objective {
  if (heldSignal === undefined) {
    return {
      name: 'logRhat',
      quantities: ['timescale', 'signal'],
      evaluate: (values) => evaluate(values, samples),
    };
  }
  return {
    name: 'logRhat',
    quantities: ['timescale'],
    evaluate({ timescale }) {
      const at = evaluate({ timescale, signal: heldSignal }, samples);
      return at && { value: at.value, bar: { timescale: at.bar.timescale } };
    },
  };
}
