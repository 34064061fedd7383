import type { KernelName } from '../../kernel/kernels.js';
import { type Boltzmann, observableSums } from '../../model/boltzmann.js';
import type { Model } from '../../model/model.js';
import type { SlowModes } from '../../spectrum/eigensolver.js';
import {
  type EigenvalueGroup,
  GROUP_WIDTH,
  groupEigenvalues,
  joins,
  slowestOfSectors,
  type WeightedEigenvalue,
} from '../../spectrum/groups.js';
import { lanczos } from '../../spectrum/lanczos.js';
import { sectorOperator } from '../../spectrum/sector-operator.js';
import type { ModeThresholds } from '../membership/mode-sets.js';
import { type DenseModes, weightedModes } from './dense-modes.js';
import type { SlowEnd } from './route.js';

/** Modes sought at first, and where those are not enough. */
const FIRST_COUNT = 12;
export const MAX_SLOW_MODES = 72;
/** Residual of a mode; its vector's error is that over the distance of the next one outside. */
export const RESIDUAL = 1e-12;
/** Share of the weight from which a group is seen at all (section 4). */
const VISIBLE = 1e-20;

/** The slow end of a spectrum on a table too large for all of it, with its modes. */
export interface SlowSpectrum extends SlowEnd {
  readonly modes: DenseModes;
  /** The modes with their weights, which `members` of the groups index. */
  readonly levels: readonly WeightedEigenvalue[];
  /** The group of `s_2` over both sectors of the global flip; null where the search did not end. */
  readonly slowest: Pick<EigenvalueGroup, 'gap' | 'multiplicity' | 'weight'> | null;
}

/**
 * Modes from the slowest on, more and more of them until they hold the anchor of the slow cluster (the slowest group of weight `epsilon mu_total`), all of the
 * cluster, and a group beyond it that the observables see; or as many as there may be. Null where the search did not converge or memory does not reach.
 */
export function slowSpectrum(
  law: Boltzmann,
  model: Model,
  kernel: KernelName,
  { epsilon, kappa }: ModeThresholds,
  totalWeight: number,
): SlowSpectrum | null {
  const operator = sectorOperator(law, model, kernel);
  for (let count = FIRST_COUNT; ; count = MAX_SLOW_MODES) {
    const found = lanczos(operator, { count, tolerance: RESIDUAL });
    if (found === null || !found.converged) return null;
    const modes = withCoefficients(law, found);
    const levels = weightedModes(modes, model.edges.length);
    const { groups, clear } = wholeGroups(groupEigenvalues(levels), found.clear);
    const anchor = groups.find(({ weight }) => totalWeight > 0 && weight >= epsilon * totalWeight);
    const edge = anchor && kappa * anchor.gap;
    const beyond = groups.some(({ gap, weight }) => edge !== undefined && gap > edge && weight > VISIBLE * totalWeight);
    if (!beyond && count < MAX_SLOW_MODES) continue;
    return { modes, levels, groups, clear, totalWeight, slowest: slowestGroup(law, model, kernel, groups) };
  }
}

/** The last group may have further members that were not asked for; then it is left out, and all is known up to it. */
function wholeGroups(groups: readonly EigenvalueGroup[], clear: number): Pick<SlowSpectrum, 'groups' | 'clear'> {
  const last = groups[groups.length - 1];
  if (clear > last.gap && !joins(last.gap, clear)) return { groups, clear };
  return { groups: groups.slice(0, -1), clear: last.gap * (1 - GROUP_WIDTH) };
}

function slowestGroup(law: Boltzmann, model: Model, kernel: KernelName, groups: readonly EigenvalueGroup[]) {
  if (!law.space.folded) return groups[0] ?? null;
  const operator = sectorOperator(law, model, kernel, -1);
  for (let count = 2; count <= MAX_SLOW_MODES; count *= 4) {
    const odd = lanczos(operator, { count, tolerance: RESIDUAL });
    if (odd === null || !odd.converged) return null;
    const { gaps, clear } = odd;
    let multiplicity = 1;
    while (multiplicity < gaps.length && joins(gaps[multiplicity - 1], gaps[multiplicity])) multiplicity++;
    if (multiplicity < gaps.length || !joins(gaps[0], clear))
      return slowestOfSectors(groups[0], { gap: gaps[0], multiplicity });
  }
  return null;
}

/** `y_aj = <fc_a, phi_j> = sum_s pi f_a phi_j`, since `E phi_j = 0`: one transform per mode. */
function withCoefficients(law: Boltzmann, { gaps, functions }: SlowModes): DenseModes {
  const { states, masks } = law.space;
  const count = gaps.length;
  const coefficients = new Float64Array(masks.length * count);
  for (let j = 0; j < count; j++) {
    const phi = functions.subarray(j * states, (j + 1) * states);
    observableSums(
      law.space,
      phi.map((value, s) => law.pi[s] * value),
    ).forEach((y, a) => {
      coefficients[a * count + j] = y;
    });
  }
  return { count, states, gaps, functions, coefficients };
}
