import type { DataName } from './problems.js';
import type { Common } from './train.js';

/** Everything that a comparison fixes beforehand but the tuned values, which are in `tuned.json`. */
export interface Settings {
  readonly common: Common;
  /** Seeds on which every arm picks from its grid by the median of the last divergence, and seeds on which arms are compared. */
  readonly tuningSeeds: readonly number[];
  readonly seeds: readonly number[];
  /** Arms by name; all of them where left out. */
  readonly arms?: readonly string[];
  /** Divergences, in nats, for which the sweeps spent are counted. */
  readonly targets: Readonly<Record<DataName, readonly number[]>>;
}

export const FULL: Settings = {
  common: {
    plain: { sweeps: 10, chains: 10 },
    budget: 300_000,
    lookEvery: 3000,
    checkpoints: 60,
    exactR: 10,
  },
  tuningSeeds: [101, 102, 103],
  seeds: [1, 2, 3, 4, 5, 6, 7, 8],
  targets: { digits: [0.3, 0.25], bars: [0.6, 0.3] },
};

/** The same in a few seconds, to see that it runs. */
export const QUICK: Settings = {
  ...FULL,
  common: { ...FULL.common, budget: 8000, lookEvery: 1000, checkpoints: 4, exactR: 2 },
  arms: ['plain', 'adaptive correlation penalty', 'persistent chains', 'gap floor', 'budget by gap of R_hat'],
  seeds: [1, 2],
  targets: { digits: [0.6, 0.4], bars: [2, 1] },
};
