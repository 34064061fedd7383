import { z } from 'zod';
import type { KernelName } from '../kernel/kernels.js';
import { rbm } from '../model/model.js';
import { exactObject, says } from '../model/schema.js';
import { logRhat } from '../trainability/routes/log-quantities.js';
import { TableRoute } from '../trainability/routes/table-route.js';
import { teacherLaw } from '../trainability/teacher.js';
import { experiment } from './experiment.js';
import { count, kernel, listOf, nonNegative, positive } from './fields.js';
import { hypernetwork, randomWeights } from './hypernetwork.js';
import { normalRbm, sourceFor } from './random-models.js';
import { largest, median, medianFigure, shareOf } from './statistics.js';

interface Parameters {
  readonly layers: readonly [number, number];
  readonly beta: number;
  readonly kernel: KernelName;
  readonly seed: number;
}

/** A hypernetwork emits an RBM's couplings: `log R_hat` without a selection of modes against the sum over modes, and its derivatives in the network's weights against differences. */
export const exp8 = experiment({
  settings: exactObject(
    {
      layers: listOf(z.tuple([count, count], says('a pair of layer sizes', 'write it as [visible, hidden]'))),
      betas: listOf(positive),
      kernels: listOf(kernel),
      seeds: listOf(nonNegative),
      latent: count,
      width: count,
      couplingScale: positive,
      directions: count,
      step: positive,
    },
    'settings',
    'write them between braces',
  ),

  cells: ({ layers, betas, kernels, seeds }) =>
    layers.flatMap(([m, n]) =>
      betas.flatMap((beta) =>
        kernels.flatMap((name) =>
          seeds.map((seed) => ({
            key: `${m}+${n} beta=${beta} ${name} seed=${seed}`,
            cost: 8 ** (m + n),
            parameters: { layers: [m, n] as const, beta, kernel: name, seed },
          })),
        ),
      ),
    ),

  run({ layers: [m, n], beta, kernel: name, seed }: Parameters, settings) {
    const random = sourceFor(seed, m, n);
    const { latent, width, couplingScale, directions, step } = settings;
    const network = hypernetwork(latent, width, m * n);
    const weights = randomWeights(latent, width, m * n, couplingScale, random);
    const input = Float64Array.from({ length: latent }, () => random.normal());
    const data = teacherLaw(normalRbm(m, n, beta, couplingScale / Math.sqrt(m), random));
    const model = rbm({ visible: m, hidden: n, beta, weights: new Float64Array(m * n) });
    const route = new TableRoute(model, data, name);

    /** `log R_hat` of the emitted model, for a window of two steps: the window adds a constant. */
    const at = (w: Float64Array) => {
      const { couplings, pullback } = network.emit(w, input);
      const evaluation = route.evaluate(couplings, ['timescale', 'signal']);
      const scalar = evaluation.info.converged ? logRhat(evaluation.value, 2) : null;
      return { couplings, evaluation, scalar, pullback };
    };
    const { couplings, evaluation, scalar, pullback } = at(weights);
    if (scalar === null) return { resolved: false as const };
    const byModes = (route.spectrum(couplings)?.levels ?? []).reduce(
      (sum, { gap, couplingsWeight }) => sum + couplingsWeight * (1 / gap - 0.5),
      0,
    );
    const timescale = evaluation.value.timescale ?? Number.NaN;
    const gradient = pullback(evaluation.pullback(scalar.bar));
    const norm = Math.hypot(...gradient);
    let derivativeError = 0;
    for (let k = 0; k < directions; k++) {
      const direction = Float64Array.from(weights, () => random.normal());
      const length = Math.hypot(...direction);
      const value = (h: number) =>
        at(weights.map((x, i) => x + (h * direction[i]) / length)).scalar?.value ?? Number.NaN;
      const exact = gradient.reduce((sum, g, i) => sum + (g * direction[i]) / length, 0);
      // Fourth order: its own error falls as step^4, that of rounding grows as 1 / step.
      const difference = (8 * (value(step) - value(-step)) - (value(2 * step) - value(-2 * step))) / (12 * step);
      derivativeError = Math.max(derivativeError, Math.abs(exact - difference) / norm);
    }
    return {
      resolved: true as const,
      timescale,
      valueError: Math.abs(byModes / timescale - 1),
      slowestGap: route.spectrum(couplings)?.groups[0]?.gap ?? null,
      gradientNorm: norm,
      derivativeError,
    };
  },

  conclude(results) {
    const found = results.flatMap(({ result }) => (result.resolved ? [result] : []));
    const values = found.map(({ valueError }) => valueError);
    const derivatives = found.map(({ derivativeError }) => derivativeError);
    return {
      cells: { value: results.length },
      resolved: shareOf(results.map(({ result }) => result.resolved)),
      medianValueError: { value: median(values) },
      largestValueError: { value: largest(values) },
      // What the modes' gaps are known to: a few eps, and so `T` to that over the slowest gap.
      valueErrorInEps: {
        value: largest(
          found.flatMap(({ valueError, slowestGap }) =>
            slowestGap === null ? [] : [(valueError * slowestGap) / Number.EPSILON],
          ),
        ),
      },
      medianDerivativeError: { value: median(derivatives) },
      largestDerivativeError: { value: largest(derivatives) },
      slowestGap: medianFigure(found.flatMap(({ slowestGap }) => slowestGap ?? [])),
    };
  },
});
