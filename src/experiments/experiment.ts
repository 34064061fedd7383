import type { z } from 'zod';

/** One independent piece of an experiment, plain data: the same cell under the same settings gives the same result on any machine. */
export interface Cell<P = object> {
  /** Names the cell in results; unique within an experiment. */
  readonly key: string;
  /** Work relative to the experiment's other cells; large ones start first, and progress counts it. */
  readonly cost: number;
  readonly parameters: P;
}

/** A finished cell; `result` is plain JSON. */
export interface CellResult<P = object, R = object> {
  readonly key: string;
  readonly parameters: P;
  readonly result: R;
}

/** What an experiment found, by the names that its configuration's rows use; `value` is null where the cells do not resolve it. */
export interface Figure {
  readonly value: number | null;
  /** The value for a person, where a number alone would not say it: `45 of 48`. */
  readonly text?: string;
}

export type Figures = Readonly<Record<string, Figure>>;

/** An experiment with settings `S`, cells of parameters `P` and results `R`. */
export interface ExperimentOf<S, P extends object, R extends object> {
  /** What a configuration's `settings` must be. */
  readonly settings: z.ZodType<S>;
  cells(settings: S): readonly Cell<P>[];
  run(parameters: P, settings: S): R;
  /** `results` are those of all cells, in the order of {@link cells}. */
  conclude(results: readonly CellResult<P, R>[], settings: S): Figures;
}

/** An experiment as the runner sees it: settings, parameters and results are JSON that only the experiment itself reads. */
export type Experiment = ExperimentOf<unknown, object, object>;

/** The one place where an experiment's types are forgotten: what it is given later has passed its own schema or is its own output. */
export function experiment<S, P extends object, R extends object>(typed: ExperimentOf<S, P, R>): Experiment {
  return typed as unknown as Experiment;
}
