/** Everything that a run fixes beforehand. */
export interface Settings {
  /** Square of grid nodes, and neighbours of each. */
  readonly side: number;
  readonly degree: number;
  readonly seed: number;
  readonly training: Training;
  readonly estimate: Estimation;
  readonly series: Series;
}

/** Published runs train with 400 chains, 400 sweeps of warm-up and 50 samples 8 sweeps apart. */
export interface Training {
  /** Steps after which the layer is looked at, increasing; the first may be 0. */
  readonly checkpoints: readonly number[];
  readonly learningRate: number;
  /** Chains of each phase, one per image. */
  readonly chains: number;
  /** Sweeps of each that are not seen. */
  readonly burnIn: number;
  /** Samples of each, and sweeps from one to the next; their product is the window of the training's estimator. */
  readonly samples: number;
  readonly apart: number;
}

/** Equilibrium samples of a checkpoint. */
export interface Estimation {
  readonly chains: number;
  readonly samples: number;
  readonly burnIn: number;
  readonly apart: number;
  /** Sweeps of the clamped chains before their samples. */
  readonly positiveBurnIn: number;
  readonly probes: number;
}

/** Chains whose every step is kept. */
export interface Series {
  readonly chains: number;
  readonly burnIn: number;
  readonly sweeps: number;
  /** Observables that are measured on their own: those that look slowest on a third of the chains. */
  readonly slowest: number;
}

export const FULL: Settings = {
  side: 60,
  degree: 12,
  seed: 1,
  training: {
    checkpoints: [0, 15, 40, 80],
    learningRate: 0.016,
    chains: 128,
    burnIn: 150,
    samples: 25,
    apart: 6,
  },
  estimate: { chains: 48, samples: 48, burnIn: 4000, apart: 50, positiveBurnIn: 100, probes: 16 },
  series: { chains: 9, burnIn: 4000, sweeps: 4096, slowest: 16 },
};

/** The same layer in seconds, to see that it runs. */
export const QUICK: Settings = {
  ...FULL,
  training: { ...FULL.training, checkpoints: [0, 2], chains: 24, burnIn: 20, samples: 4 },
  estimate: { chains: 12, samples: 4, burnIn: 20, apart: 4, positiveBurnIn: 20, probes: 4 },
  series: { chains: 6, burnIn: 20, sweeps: 128, slowest: 4 },
};
