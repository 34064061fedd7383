import { conditionalTable, layerTable, layerView } from '../kernel/rbm-layers.js';
import { type Model, rbm } from '../model/model.js';
import { exactObject } from '../model/schema.js';
import { hittingTimes } from '../spectrum/hitting-times.js';
import { landscape } from './basins.js';
import { experiment } from './experiment.js';
import { count, listOf, nonNegative, positive, share } from './fields.js';
import { sourceFor } from './random-models.js';
import { largest, medianFigure, shareOf } from './statistics.js';

interface Parameters {
  readonly visible: number;
  readonly patterns: number;
  readonly beta: number;
}

/** Two basins of an RBM's visible layer under whole sweeps (`alternating-block`); times in sweeps. */
interface Pair {
  /** Probability of each basin. */
  readonly masses: readonly [number, number];
  /** From the higher of the two minima to the saddle, in units of the log-probability. */
  readonly barrier: number;
  /** Expected sweeps from one basin in equilibrium to the other's minimum, both ways. */
  readonly crossing: readonly [number, number];
  /** Share of the observables' variance that lies along the difference of the two basins. */
  readonly relevance: number;
  /** Whether each basin is the other's image under the global flip. */
  readonly mirrored: boolean;
}

/** Barriers between the basins of RBMs that store patterns: how many can be crossed and are seen by the gradient. */
export const exp7 = experiment({
  settings: exactObject(
    {
      visible: listOf(count),
      patterns: listOf(count),
      betas: listOf(positive),
      seed: nonNegative,
      patternStrength: positive,
      basinMass: positive,
      barrier: positive,
      crossableSweeps: positive,
      relevance: share,
    },
    'settings',
    'write them between braces',
  ),

  cells: ({ visible, patterns, betas }) =>
    visible.flatMap((m) =>
      patterns.flatMap((n) =>
        betas.map((beta) => ({
          key: `m=${m} patterns=${n} beta=${beta}`,
          cost: 8 ** m,
          parameters: { visible: m, patterns: n, beta },
        })),
      ),
    ),

  run({ visible, patterns, beta }: Parameters, { seed, patternStrength, basinMass, barrier }) {
    const random = sourceFor(seed, visible, patterns);
    const weights = Array.from(
      { length: visible * patterns },
      () => ((random.uniform() < 0.5 ? -1 : 1) * patternStrength) / Math.sqrt(visible),
    );
    return basinPairs(rbm({ visible, hidden: patterns, beta, weights }), basinMass, barrier);
  },

  conclude(results, { crossableSweeps, relevance }) {
    const crossable = (pair: Pair) => Math.max(...pair.crossing) <= crossableSweeps;
    const relevant = (pair: Pair) => pair.relevance >= relevance;
    const cellsWith = (test: (pair: Pair) => boolean) => shareOf(results.map(({ result }) => result.pairs.some(test)));
    const pairs = results.flatMap(({ result }) => result.pairs);
    return {
      cells: { value: results.length },
      severalBasins: shareOf(results.map(({ result }) => result.basins > 1)),
      withBarrier: cellsWith(() => true),
      crossable: cellsWith(crossable),
      distinct: cellsWith((pair) => !pair.mirrored),
      qualifying: cellsWith((pair) => crossable(pair) && relevant(pair)),
      mirrorRelevance: { value: largest(pairs.filter((pair) => pair.mirrored).map((pair) => pair.relevance)) },
      crossing: medianFigure(pairs.flatMap((pair) => pair.crossing)),
    };
  },
});

/** The basins of the visible layer's free energy, and the pairs of them that are massive enough and far enough apart. */
function basinPairs(model: Model, basinMass: number, barrier: number): { basins: number; pairs: Pair[] } {
  const [visible, hidden] = (['visible', 'hidden'] as const).map((layer) =>
    layerTable(layerView(model, layer), model.theta, model.beta),
  );
  const free = visible.logP.map((value) => -value);
  const { minima, basinOf, saddle } = landscape(free, model.visible.length);
  const mass = new Float64Array(minima.length);
  visible.p.forEach((value, v) => {
    if (basinOf[v] >= 0) mass[basinOf[v]] += value;
  });
  const sweep = product(conditionalTable(visible), conditionalTable(hidden), visible.states, hidden.states);
  const [means, total] = observableMeans(model, visible.p, basinOf, mass);
  const towards = minima.map((minimum) => () => hittingTimes(sweep, visible.p, (v) => minimum.includes(v))).map(once);
  const crossing = (from: number, to: number) => {
    const times = towards[to]();
    return visible.p.reduce((sum, p, v) => sum + (basinOf[v] === from ? (p / mass[from]) * times[v] : 0), 0);
  };
  const pairs: Pair[] = [];
  for (let a = 0; a < minima.length; a++) {
    for (let b = 0; b < a; b++) {
      const height = saddle(a, b) - Math.max(free[minima[a][0]], free[minima[b][0]]);
      if (Math.min(mass[a], mass[b]) < basinMass || height < barrier) continue;
      const difference = means[a].reduce((sum, value, k) => sum + (value - means[b][k]) ** 2, 0);
      pairs.push({
        masses: [mass[a], mass[b]],
        barrier: height,
        crossing: [crossing(a, b), crossing(b, a)],
        // `q = 1_A / pi(A) - 1_B / pi(B)` has `|q|^2 = 1 / pi(A) + 1 / pi(B)` and `<f, q> = E[f | A] - E[f | B]`.
        relevance: difference / (1 / mass[a] + 1 / mass[b]) / total,
        mirrored: minima[a].every((v) => minima[b].includes(visible.states - 1 - v)),
      });
    }
  }
  return { basins: minima.length, pairs };
}

/** `E[f_a | basin]` for every basin, and `sum_a Var f_a`; without biases `f_a = -v_i h_j`. */
function observableMeans(model: Model, p: Float64Array, basinOf: Int32Array, mass: Float64Array) {
  const { visible: m, hidden: n } = model.layers ?? { visible: 0, hidden: 0 };
  const means = Array.from(mass, () => new Float64Array(m * n));
  const overall = new Float64Array(m * n);
  p.forEach((weight, v) => {
    const sign = (i: number) => 2 * ((v >> i) & 1) - 1;
    for (let j = 0; j < n; j++) {
      let field = 0;
      for (let i = 0; i < m; i++) field += model.theta[i * n + j] * sign(i);
      const h = Math.tanh(model.beta * field);
      for (let i = 0; i < m; i++) {
        if (basinOf[v] >= 0) means[basinOf[v]][i * n + j] -= (weight / mass[basinOf[v]]) * sign(i) * h;
        overall[i * n + j] -= weight * sign(i) * h;
      }
    }
  });
  return [means, overall.reduce((sum, mean) => sum + 1 - mean * mean, 0)] as const;
}

/** `(A B)(v, w)`, `A` of `rows x inner`. */
function product(a: Float64Array, b: Float64Array, rows: number, inner: number): Float64Array {
  const out = new Float64Array(rows * rows);
  for (let v = 0; v < rows; v++) {
    for (let h = 0; h < inner; h++) {
      const factor = a[v * inner + h];
      for (let w = 0; w < rows; w++) out[v * rows + w] += factor * b[h * rows + w];
    }
  }
  return out;
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
