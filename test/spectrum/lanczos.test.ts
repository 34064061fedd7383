import { describe, expect, test } from 'vitest';
import { loops } from '../../src/kernel/compiled/loops.js';
import { compiledPairs } from '../../src/kernel/compiled/pair-network.js';
import { programOf } from '../../src/kernel/compiled/table.js';
import { createKernel, type KernelName } from '../../src/kernel/kernels.js';
import { type PairOperator, plainPairs } from '../../src/kernel/pair-space.js';
import { boltzmann } from '../../src/model/boltzmann.js';
import { ising, type Model, rbm } from '../../src/model/model.js';
import { stateSpace } from '../../src/model/state-space.js';
import { generatorEigen, transitionMatrix } from '../../src/spectrum/dense-kernel.js';
import type { SlowModes } from '../../src/spectrum/eigensolver.js';
import { lanczos } from '../../src/spectrum/lanczos.js';
import { complete, GIBBS, glass, normals } from '../support/models.js';

function operators(model: Model, kernel: KernelName, sector: 1 | -1 = 1) {
  const law = boltzmann(stateSpace(model), model.theta, model.beta);
  const operator = createKernel(law, model, kernel, sector);
  const program = programOf(law, model, kernel);
  const compiled = loops();
  if (program === null || compiled === null) throw new Error('the compiled loops do not run this kernel');
  return {
    law,
    operator,
    plain: plainPairs(operator, sector === 1, 1),
    compiled: compiledPairs(compiled, law, program, sector),
  };
}

function found(operator: PairOperator, request: Parameters<typeof lanczos>[1]): SlowModes {
  const modes = lanczos(operator, request);
  if (modes === null) throw new Error('memory does not reach');
  return modes;
}

/** Largest `|<phi_i, phi_j> - delta_ij|`, and `|E phi_i|`. */
function defect({ gaps, functions }: SlowModes, pi: Float64Array, stationary: boolean): number {
  const n = pi.length;
  let worst = 0;
  for (let i = 0; i < gaps.length; i++) {
    for (let j = -1; j <= i; j++) {
      if (j < 0 && !stationary) continue;
      let sum = i === j ? -1 : 0;
      for (let s = 0; s < n; s++) sum += pi[s] * functions[i * n + s] * (j < 0 ? 1 : functions[j * n + s]);
      worst = Math.max(worst, Math.abs(sum));
    }
  }
  return worst;
}

const MODELS: readonly (readonly [string, Model])[] = [
  ['glass of 9, folded', glass(9, 0.3, 1)],
  ['glass of 8 with biases', glass(8, 0.4, 2, true)],
  ['metastable glass', glass(8, 1.1, 5, true)],
  ['machine of 5 + 4', rbm({ visible: 5, hidden: 4, weights: normals(20, 0.6, 6) })],
];

describe.each(MODELS)('%s: the slowest 12 modes against the dense spectrum', (_, model) => {
  test.each(GIBBS)('%s', (kernel) => {
    for (const sector of model.biased ? ([1] as const) : ([1, -1] as const)) {
      const { law, operator, plain, compiled } = operators(model, kernel, sector);
      const { values } = generatorEigen(transitionMatrix(operator), operator.states, sector === 1 ? law.pi : null);
      for (const one of [plain, compiled]) {
        const modes = found(one, { count: 12 });
        expect(modes.converged).toBe(true);
        expect(modes.gaps).toHaveLength(12);
        // A gap's error is at most its residual, and the dense solver's a few eps.
        modes.gaps.forEach((gap, j) => {
          expect(Math.abs(gap - values[j])).toBeLessThan(1e-10 + 64 * Number.EPSILON);
        });
        expect(Math.max(...modes.residuals)).toBeLessThan(1e-10);
        expect(defect(modes, law.pi, sector === 1)).toBeLessThan(1e-12);
        expect(modes.clear).toBeGreaterThanOrEqual(modes.gaps[11] * (1 - 1e-8));
      }
    }
  });
});

test('eigenvectors by the operator itself: residuals are what they are said to be', () => {
  const { law, operator, compiled } = operators(glass(10, 0.5, 9), 'random-scan');
  const { gaps, functions, residuals } = found(compiled, { count: 6 });
  const image = new Float64Array(operator.states);
  gaps.forEach((gap, j) => {
    const phi = functions.subarray(j * operator.states, (j + 1) * operator.states);
    operator.applyGenerator(phi, image);
    const norm = Math.sqrt(image.reduce((sum, value, s) => sum + law.pi[s] * (value - gap * phi[s]) ** 2, 0));
    expect(Math.abs(norm - residuals[j])).toBeLessThan(1e-14);
  });
});

