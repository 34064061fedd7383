/** One eigenvalue group: what a user sees of the spectrum, since at a multiple eigenvalue only sums over its space have meaning. */
export interface EigenvalueGroup {
  /** `1 - s` per kernel step, the mean over the group's members. */
  readonly gap: number;
  /** Dimension of its eigenspace. */
  readonly multiplicity: number;
  /** `mu`: the weight (2.6) of all observables together. */
  readonly weight: number;
  /** The part of it from the couplings. */
  readonly couplingsWeight: number;
  /** The part from the biases' observables. */
  readonly biasesWeight: number;
  /** Positions of the group's members in the list that was grouped. */
  readonly members: readonly number[];
}

/** One eigenvalue with its weights, before grouping; `multiplicity` above one where a family of equal eigenvalues is known. */
export interface WeightedEigenvalue {
  /** `1 - s` per kernel step. */
  readonly gap: number;
  /** Dimension of its eigenspace, as far as it is known. */
  readonly multiplicity: number;
  /** `mu` (2.6) from the couplings' observables. */
  readonly couplingsWeight: number;
  /** `mu` from the biases' observables. */
  readonly biasesWeight: number;
}

/** Relative distance of neighbours from which they are two groups. */
export const GROUP_WIDTH = 1e-8;

/** Two neighbours belong to one group when they differ by at most `max(1e-8 (1 - s), 64 eps)` (section 4). */
export function joins(gap: number, next: number): boolean {
  return next - gap <= Math.max(GROUP_WIDTH * gap, 64 * Number.EPSILON);
}

/** Sorts eigenvalues slowest first and cuts them into groups. `members` index the given list. */
export function groupEigenvalues(list: readonly WeightedEigenvalue[]): EigenvalueGroup[] {
  const order = list.map((_, j) => j).sort((a, b) => list[a].gap - list[b].gap);
  const groups: EigenvalueGroup[] = [];
  let members: number[] = [];
  order.forEach((j, k) => {
    members.push(j);
    if (k + 1 < order.length && joins(list[j].gap, list[order[k + 1]].gap)) return;
    const multiplicity = members.reduce((sum, i) => sum + list[i].multiplicity, 0);
    const couplingsWeight = members.reduce((sum, i) => sum + list[i].couplingsWeight, 0);
    const biasesWeight = members.reduce((sum, i) => sum + list[i].biasesWeight, 0);
    groups.push({
      gap: members.reduce((sum, i) => sum + list[i].gap * list[i].multiplicity, 0) / multiplicity,
      multiplicity,
      weight: couplingsWeight + biasesWeight,
      couplingsWeight,
      biasesWeight,
      members,
    });
    members = [];
  });
  return groups;
}

/** The slowest group over the two sectors of the global flip, whose odd one no observable sees. */
export function slowestOfSectors(even: Level | undefined, odd: Omit<Level, 'weight'>): Level {
  if (even === undefined || (odd.gap < even.gap && !joins(odd.gap, even.gap))) {
    return { gap: odd.gap, multiplicity: odd.multiplicity, weight: 0 };
  }
  if (!joins(even.gap, odd.gap)) return even;
  const multiplicity = even.multiplicity + odd.multiplicity;
  return { gap: Math.min(even.gap, odd.gap), multiplicity, weight: even.weight };
}

type Level = Pick<EigenvalueGroup, 'gap' | 'multiplicity' | 'weight'>;
