import { UnsupportedError } from '../errors.js';
import type { Boltzmann } from '../model/boltzmann.js';
import { forColumns, type KernelOperator } from './operator.js';

/**
 * Random-scan Metropolis (Metropolis et al. 1953): one uniformly chosen spin is flipped with probability `min(1, exp(-beta (E' - E)))`. Reversible, with
 * spectrum in [-1, 1]. Values only: the acceptance has a kink where two energies tie, so there is no derivative.
 */
export class MetropolisKernel implements KernelOperator {
  readonly states: number;
  readonly pi: Float64Array;
  private readonly sites: readonly { readonly mask: number; readonly accept: Float64Array; readonly sign: number }[];

  /** `sector` -1 gives the operator on odd functions of the global flip; the space must then be folded. */
  constructor(law: Boltzmann, sector: 1 | -1 = 1) {
    const { space, energies, beta } = law;
    this.states = space.states;
    this.pi = law.pi;
    this.sites = Array.from(space.flips, (mask, i) => ({
      mask,
      accept: energies.map((energy, s) => Math.min(1, Math.exp(-beta * (energies[s ^ mask] - energy)))),
      sign: space.folded && i === space.bits ? sector : 1,
    }));
  }

  apply(x: Float64Array, y: Float64Array, count = 1): void {
    forColumns(this.states, x, y, count, (xk, yk) => {
      yk.fill(0);
      for (const { mask, accept, sign } of this.sites) {
        for (let s = 0; s < this.states; s++) {
          yk[s] += ((1 - accept[s]) * xk[s] + accept[s] * sign * xk[s ^ mask]) / this.sites.length;
        }
      }
    });
  }

  adjoint(): this {
    return this;
  }

  applyGenerator(x: Float64Array, y: Float64Array, count = 1): void {
    forColumns(this.states, x, y, count, (xk, yk) => {
      yk.fill(0);
      for (const { mask, accept, sign } of this.sites) {
        for (let s = 0; s < this.states; s++) yk[s] += (accept[s] * (xk[s] - sign * xk[s ^ mask])) / this.sites.length;
      }
    });
  }

  propagate(mu: Float64Array, out: Float64Array): void {
    out.fill(0);
    for (const { mask, accept, sign } of this.sites) {
      for (let s = 0; s < this.states; s++) {
        out[s] += ((1 - accept[s]) * mu[s] + accept[s ^ mask] * sign * mu[s ^ mask]) / this.sites.length;
      }
    }
  }

  applyDerivative(): never {
    throw noDerivative();
  }

  addCotangent(): never {
    throw noDerivative();
  }
}

function noDerivative(): UnsupportedError {
  return new UnsupportedError(
    'The derivative of a metropolis kernel',
    'its acceptance has kinks where two energies tie',
    'use random-scan',
  );
}
