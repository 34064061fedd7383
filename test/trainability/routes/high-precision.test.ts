import { readFileSync } from 'node:fs';
import { createRoute, ising, type KernelName, rbm } from 'htdml';
import { describe, expect, test } from 'vitest';
import { ACCURACY } from '../../../src/trainability/accuracy.js';
import { randomData } from '../../support/models.js';

interface Case {
  readonly model: string;
  readonly spins: number;
  readonly edges: [number, number][];
  readonly blocks: number[][];
  readonly kernel: KernelName;
  readonly theta: number[];
  readonly timescale: number;
  readonly gradient: number[];
}

const { cases } = JSON.parse(readFileSync(new URL('../../fixtures/deep-plateaus.json', import.meta.url), 'utf8')) as {
  cases: Case[];
};

/** Figures of 80-digit arithmetic by the script beside them: two wells, `T` from 1e3 to 1e15. */
describe.each(
  cases.map((one) => ({ ...one, title: `${one.model}, ${one.kernel}, T = ${one.timescale.toExponential(1)}` })),
)('$title', ({ model: name, spins, edges, blocks, kernel, theta, timescale, gradient }) => {
  const pairs = edges.length;
  const [visible, hidden] = blocks.map((block) => block.length);
  const graph = ising({ spins, edges, blocks, couplings: theta.slice(0, pairs), biases: theta.slice(pairs) });
  const machine = name.startsWith('RBM')
    ? rbm({
        visible,
        hidden,
        weights: theta.slice(0, pairs),
        visibleBiases: theta.slice(pairs, pairs + visible),
        hiddenBiases: theta.slice(pairs + visible),
      })
    : null;
  const routes = [createRoute(graph, randomData(spins, 3), { kernel })];
  if (machine !== null) routes.push(createRoute(machine, randomData(visible, 3), { kernel }));
  // Exponents are sums of parameters, each rounded once, and exp is as accurate as its argument.
  const size = theta.reduce((sum, x) => sum + Math.abs(x), 0);
  const unit = Number.EPSILON * (1 + size);

  test.each(routes.map((route) => ({ route, which: route.name })))('$which: T and its derivative', ({ route }) => {
    const { value, pullback, info } = route.evaluate(Float64Array.from(theta), ['timescale']);
    expect(info.converged).toBe(true);
    expect(Math.abs((value.timescale ?? 0) / timescale - 1)).toBeLessThan(ACCURACY.plateau.value * unit);
    const largest = Math.max(...gradient.map(Math.abs));
    const off = Math.max(...pullback({ timescale: 1 }).map((g, a) => Math.abs(g - gradient[a]))) / largest;
    expect(off).toBeLessThan(ACCURACY.plateau.gradient * unit);
  });
});
