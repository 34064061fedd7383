/** Why a value of a report is null: its path and the reason. A path stands for everything below it. */
export interface Note {
  readonly path: string;
  readonly reason: string;
}
