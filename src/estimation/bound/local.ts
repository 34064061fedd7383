import { UnsupportedError } from '../../errors.js';
import type { Model } from '../../model/model.js';
import type { Features } from './features.js';

/** Blocks up to this size are enumerated where a conditional mean has no closed form. */
export const MAX_ENUMERATED_BLOCK = 12;

/**
 * What one block tells at a sample: `D_c = chi - P_c chi` on the features listed in `active`, the only ones that change. `E[D_c D_c^T] = E Cov_c(chi, chi)` (6.1), from differences, so that a slow
 * direction costs no digits (D9). For one spin of flip probability `p`, `D = p (chi(x) - chi(x^i))` has square `p^2` where `Cov_c` has `p (1 - p)`, less noisy: `scale` is the ratio of the latter to the former.
 */
export type VisitBlock = (active: ArrayLike<number>, difference: Float64Array, scale: number) => void;

/** The local quantities of (6.1) at a sample. */
export interface LocalQuantities {
  /** Writes all features at the spins. */
  features(spins: Int8Array, out: Float64Array): void;
  /** Calls `visit` for each block; `chi` are the features at the spins. The spins are changed on the way and are the same in the end. */
  blocks(spins: Int8Array, chi: Float64Array, visit: VisitBlock): void;
}

/** For a mixture over `blocks`. Throws {@link UnsupportedError} where a block would have to be enumerated and is too large. */
export function localQuantities(
  model: Model,
  blocks: readonly (readonly number[])[],
  features: Features,
): LocalQuantities {
  const { monomials, functions, count } = features;
  const first = monomials.length;
  const { logOdds, coupled } = conditionals(model);
  const plans = blocks.map((block) => {
    const inside = new Set(block);
    const active = [
      ...monomials.flatMap((spins, k) => (spins.some((i) => inside.has(i)) ? [k] : [])),
      ...Array.from({ length: functions.count }, (_, k) => first + k),
    ];
    const joint = coupled(block);
    if (block.length > MAX_ENUMERATED_BLOCK && (joint || functions.count > 0)) {
      throw new UnsupportedError(
        `The bound (6.1) over a block of ${block.length} spins`,
        `${joint ? 'its inside edges' : 'level and user functions'} need its 2^${block.length} configurations and the limit is 2^${MAX_ENUMERATED_BLOCK}`,
        joint ? 'use random-scan' : 'use random-scan, or features up to pairs',
      );
    }
    return { block, inside, active: Int32Array.from(active), joint };
  });
  const difference = new Float64Array(count);
  const changed = new Float64Array(count);
  const means = new Float64Array(model.spins);
  const evaluateAll = (spins: Int8Array, out: Float64Array) => {
    for (let k = 0; k < first; k++) {
      const spinsOf = monomials[k];
      out[k] = spinsOf.length === 1 ? spins[spinsOf[0]] : spins[spinsOf[0]] * spins[spinsOf[1]];
    }
    functions.evaluate(spins, out, first);
  };
  const single = (i: number, active: Int32Array, spins: Int8Array, chi: Float64Array, visit: VisitBlock) => {
    const odds = spins[i] * logOdds(i, spins);
    const flip = 1 / (1 + Math.exp(odds));
    spins[i] = -spins[i];
    functions.evaluate(spins, changed, first);
    spins[i] = -spins[i];
    for (const k of active) difference[k] = flip * (k < first ? 2 * chi[k] : chi[k] - changed[k]);
    // (1 - p) / p; where p underflows so does the difference.
    visit(active, difference, flip === 0 ? 0 : Math.exp(odds));
  };
  /** Adds the conditional mean of `chi - chi(x)`, negated, over all configurations of the block. */
  const enumerated = (
    block: readonly number[],
    active: Int32Array,
    from: number,
    spins: Int8Array,
    chi: Float64Array,
  ) => {
    const start = block.map((i) => spins[i]);
    const logWeights = new Float64Array(2 ** block.length);
    let configuration = 0;
    let logWeight = 0;
    const flipTo = (step: number) => {
      const k = 31 - Math.clz32(step & -step);
      const i = block[k];
      logWeight -= spins[i] * logOdds(i, spins);
      spins[i] = -spins[i];
      configuration ^= 1 << k;
    };
    for (let step = 1; step < logWeights.length; step++) {
      flipTo(step);
      logWeights[configuration] = logWeight;
    }
    block.forEach((i, k) => {
      spins[i] = start[k];
    });
    const top = Math.max(...logWeights);
    const total = logWeights.reduce((sum, value) => sum + Math.exp(value - top), 0);
    configuration = 0;
    for (const k of active) if (k >= from) difference[k] = 0;
    for (let step = 1; step < logWeights.length; step++) {
      flipTo(step);
      const share = Math.exp(logWeights[configuration] - top) / total;
      if (from < first) evaluateAll(spins, changed);
      else functions.evaluate(spins, changed, first);
      for (const k of active) if (k >= from) difference[k] += share * (chi[k] - changed[k]);
    }
    block.forEach((i, k) => {
      spins[i] = start[k];
    });
  };
  return {
    features: evaluateAll,
    blocks(spins, chi, visit) {
      for (const { block, inside, active, joint } of plans) {
        if (block.length === 1) {
          single(block[0], active, spins, chi, visit);
          continue;
        }
        if (joint) {
          enumerated(block, active, 0, spins, chi);
        } else {
          // Independent given the outside: a product's mean is the product of the means.
          for (const i of block) means[i] = Math.tanh(logOdds(i, spins) / 2);
          const mean = (i: number) => (inside.has(i) ? means[i] : spins[i]);
          for (const k of active) {
            if (k >= first) break;
            const [i, j] = monomials[k];
            difference[k] = chi[k] - mean(i) * (j === undefined ? 1 : mean(j));
          }
          if (functions.count > 0) enumerated(block, active, first, spins, chi);
        }
        visit(active, difference, 1);
      }
    },
  };
}

/** Log odds of `x_i = +1` given the others, and whether a block has edges inside. */
export function conditionals(model: Model) {
  const near: [number, number][][] = Array.from({ length: model.spins }, () => []);
  model.edges.forEach(([i, j], a) => {
    near[i].push([j, 2 * model.beta * model.theta[a]]);
    near[j].push([i, 2 * model.beta * model.theta[a]]);
  });
  const bias = (i: number) => (model.biased ? 2 * model.beta * model.theta[model.edges.length + i] : 0);
  return {
    logOdds(i: number, spins: ArrayLike<number>): number {
      let sum = bias(i);
      for (const [j, strength] of near[i]) sum += strength * spins[j];
      return sum;
    },
    coupled: (block: readonly number[]) => block.some((i) => near[i].some(([j]) => block.includes(j))),
  };
}
