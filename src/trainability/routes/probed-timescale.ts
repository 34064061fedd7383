import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import { combinations, runJob } from '../../kernel/compiled/job.js';
import type { Loops } from '../../kernel/compiled/loops.js';
import { observables } from '../../kernel/compiled/solve-observables.js';
import { LANES, type Program, siteRate } from '../../kernel/compiled/table.js';
import { type Boltzmann, pullbackLogPi } from '../../model/boltzmann.js';
import { parity } from '../../model/state-space.js';
import { walshHadamard } from '../../model/walsh-hadamard.js';
import type { ProbeErrors } from './route.js';

/** The error of a solution, of the difference that is sampled: far below what sampling leaves. */
const LIMITS = { tolerance: 1e-6, maxIterations: 5000 };
const LARGEST_BACKWARD_ERROR = 1e-6;
/** From this many panels on, they are dealt out to groups evenly only in multiples of it. */
const MOST_GROUPS = 8;

/** A trial is scaled, which costs evaluating it again, where its best scale is that far from 1. */
const WORTH_SCALING = 0.02;

export interface ProbedTimescale {
  readonly timescale: number;
  readonly variance: number;
  /** `Lbar / pi` of the estimate. */
  readonly density: Float64Array;
  readonly iterations: number;
  readonly backwardError: number;
  readonly converged: boolean;
  readonly errors: ProbeErrors;
}

/** `X`, row by row, and `sum_a <fc_a, psi_a>`. */
interface Trial {
  readonly trial: readonly Float64Array[];
  readonly overlap: number;
}

/** How many probes are solved where so many are asked for: eight cost what one does, and beyond eight panels of them groups must be equal. */
export function probesFor(count: number): number {
  const panels = Math.ceil(count / LANES);
  return LANES * (panels > MOST_GROUPS ? MOST_GROUPS * Math.ceil(panels / MOST_GROUPS) : panels);
}

/** Rademacher signs, a row per probe and a column per observable. */
export function drawSigns(count: number, observables: number, random: { uniform(): number }): readonly Float64Array[] {
  return Array.from({ length: probesFor(count) }, () =>
    Float64Array.from({ length: observables }, () => (random.uniform() < 0.5 ? -1 : 1)),
  );
}

/**
 * `T` (3.3) and its gradient from probes `z = sum_a e_a fc_a` with random signs (Hutchinson 1990), unbiased. Sampled is only what a trial solution leaves: for any fixed
 * `psi_a = sum_b X_ab fc_b`, `T = sum_a [2 <fc_a, psi_a> - <psi_a, (I - P) psi_a>] - Var / 2 + E_e |u_z - psi_z|^2` in the energy norm. The sum is evaluated observable by
 * observable; `X` solves (3.3) on the observables' span under `random-scan`, which leaves a few percent. The gradient is that of the same expression, `X` held fixed.
 * Null where memory does not reach.
 */
export function probedTimescale(
  loops: Loops,
  law: Boltzmann,
  program: Program,
  signs: readonly Float64Array[],
): ProbedTimescale | null {
  const { sides, variance } = observables(law);
  const evaluated = (coefficients: readonly Float64Array[]) =>
    runJob(loops, law, program, sides, { ...LIMITS, maxIterations: 0 }, { trials: combinations(law, coefficients) });
  const found = trialCoefficients(law, siteRate(program));
  let { trial } = found;
  let bound = evaluated(trial);
  if (bound === null) return null;
  // Along c X the bound is 2 c <fc, psi> - c^2 <psi, (I - P) psi>, highest at the ratio of the two: 1 for mixtures of sites.
  const scale = found.overlap / (2 * found.overlap - sum(bound.energy));
  if (Math.abs(scale - 1) > WORTH_SCALING && Number.isFinite(scale)) {
    trial = trial.map((row) => row.map((value) => scale * value));
    bound = evaluated(trial) ?? bound;
  }
  const trialOf = (probe: Float64Array) => probe.map((_, b) => sum(trial.map((row, a) => probe[a] * row[b])));
  const rest = runJob(loops, law, program, combinations(law, signs), LIMITS, {
    trials: combinations(law, signs.map(trialOf)),
    keepShards: true,
  });
  if (rest?.shardDensities == null) return null;
  const count = signs.length;
  const gains = Array.from(rest.energy.subarray(0, count));
  const [mean, error] = meanAndError(gains);
  const total = sum(variance);
  const known = sum(bound.energy) - total / 2;
  return {
    timescale: known + mean,
    variance: total,
    density: bound.density.map((value, s) => value + rest.density[s] / count),
    iterations: sum(rest.iterations),
    backwardError: Math.max(...rest.backwardError),
    converged: rest.backwardError.every((value) => value <= LARGEST_BACKWARD_ERROR) && Number.isFinite(known + mean),
    errors: {
      count,
      sampled: mean / (known + mean),
      timescale: error,
      gradient: gradientError(law, rest.shardDensities, count),
    },
  };
}

