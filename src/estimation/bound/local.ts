import { UnsupportedError } from '../../errors.js';
import type { Model } from '../../model/model.js';
import { type Conditionals, conditionals } from '../conditionals.js';
import type { Features } from './features.js';

/** Blocks with inside edges are enumerated, up to this size. */
export const MAX_ENUMERATED_BLOCK = 12;
/** Blocks without inside edges are enumerated up to this size where features are not linear in each of their spins; larger ones are split. */
const MAX_JOINT_BLOCK = 6;

const ROUNDING = 1e-12;

/**
 * What one part of the mixture tells at a sample: `D = chi - P_c chi` at the first `length` of `positions` in the part's clique, zero elsewhere. `E[D_c D_c^T] = E Cov_c(chi, chi)` (6.1), from
 * differences, so that a slow direction costs no digits (D9). For one spin of flip probability `p`, `D = p (chi(x) - chi(x^i))` has square `p^2` where `Cov_c` has `p (1 - p)`, less noisy: `scale` is the ratio of the latter to the former.
 */
export type VisitPart = (
  part: number,
  length: number,
  positions: Int32Array,
  difference: Float64Array,
  scale: number,
) => void;

/** The local quantities of (6.1), sample by sample. */
export interface LocalView {
  /** Number of features. */
  readonly count: number;
  /** For each part of the mixture the features that may change with it, increasing. */
  readonly cliques: readonly Int32Array[];
  /** Weight of each part in the Dirichlet form, one over the number of blocks. */
  readonly weight: number;
  /** The features at the loaded spins. */
  readonly chi: Float64Array;
  /** Takes the spins; they are changed during a visit and are the same after it. */
  load(spins: Int8Array): void;
  /** Visits all parts at the loaded spins. */
  visit(visit: VisitPart): void;
}

/**
 * For a mixture over `blocks`. A block whose spins are independent given the others is visited spin by spin where every feature is linear in each of its spins, which changes nothing, and where it is large:
 * there `E Var_c psi <= sum_i E Var_i psi` (Efron and Stein 1981), and what is computed stays a lower bound. Throws {@link UnsupportedError} where a block has inside edges and is too large.
 */
export function localView(model: Model, blocks: readonly (readonly number[])[], features: Features): LocalView {
  const { monomials, functions, count } = features;
  const first = monomials.length;
  const laws = conditionals(model);
  const touching: number[][] = Array.from({ length: model.spins }, () => []);
  monomials.forEach((spins, k) => {
    for (const i of spins) touching[i].push(k);
  });
  const tail = Array.from({ length: functions.count }, (_, k) => first + k);
  const parts = blocks.flatMap((block) => partsOf(block, laws, features));
  const cliques = parts.map((part) =>
    Int32Array.from([...[...new Set(part.spins.flatMap((i) => touching[i]))].sort((a, b) => a - b), ...tail]),
  );
  const chi = new Float64Array(count);
  const widest = cliques.reduce((top, { length }) => Math.max(top, length), 0);
  const positions = new Int32Array(widest);
  const difference = new Float64Array(widest);
  const changed = new Float64Array(count);
  const evaluate = (x: Int8Array, out: Float64Array) => {
    for (let k = 0; k < first; k++) {
      const of = monomials[k];
      out[k] = of.length === 1 ? x[of[0]] : x[of[0]] * x[of[1]];
    }
    functions.load(x, out, first);
  };
  let x: Int8Array = new Int8Array(0);
  const single = (part: number, visit: VisitPart) => {
    const i = parts[part].spins[0];
    const clique = cliques[part];
    const logOdds = laws.logOdds(i, x);
    const odds = x[i] * logOdds;
    const flip = 1 / (1 + Math.exp(odds));
    // Where p underflows so do all differences.
    if (flip === 0) return;
    const monomialsHere = clique.length - functions.count;
    for (let k = 0; k < monomialsHere; k++) {
      positions[k] = k;
      difference[k] = 2 * flip * chi[clique[k]];
    }
    let length = monomialsHere;
    if (functions.count > 0) {
      functions.flipped(i, x, logOdds, changed, first);
      for (let k = 0; k < functions.count; k++) {
        const change = chi[first + k] - changed[first + k];
        // Values that are the same may differ in their last digits, being computed from the change.
        if (Math.abs(change) <= ROUNDING * Math.abs(chi[first + k])) continue;
        positions[length] = monomialsHere + k;
        difference[length++] = flip * change;
      }
    }
    visit(part, length, positions, difference, Math.exp(odds));
  };
  const joint = (part: number, visit: VisitPart) => {
    const { spins: block } = parts[part];
    const clique = cliques[part];
    difference.fill(0, 0, clique.length);
    eachConfiguration(block, x, laws, (share) => {
      evaluate(x, changed);
      for (let k = 0; k < clique.length; k++) difference[k] += share * (chi[clique[k]] - changed[clique[k]]);
    });
    functions.load(x, chi, first);
    for (let k = 0; k < clique.length; k++) positions[k] = k;
    visit(part, clique.length, positions, difference, 1);
  };
  return {
    count,
    cliques,
    weight: 1 / blocks.length,
    chi,
    load(spins) {
      x = spins;
      evaluate(x, chi);
    },
    visit(visit) {
      for (let part = 0; part < parts.length; part++) (parts[part].joint ? joint : single)(part, visit);
    },
  };
}

/** A block as it is visited: whole, or spin by spin. */
export function partsOf(
  block: readonly number[],
  laws: Conditionals,
  { monomials, functions }: Pick<Features, 'monomials' | 'functions'>,
) {
  if (block.length === 1) return [{ spins: block, joint: false }];
  const coupled = laws.coupled(block);
  if (coupled && block.length > MAX_ENUMERATED_BLOCK) {
    throw new UnsupportedError(
      `The bound (6.1) over a block of ${block.length} spins`,
      `its inside edges need its 2^${block.length} configurations and the limit is 2^${MAX_ENUMERATED_BLOCK}`,
      'use random-scan',
    );
  }
  const inside = new Set(block);
  const linear = functions.count === 0 && monomials.every((spins) => spins.filter((i) => inside.has(i)).length <= 1);
  const whole = coupled || (!linear && block.length <= MAX_JOINT_BLOCK);
  return whole ? [{ spins: block, joint: true }] : block.map((i) => ({ spins: [i], joint: false }));
}

/** Visits all other configurations of a block with their conditional probabilities, in Gray-code order; the spins are as before in the end. */
export function eachConfiguration(
  block: readonly number[],
  x: Int8Array,
  { logOdds }: Conditionals,
  visit: (probability: number) => void,
): void {
  const start = block.map((i) => x[i]);
  const logWeights = new Float64Array(2 ** block.length);
  let configuration = 0;
  const flip = (step: number) => {
    const k = 31 - Math.clz32(step & -step);
    x[block[k]] = -x[block[k]];
    configuration ^= 1 << k;
    return k;
  };
  let logWeight = 0;
  for (let step = 1; step < logWeights.length; step++) {
    const k = flip(step);
    logWeight += x[block[k]] * logOdds(block[k], x);
    logWeights[configuration] = logWeight;
  }
  const reset = () =>
    block.forEach((i, k) => {
      x[i] = start[k];
    });
  reset();
  const top = logWeights.reduce((most, value) => Math.max(most, value), 0);
  const total = logWeights.reduce((sum, value) => sum + Math.exp(value - top), 0);
  configuration = 0;
  for (let step = 1; step < logWeights.length; step++) {
    flip(step);
    visit(Math.exp(logWeights[configuration] - top) / total);
  }
  reset();
}
