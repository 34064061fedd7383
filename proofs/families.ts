import type { Arbitrary } from 'fast-check';
import { type Edge, ising, type Model, rbm } from 'htdml';
import { symmetricEigen } from '../src/spectrum/symmetric-eigen.js';
import { betas, between, real, reals } from './arbitraries.js';
import { fc } from './fast-check.js';
import { complete, ring } from './graphs.js';

/** An eigenvalue of `random-scan` on the observables' sector, known without a computation over states. */
export interface KnownMode {
  /** `1 - s` per step. */
  readonly gap: number;
  /** `mu`: what all modes of this list entry weigh together (2.6); null where there is no closed form. Entries may have equal gaps. */
  readonly weight: number | null;
}

/** A model of a family whose spectrum is known at least in part. */
export interface KnownModel {
  readonly family: string;
  readonly model: Model;
  /** Under `random-scan`. */
  readonly modes: readonly KnownMode[];
  /** Whether all the weight of the observables lies at the listed gaps. */
  readonly complete: boolean;
}

/**
 * Independent spins, `J = 0`: the conditional expectations commute, so a product of `k` centred spins has `1 - s = k / N`. With `m_i = tanh(beta h_i)` and
 * `v_i = 1 - m_i^2`, a bias weighs `v_i` at `k = 1`, an edge `m_j^2 v_i + m_i^2 v_j` there and `v_i v_j` at `k = 2`.
 */
export function independentSpins(spins: number, beta: number, biases?: readonly number[]): KnownModel {
  const edges = complete(spins);
  const model = ising({ spins, edges, couplings: edges.map(() => 0), biases, beta });
  const m = Array.from({ length: spins }, (_, i) => Math.tanh(beta * (biases?.[i] ?? 0)));
  const v = m.map((_, i) => 1 / Math.cosh(beta * (biases?.[i] ?? 0)) ** 2);
  const pairs = edges.reduce((sum, [i, j]) => sum + v[i] * v[j], 0);
  if (biases === undefined) {
    return { family: 'independent spins', model, modes: [{ gap: 2 / spins, weight: pairs }], complete: true };
  }
  const single =
    v.reduce((sum, x) => sum + x, 0) + edges.reduce((sum, [i, j]) => sum + m[j] ** 2 * v[i] + m[i] ** 2 * v[j], 0);
  const modes = [
    { gap: 1 / spins, weight: single },
    { gap: 2 / spins, weight: pairs },
  ];
  return { family: 'independent spins', model, modes, complete: true };
}

/** `1 - tanh x` without cancellation. */
const oneMinusTanh = (x: number) => 2 / (1 + Math.exp(2 * x));

/**
 * The modes of a uniform ring with zero biases, in steps of its own (Glauber 1963; Felderhof 1971). With `gamma = tanh(2 beta J)` the Fourier modes of single spins
 * have `1 - s = (1 - gamma cos q) / n`, `q = 2 pi k / n`, and weigh their structure factor, from the transfer matrix
 * `S(q) = (1 - t^n) / (1 + t^n) (1 - t^2) / (1 - 2 t cos q + t^2)`, `t = tanh(beta J)`. Edges live in the sector of two fermions,
 * `1 - s = (2 - gamma (cos q1 + cos q2)) / n`, `q = (2 k + 1) pi / n`. Two spins (one edge) have `(1 -+ t) / 2` of weight `1 +- t`, and 1 of weight `1 - t^2`.
 */
function ringModes(n: number, x: number, biased: boolean): KnownMode[] {
  const t = Math.tanh(x);
  if (n === 2) {
    const even = { gap: 1, weight: oneMinusTanh(x) * (1 + t) };
    const odd = [
      { gap: oneMinusTanh(x) / 2, weight: 1 + t },
      { gap: oneMinusTanh(-x) / 2, weight: 1 - t },
    ];
    return biased ? [...odd, even] : [even];
  }
  const gamma = Math.tanh(2 * x);
  // 1 - gamma cos q, in two positive terms for gamma > 0.
  const rate = (q: number) => oneMinusTanh(2 * x) + 2 * gamma * Math.sin(q / 2) ** 2;
  const modes: KnownMode[] = [];
  // Differences of one written as sums of terms of one sign: at strong couplings t is nearly 1.
  const below = oneMinusTanh(x);
  const powers = Array.from({ length: n }, (_, k) => t ** k).reduce((sum, power) => sum + power, 0);
  for (let k = 0; k < n && biased; k++) {
    const q = (2 * Math.PI * k) / n;
    const factor = (below * (1 + t)) / (below * below + 4 * t * Math.sin(q / 2) ** 2);
    modes.push({ gap: rate(q) / n, weight: ((below * powers) / (1 + t ** n)) * factor });
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const [p, q] = [i, j].map((k) => ((2 * k + 1) * Math.PI) / n);
      modes.push({ gap: (rate(p) + rate(q)) / n, weight: null });
    }
  }
  return modes;
}

/** A uniform ring of two (one edge) or more spins; `biased` gives it bias parameters at zero. */
export function uniformRing(spins: number, coupling: number, beta: number, biased: boolean): KnownModel {
  const edges: Edge[] = spins === 2 ? [[0, 1]] : ring(spins);
  const model = ising({
    spins,
    edges,
    couplings: edges.map(() => coupling),
    biases: biased ? Array(spins).fill(0) : undefined,
    beta,
  });
  return { family: 'uniform ring', model, modes: ringModes(spins, beta * coupling, biased), complete: true };
}

