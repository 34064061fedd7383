/** Why a value of a report is null: its path and the reason. A path stands for everything below it. */
export interface Note {
  /** Dotted, from the top of the report. */
  readonly path: string;
  /** One clause for a person. */
  readonly reason: string;
}