describe('exact degeneracy', () => {
  test('decoupled spins: the level 1/N of random-scan has multiplicity N, 2/N the pairs', () => {
    const n = 10;
    const { compiled } = operators(
      ising({ spins: n, edges: complete(n), couplings: complete(n).map(() => 0), biases: Array(n).fill(0) }),
      'random-scan',
    );
    const { gaps, converged } = found(compiled, { count: n + 45 });
    expect(converged).toBe(true);
    gaps.forEach((gap, j) => {
      expect(Math.abs(gap - (j < n ? 1 : 2) / n)).toBeLessThan(1e-13);
    });
  });

  test('odd functions of 10 decoupled spins: multiplicity 10, and nothing between it and 3/N', () => {
    const { compiled } = operators(glass(10, 0, 1), 'random-scan', -1);
    const { gaps, converged, clear } = found(compiled, { count: 64, cutoff: 0.2 });
    expect(converged).toBe(true);
    expect(gaps).toHaveLength(10);
    expect(clear).toBeGreaterThanOrEqual(0.2);
  });

  test('multiplicity 20: six decoupled pairs of equal coupling', () => {
    const spins = 12;
    const edges = Array.from({ length: spins / 2 }, (_, k): [number, number] => [2 * k, 2 * k + 1]);
    const model = ising({ spins, edges, couplings: edges.map(() => 0.4), biases: Array(spins).fill(0) });
    const { compiled } = operators(model, 'random-scan');
    // A pair relaxes by its sum at (1 - tanh J)/N and its difference at (1 + tanh J)/N; sums of different pairs combine: 6, then 15, then 20.
    const t = Math.tanh(0.4);
    const level = (1 - t) / spins;
    const { gaps, converged } = found(compiled, { count: 60, cutoff: 3.2 * level });
    expect(converged).toBe(true);
    const near = (multiple: number) => gaps.filter((gap) => Math.abs(gap / (multiple * level) - 1) < 1e-10).length;
    expect([near(1), near(2), near(3)]).toEqual([6, 15, 20]);
  });

  test('a tie at the end of what is asked for is no missed mode', () => {
    const { compiled } = operators(glass(10, 0, 1), 'random-scan');
    const { gaps, converged } = found(compiled, { count: 12 });
    expect(converged).toBe(true);
    for (const gap of gaps) expect(Math.abs(gap - 0.2)).toBeLessThan(1e-13);
  });
});

test('deep plateau: a gap far below rounding relative to one, by its rates', () => {
  // Two ferromagnetic halves without a coupling: the even sector holds the slow turning of one against the other.
  const spins = 10;
  const edges = complete(spins).filter(([i, j]) => i < 5 === j < 5);
  for (const coupling of [1.2, 2]) {
    const model = ising({ spins, edges, couplings: edges.map(() => coupling) });
    const { compiled } = operators(model, 'random-scan');
    // A half alone: its magnetisation is a chain on six levels, whose slowest gap is that of the birth-and-death chain; N counts all spins.
    const half = operators(
      ising({ spins: 5, edges: complete(5), couplings: complete(5).map(() => coupling), biases: Array(5).fill(0) }),
      'random-scan',
    );
    const slowest = birthAndDeath(5, coupling) / 2;
    expect(half.law.pi).toHaveLength(32);
    const { gaps, converged } = found(compiled, { count: 1 });
    expect(converged).toBe(true);
    expect(Math.abs(gaps[0] / (2 * slowest) - 1)).toBeLessThan(1e-9);
  }
});

test('no convergence is said, not thrown', () => {
  const { compiled } = operators(glass(10, 0.3, 1), 'random-scan');
  const { converged, clear } = found(compiled, { count: 12, maxApplications: 60 });
  expect(converged).toBe(false);
  expect(clear).toBe(0);
});

test('small tables are refused', () => {
  const { compiled } = operators(glass(6, 0.3, 1), 'random-scan');
  expect(() => lanczos(compiled, { count: 2 })).toThrow('dense');
});

/** Slowest gap of the number of up spins among `n` that all couple equally, by bisection on the sign of the solution: rates only, no subtraction. */
function birthAndDeath(n: number, coupling: number): number {
  const up = Array.from({ length: n }, (_, k) => {
    const rest = 2 * k - (n - 1);
    return (n - k) / n / (1 + Math.exp(-2 * coupling * rest));
  });
  const down = Array.from({ length: n + 1 }, (_, k) => {
    const rest = 2 * (k - 1) - (n - 1);
    return k / n / (1 + Math.exp(2 * coupling * rest));
  });
  // With differences v_k = f(k+1) - f(k): up_k v_k = down_k v_(k-1) - gap f(k); odd in the magnetisation, so sum over the lower half decides.
  const ends = (gap: number) => {
    let f = -1;
    let v = 0;
    for (let k = 0; k < n; k++) {
      v = ((k > 0 ? down[k] * v : 0) - gap * f) / up[k];
      f += v;
      if (k === (n - 1) / 2 - 1) return f + (down[k + 1] * v - gap * f) / up[k + 1] / 2;
    }
    return f;
  };
  let [low, high] = [1e-30, 1 / n];
  for (let k = 0; k < 400; k++) {
    const middle = Math.sqrt(low * high);
    if (ends(middle) < 0) low = middle;
    else high = middle;
  }
  return low;
}
