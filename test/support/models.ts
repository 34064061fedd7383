import { type DataLaw, dataLawFromCounts, ising, type KernelName, type Model, randomSource, rbm } from 'htdml';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { complete, ring } from '../../proofs/graphs.js';

/** A seeded source of numbers for tests. */
export function random(seed: number) {
  const rng = xoroshiro128plus(seed);
  const uniform = () => uniformFloat64(rng);
  return {
    uniform,
    /** Roughly normal: the sum of twelve uniforms, centred. */
    normal: () => Array.from({ length: 12 }, uniform).reduce((sum, x) => sum + x, -6),
    integer: (below: number) => Math.floor(uniform() * below),
  };
}

export { complete, ring };

/** Normal numbers of the library's own source, from a seed of their own. */
export function normals(count: number, scale: number, seed: number): number[] {
  const source = randomSource(seed);
  return Array.from({ length: count }, () => scale * source.normal());
}

/** A fully connected model with normal couplings and, with the next seed, biases. */
export function glass(spins: number, scale: number, seed: number, biased = false): Model {
  const edges = complete(spins);
  const biases = biased ? normals(spins, scale, seed + 1) : undefined;
  return ising({ spins, edges, couplings: normals(edges.length, scale, seed), biases });
}

/** A positive law on all patterns, or on some of them. */
export function randomData(spins: number, seed: number, keep = 1): DataLaw {
  const { uniform } = random(seed);
  const counts = Array.from({ length: 2 ** spins }, (_, v) => [v, uniform() < keep ? uniform() : 0] as const);
  return dataLawFromCounts(spins, [...counts, [0, 0.1]]);
}

export interface Case {
  readonly name: string;
  readonly model: Model;
  readonly data: DataLaw;
}

/** Models of every character the spectrum can have: random, biased, strong, degenerate, symmetric, hidden, warm and cold. */
export function gradientCases(): Case[] {
  const r = random(7);
  const normals = (n: number, scale: number) => Array.from({ length: n }, () => scale * r.normal());
  const sk = (n: number, scale: number, biased: boolean, extra: object = {}) =>
    ising({
      spins: n,
      edges: complete(n),
      couplings: normals((n * (n - 1)) / 2, scale),
      biases: biased ? normals(n, 0.3) : undefined,
      ...extra,
    });
  const machine = (m: number, n: number, scale: number, biased: boolean, beta = 1) =>
    rbm({
      visible: m,
      hidden: n,
      beta,
      weights: normals(m * n, scale),
      visibleBiases: biased ? normals(m, 0.3) : undefined,
      hiddenBiases: biased ? normals(n, 0.3) : undefined,
    });
  const flat = (value: number, biased: boolean) =>
    ising({
      spins: 4,
      edges: complete(4),
      couplings: Array(6).fill(value),
      biases: biased ? Array(4).fill(0) : undefined,
    });
  const withData = (name: string, model: Model): Case => ({
    name,
    model,
    data: randomData(model.visible.length, 11, 0.7),
  });
  return [
    withData('random Ising, biased', sk(5, 0.4, true)),
    withData('random Ising, no biases', sk(5, 0.4, false)),
    withData('ring of six, no biases', ising({ spins: 6, edges: ring(6), couplings: normals(6, 0.6) })),
    withData('strongly coupled', sk(4, 1.5, true)),
    withData('J = 0, biased', flat(0, true)),
    withData('J = 0, no biases', flat(0, false)),
    withData('all couplings equal', flat(0.3, false)),
    withData('all couplings equal, zero biases', flat(0.3, true)),
    withData('hidden spins', sk(5, 0.5, true, { visible: [0, 3, 1] })),
    withData('hidden spins, no biases', sk(5, 0.5, false, { visible: [4, 1, 2] })),
    withData('beta 2.5', sk(4, 0.3, true, { beta: 2.5 })),
    withData('beta 0.3, hidden', sk(5, 1, true, { beta: 0.3, visible: [1, 2, 3] })),
    withData('blocks with inside edges', sk(4, 0.5, true, { blocks: [[0, 2], [1], [3]] })),
    withData('RBM 3 + 2', machine(3, 2, 0.6, true)),
    withData('RBM 2 + 3, no biases, beta 1.4', machine(2, 3, 0.5, false, 1.4)),
    withData('RBM at zero', machine(3, 2, 0, true)),
    withData('RBM 2 + 3', machine(2, 3, 0.7, true)),
    withData('RBM 2 + 3, weights zero', machine(2, 3, 0, true)),
    withData(
      'RBM, all weights equal, zero biases',
      rbm({ visible: 2, hidden: 2, weights: Array(4).fill(0.4), visibleBiases: [0, 0], hiddenBiases: [0, 0] }),
    ),
  ];
}

/** Kernels by what holds for them: one block per step; modes in [0, 1]; modes at all; derivatives; a factored route, and that with modes. */
export const MIXTURES: readonly KernelName[] = ['random-scan', 'random-block'];
export const GIBBS: readonly KernelName[] = [...MIXTURES, 'palindrome', 'palindrome-block'];
export const REVERSIBLE: readonly KernelName[] = [...GIBBS, 'metropolis'];
export const DIFFERENTIABLE: readonly KernelName[] = [...GIBBS, 'alternating-block'];
export const FACTORED: readonly KernelName[] = ['random-block', 'palindrome-block', 'alternating-block'];
export const FACTORED_GIBBS = FACTORED.filter((kernel) => GIBBS.includes(kernel));