/** Rings that do not touch, with zero biases: each keeps its modes, resampled `n / N` of the time. Modes across rings are invisible. */
export function decoupledRings(
  rings: readonly { readonly spins: number; readonly coupling: number }[],
  beta: number,
): KnownModel {
  const total = rings.reduce((sum, { spins }) => sum + spins, 0);
  const edges: Edge[] = [];
  const couplings: number[] = [];
  const modes: KnownMode[] = [];
  let first = 0;
  for (const { spins, coupling } of rings) {
    const own: Edge[] = spins === 2 ? [[0, 1]] : ring(spins);
    for (const [i, j] of own) {
      edges.push([first + i, first + j]);
      couplings.push(coupling);
    }
    for (const { gap, weight } of ringModes(spins, beta * coupling, true)) {
      modes.push({ gap: (gap * spins) / total, weight });
    }
    first += spins;
  }
  const model = ising({ spins: total, edges, couplings, biases: Array(total).fill(0), beta });
  return { family: 'decoupled rings', model, modes, complete: true };
}

/**
 * All couplings and all biases equal (Curie and Weiss). The number of spins up is itself a chain, of births and deaths, so its `N` gaps are in the spectrum;
 * all others come with the multiplicities of the permutation group.
 */
export function curieWeiss(spins: number, coupling: number, bias: number, beta: number): KnownModel {
  const edges = complete(spins);
  const model = ising({
    spins,
    edges,
    couplings: edges.map(() => coupling),
    biases: Array(spins).fill(bias),
    beta,
  });
  // Rate from k to k + 1 spins up and back; the field on a spin is that of the others.
  const n = spins + 1;
  const chance = (up: number) => 1 / (1 + Math.exp(-2 * beta * (coupling * (2 * up - (spins - 1)) + bias)));
  const birth = (k: number) => ((spins - k) / spins) * chance(k);
  const death = (k: number) => (k / spins) * (1 - chance(k - 1));
  const generator = new Float64Array(n * n);
  for (let k = 0; k < n; k++) {
    generator[k * n + k] = (k < spins ? birth(k) : 0) + (k > 0 ? death(k) : 0);
    if (k < spins) generator[k * n + k + 1] = generator[(k + 1) * n + k] = -Math.sqrt(birth(k) * death(k + 1));
  }
  const modes = [...symmetricEigen(generator, n).values].slice(1).map((gap) => ({ gap, weight: null }));
  return { family: 'Curie-Weiss', model, modes, complete: false };
}

/** An RBM whose visible spins all have the same row: a difference of two of them relaxes as if alone, `1 - s = 1 / N`. */
export function equalRows(
  visible: number,
  row: readonly number[],
  visibleBias: number,
  hiddenBiases: readonly number[],
  beta: number,
): KnownModel {
  const hidden = row.length;
  const model = rbm({
    visible,
    hidden,
    weights: Array.from({ length: visible }, () => row).flat(),
    visibleBiases: Array(visible).fill(visibleBias),
    hiddenBiases,
    beta,
  });
  return {
    family: 'RBM with equal rows',
    model,
    modes: visible > 1 ? [{ gap: 1 / (visible + hidden), weight: null }] : [],
    complete: false,
  };
}

const sizes = (max: number) => fc.integer({ min: 2, max });

export const independents: Arbitrary<KnownModel> = sizes(5).chain((n) =>
  fc
    .tuple(betas, fc.option(reals(n, 1), { nil: undefined }))
    .map(([beta, biases]) => independentSpins(n, beta, biases)),
);

export const rings: Arbitrary<KnownModel> = fc
  .tuple(sizes(5), real(1), betas, fc.boolean())
  .map(([n, coupling, beta, biased]) => uniformRing(n, coupling, beta, biased));

/** Two rings, one time in two with equal couplings. */
export const decoupled: Arbitrary<KnownModel> = fc
  .tuple(fc.constantFrom([2, 2], [2, 3], [3, 2]), reals(2, 1), betas, fc.boolean())
  .map(([list, couplings, beta, equal]) =>
    decoupledRings(
      list.map((spins, k) => ({ spins, coupling: couplings[equal ? 0 : k] })),
      beta,
    ),
  );

export const curieWeisses: Arbitrary<KnownModel> = fc
  .tuple(sizes(5), real(0.6), real(0.5), betas)
  .map(([n, coupling, bias, beta]) => curieWeiss(n, coupling, bias, beta));

export const equalRowRbms: Arbitrary<KnownModel> = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 }), betas)
  .chain(([m, n, beta]) =>
    fc
      .tuple(reals(n, 1), real(1), reals(n, 1))
      .map(([row, bias, hiddenBiases]) => equalRows(m, row, bias, hiddenBiases, beta)),
  );

/** Two wells: strong rings, up to a gap of 1e-8 per step. */
export const deepPlateaus: Arbitrary<KnownModel> = fc
  .tuple(sizes(4), between(2, 4.5), betas, fc.boolean())
  .map(([n, depth, beta, biased]) => ({ ...uniformRing(n, depth / beta, beta, biased), family: 'deep plateau' }));

/** Any of the families. Shrinking stays within a family: what shrinks is its sizes and couplings. */
export const knownModels: Arbitrary<KnownModel> = fc.oneof(
  independents,
  rings,
  decoupled,
  curieWeisses,
  equalRowRbms,
  deepPlateaus,
);
