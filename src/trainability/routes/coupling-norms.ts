import type { Quantities } from './route.js';

/** `l1 = sum |J|` and `l2 = sum J^2 / 2` over the couplings, which stand first in theta. */
export function couplingNorms(theta: Float64Array, couplings: number): { readonly l1: number; readonly l2: number } {
  let [l1, l2] = [0, 0];
  for (let a = 0; a < couplings; a++) {
    l1 += Math.abs(theta[a]);
    l2 += theta[a] ** 2 / 2;
  }
  return { l1, l2 };
}

/** Adds their derivatives, `sign J` (0 at the kink) and `J`, times the cotangents. */
export function addCouplingNorms(out: Float64Array, theta: Float64Array, couplings: number, bar: Quantities): void {
  const { l1 = 0, l2 = 0 } = bar;
  if (l1 === 0 && l2 === 0) return;
  for (let a = 0; a < couplings; a++) out[a] += l1 * Math.sign(theta[a]) + l2 * theta[a];
}
