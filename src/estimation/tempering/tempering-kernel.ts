import { UnsupportedError } from '../../errors.js';
import { createKernel, stepsPerSweep } from '../../kernel/kernels.js';
import type { KernelOperator } from '../../kernel/operator.js';
import { forColumns } from '../../kernel/operator.js';
import { boltzmann } from '../../model/boltzmann.js';
import { stateSpace } from '../../model/state-space.js';
import type { ReplicaLadder } from './ladder.js';

/** States of all replicas together that a table may have. */
const MAX_STATES = 2 ** 22;

/**
 * The kernel `tempering` as an operator on functions of all replicas' states, of index `s_0 + n s_1 + n^2 s_2 + ...` with the hottest replica's first and `n` the states of
 * one table (folded where the model has no biases: energies and local moves do not see a flip of one replica). Reversible, spectrum in [-1, 1]: `L` and `S` are
 * symmetric contractions in `L2(pi)`, so half their anticommutator is one. Values only.
 */
export class TemperingKernel implements KernelOperator {
  readonly states: number;
  readonly pi: Float64Array;
  private readonly size: number;
  private readonly kernels: readonly KernelOperator[];
  private readonly steps: number;
  private readonly energies: Float64Array;
  private readonly ladder: ReplicaLadder;

  /** Throws {@link UnsupportedError} where the replicas have more than 2^22 states together. */
  constructor(ladder: ReplicaLadder) {
    const { model, betas } = ladder;
    const bits = (model.biased ? model.spins : model.spins - 1) * betas.length;
    if (2 ** bits > MAX_STATES) {
      throw new UnsupportedError(
        `The operator of ${betas.length} replicas of ${model.spins} spins`,
        `it has 2^${bits} states and the limit is ${MAX_STATES}`,
        'sample instead, or use fewer spins or replicas',
      );
    }
    const space = stateSpace(model);
    const laws = Array.from(betas, (beta) => boltzmann(space, model.theta, beta));
    this.ladder = ladder;
    this.size = space.states;
    this.energies = laws[0].energies;
    this.kernels = laws.map((law, k) => createKernel(law, ladder.replica(k), ladder.kernel));
    this.steps = ladder.sweeps * stepsPerSweep(model, ladder.kernel);
    this.states = this.size ** betas.length;
    this.pi = laws.reduceRight(
      (outer, { pi }) =>
        Float64Array.from(
          { length: outer.length * pi.length },
          (_, s) => outer[Math.floor(s / pi.length)] * pi[s % pi.length],
        ),
      Float64Array.of(1),
    );
  }

  apply(x: Float64Array, y: Float64Array, count = 1): void {
    forColumns(this.states, x, y, count, (xk, yk) => {
      this.average(this.swapped(this.moved(xk)), this.moved(this.swapped(xk)), yk);
    });
  }

  adjoint(): this {
    return this;
  }

  propagate(mu: Float64Array, out: Float64Array): void {
    this.average(
      this.swapped(this.moved(mu, 'measure'), 'measure'),
      this.moved(this.swapped(mu, 'measure'), 'measure'),
      out,
    );
  }

  /** From `x - S L x = (x - L x) + (L x - S L x)` and the same with the two exchanged: each difference is formed from flows, never by subtracting images. */
  applyGenerator(x: Float64Array, y: Float64Array, count = 1): void {
    forColumns(this.states, x, y, count, (xk, yk) => {
      yk.fill(0);
      const local = this.moved(xk, 'function', yk);
      this.swapped(local, 'function', yk);
      const swapped = this.swapped(xk, 'function', yk);
      this.moved(swapped, 'function', yk);
      for (let s = 0; s < this.states; s++) yk[s] /= 2;
    });
  }

  applyDerivative(): never {
    throw noDerivative();
  }

  addCotangent(): never {
    throw noDerivative();
  }

  private average(x: Float64Array, y: Float64Array, out: Float64Array): void {
    for (let s = 0; s < this.states; s++) out[s] = (x[s] + y[s]) / 2;
  }

  /** `L x`, or `mu L`; adds `x - L x` to `difference` where there is one. Replica by replica, each turned into the first place and on to the last. */
  private moved(x: Float64Array, of: 'function' | 'measure' = 'function', difference?: Float64Array): Float64Array {
    const { states, size, kernels, steps } = this;
    let from = Float64Array.from(x);
    let to = new Float64Array(states);
    const lost = difference && new Float64Array(states);
    for (const kernel of kernels) {
      for (let t = 0; t < steps; t++) {
        if (lost !== undefined) {
          kernel.applyGenerator(from, to, states / size);
          for (let s = 0; s < states; s++) lost[s] += to[s];
        }
        if (of === 'function') kernel.apply(from, to, states / size);
        else forColumns(size, from, to, states / size, (mu, out) => kernel.propagate(mu, out));
        [from, to] = [to, from];
      }
      this.turn(from, to);
      [from, to] = [to, from];
      if (lost !== undefined) {
        this.turn(lost, to);
        lost.set(to);
      }
    }
    if (difference !== undefined && lost !== undefined) for (let s = 0; s < states; s++) difference[s] += lost[s];
    return from;
  }

  /** The first replica becomes the last. */
  private turn(from: Float64Array, to: Float64Array): void {
    const rest = this.states / this.size;
    for (let r = 0; r < rest; r++) for (let s = 0; s < this.size; s++) to[s * rest + r] = from[r * this.size + s];
  }

  /** `S x`, or `mu S`; adds `x - S x` to `difference` where there is one. */
  private swapped(x: Float64Array, of: 'function' | 'measure' = 'function', difference?: Float64Array): Float64Array {
    const { pairings } = this.ladder;
    const out = new Float64Array(this.states);
    for (const pairs of pairings) {
      const z = Float64Array.from(x);
      for (const k of pairs) this.swapPair(z, k, of, difference, 1 / pairings.length);
      for (let s = 0; s < this.states; s++) out[s] += z[s] / pairings.length;
    }
    return out;
  }

  private swapPair(
    z: Float64Array,
    k: number,
    of: 'function' | 'measure',
    difference: Float64Array | undefined,
    weight: number,
  ): void {
    const { size, energies, ladder, states } = this;
    const low = size ** k;
    const high = low * size;
    for (let s = 0; s < states; s++) {
      const a = Math.floor(s / low) % size;
      const b = Math.floor(s / high) % size;
      if (a >= b) continue;
      const t = s + (b - a) * (low - high);
      const there = ladder.acceptance(k, energies[a], energies[b]);
      const back = ladder.acceptance(k, energies[b], energies[a]);
      const flow = of === 'function' ? z[s] - z[t] : there * z[s] - back * z[t];
      const ds = of === 'function' ? there * flow : flow;
      const dt = of === 'function' ? back * flow : flow;
      z[s] -= ds;
      z[t] += dt;
      if (difference === undefined) continue;
      difference[s] += weight * ds;
      difference[t] -= weight * dt;
    }
  }
}

function noDerivative(): UnsupportedError {
  return new UnsupportedError(
    'The derivative of a tempering kernel',
    'the acceptance of a swap has kinks where two energies tie',
    'differentiate the kernel of the model itself',
  );
}