/** Standard error of the gradient from its spread between groups of probes; null for one group. */
function gradientError(law: Boltzmann, shards: readonly Float64Array[], count: number): Float64Array | null {
  if (shards.length < 2) return null;
  const each = count / shards.length;
  const groups = shards.map((density) =>
    pullbackLogPi(
      law,
      density.map((value, s) => (law.pi[s] * value) / each),
    ),
  );
  return groups[0].map((_, a) => meanAndError(groups.map((group) => group[a]))[1]);
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let k = 0; k < values.length; k++) total += values[k];
  return total;
}

function meanAndError(values: readonly number[]): readonly [number, number] {
  const mean = sum(values) / values.length;
  const square = sum(values.map((value) => (value - mean) ** 2));
  return [mean, Math.sqrt(square / (values.length - 1) / values.length)];
}

/**
 * `X = C G^-1` over the observables, `C_ab = <fc_a, fc_b>` and `G_ab = r sum_i <fc_a, (I - P_i) fc_b>` with `r` the rate at which a spin is renewed. Where the observables
 * are dependent in double precision, its diagonal alone. Any matrix would be right; a good one leaves little to sample.
 */
function trialCoefficients(law: Boltzmann, rate: number): Trial {
  const { space, pi } = law;
  const { masks, signs, flips } = space;
  const moments = walshHadamard(Float64Array.from(pi));
  const forms = Array.from(flips, (flip) =>
    walshHadamard(pi.map((mass, s) => (2 * rate * mass * pi[s ^ flip]) / (mass + pi[s ^ flip]))),
  );
  const turns = Array.from(masks, (mask) => Array.from(flips, (flip) => parity(mask & flip) < 0));
  const p = masks.length;
  const c = new Matrix(p, p);
  const g = new Matrix(p, p);
  for (let a = 0; a < p; a++) {
    for (let b = 0; b <= a; b++) {
      const sign = signs[a] * signs[b];
      const both = masks[a] ^ masks[b];
      let form = 0;
      for (let i = 0; i < flips.length; i++) if (turns[a][i] && turns[b][i]) form += forms[i][both];
      const covariance = sign * (moments[both] - moments[masks[a]] * moments[masks[b]]);
      for (const [row, column] of [
        [a, b],
        [b, a],
      ]) {
        c.set(row, column, covariance);
        g.set(row, column, sign * form);
      }
    }
  }
  const factor = new CholeskyDecomposition(g);
  const x = factor.isPositiveDefinite() ? factor.solve(c).to2DArray() : null;
  const sound = x?.every((row) => row.every(Number.isFinite)) ? x : null;
  const alone = (a: number, b: number) => (a === b && g.get(a, a) > 0 ? c.get(a, a) / g.get(a, a) : 0);
  const trial = Array.from({ length: p }, (_, a) =>
    Float64Array.from({ length: p }, (__, b) => (sound === null ? alone(a, b) : sound[b][a])),
  );
  return { trial, overlap: sum(trial.map((row, a) => sum(row.map((value, b) => value * c.get(a, b))))) };
}
