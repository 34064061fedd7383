/** Samples, single moves from each of them, and the trial solutions there. Matrices are row-major; move `m` of sample `s` is row `m * samples + s`. */
export interface TrainingBatch {
  /** How many samples. */
  readonly samples: number;
  /** Of each sample. */
  readonly moves: number;
  /** A row of spins per sample. */
  readonly here: Float32Array;
  /** A row of spins per move. */
  readonly there: Float32Array;
  /** `t_s`, a row of `count` numbers per sample: its share of `sum_z w_z fc_z alpha_z`. */
  readonly target: Float32Array;
  /** `p_m`, a number per move: its share of the Dirichlet form. */
  readonly share: Float32Array;
  /** `r_m`, a row of `count` numbers per move: what the features that are given change, `sum_z w_z alpha_z (beta_z . (g(x) - g(x')))`. */
  readonly given: Float32Array;
  /** `A = sum_z w_z alpha_z alpha_z^T`, `count` by `count`. */
  readonly square: Float32Array;
}

/** Trial solutions `psi_z = beta_z . g + alpha_z . chi`: what a step of the weights holds. */
export interface HeldTrials {
  /** Row `z` has the coefficients of `g`, then those of `chi`. */
  readonly alpha: Float64Array;
  /** `sum_z w_z c_z . alpha_z` on the pilot, to which steps are relative. */
  readonly scale: number;
}

/** Writes a {@link TrainingBatch}. */
export class BatchRows {
  /** The given features at the sample, and at the move. */
  readonly values: Float64Array;
  readonly changed: Float64Array;
  private readonly out: { -readonly [K in keyof TrainingBatch]: TrainingBatch[K] };
  private alpha: Float64Array = new Float64Array(0);
  private weight = 1;
  /** `sum_z w_z alpha_z beta_z^T`, a row per feature of the network. */
  private readonly mixed: Float64Array;

  constructor(
    samples: number,
    moves: number,
    private readonly spins: number,
    private readonly count: number,
    private readonly givenCount: number,
  ) {
    this.values = new Float64Array(givenCount);
    this.changed = new Float64Array(givenCount);
    this.mixed = new Float64Array(count * givenCount);
    this.out = {
      samples,
      moves,
      here: new Float32Array(samples * spins),
      there: new Float32Array(samples * moves * spins),
      target: new Float32Array(samples * count),
      share: new Float32Array(samples * moves),
      given: new Float32Array(samples * moves * count),
      square: new Float32Array(count * count),
    };
  }

  /** Trial solutions for what is written from now on. */
  hold({ alpha }: HeldTrials, weight: number): void {
    const { count, givenCount, mixed } = this;
    this.alpha = alpha;
    this.weight = weight;
    const size = givenCount + count;
    mixed.fill(0);
    const square = new Float64Array(count * count);
    for (let z = 0; z * size < alpha.length; z++) {
      const row = z * size;
      for (let j = 0; j < count; j++) {
        const own = weight * alpha[row + givenCount + j];
        for (let k = 0; k < givenCount; k++) mixed[j * givenCount + k] += own * alpha[row + k];
        for (let k = 0; k < count; k++) square[j * count + k] += own * alpha[row + givenCount + k];
      }
    }
    this.out.square.set(square);
  }

  sample(s: number, x: Int8Array, weight: number, probeMean: Float64Array): void {
    const { out, count, givenCount, alpha } = this;
    out.here.set(x, s * this.spins);
    const size = givenCount + count;
    for (let j = 0; j < count; j++) {
      let target = 0;
      for (let z = 0; z < probeMean.length; z++) {
        target += alpha[z * size + givenCount + j] * (-this.values[z] - probeMean[z]);
      }
      out.target[s * count + j] = weight * this.weight * target;
    }
  }

  move(s: number, m: number, x: Int8Array, share: number): void {
    const { out, count, givenCount, mixed, values, changed } = this;
    const row = m * out.samples + s;
    out.there.set(x, row * this.spins);
    out.share[row] = share;
    for (let j = 0; j < count; j++) {
      let sum = 0;
      for (let k = 0; k < givenCount; k++) sum += mixed[j * givenCount + k] * (values[k] - changed[k]);
      out.given[row * count + j] = sum;
    }
  }

  /** What was written, with the objective divided by `scale`. */
  batch(scale: number): TrainingBatch {
    const { target, share } = this.out;
    return { ...this.out, target: target.map((value) => value / scale), share: share.map((value) => value / scale) };
  }
}
