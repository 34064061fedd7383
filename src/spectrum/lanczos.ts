import { UnsupportedError } from '../errors.js';
import type { PairOperator, PairSpace } from '../kernel/pair-space.js';
import { applyFilter, chebyshevFilter, countBelow, type Filter } from './chebyshev-filter.js';
import type { Eigensolver, ModeRequest, SlowModes } from './eigensolver.js';
import { combine, orthonormalise, type Panels, type Randomise, randomFunctions } from './krylov-basis.js';
import { leading, type Ritz, ritzValues, transpose, writeColumn } from './lanczos-matrix.js';
import { symmetricEigen } from './symmetric-eigen.js';

/** Smaller operators are for dense solvers. */
const LEAST_STATES = 256;
/** Modes of one run. */
const BATCH = 24;
/** Panels of a run's basis beyond those of its batch. */
const ROOM = 28;
const DEFAULT_TOLERANCE = 1e-10;
const DEFAULT_APPLICATIONS = 20_000;
/** How much a filter lifts a mode at zero over what it damps; the tolerance must stay above rounding relative to what is damped. */
const CONTRAST = 200;
const MARGIN = 16 * Number.EPSILON;
/** Moments of the count of eigenvalues. */
const COUNT_DEGREE = 20;
/** Probability with which a run that ends early may have missed a mode. */
const MISS = 1e-9;
/** A Ritz value this well known is an eigenvalue, for the question whether one is below an edge. */
const SETTLED = 1e-5;
/** What two equal gaps differ by. */
const TIE = 1e-9;
/** Factor by which the filter's edge grows where nothing lies below it. */
const WIDER = 1.5;

/**
 * Thick-restart block Lanczos (Wu and Simon 2000) with full reorthogonalisation on `p(I - P)`, `p` a Chebyshev filter, two functions at a time, in runs from random
 * functions. Converged modes are locked: later runs work on their complement. The search ends with a run whose slowest mode lies beyond those asked for.
 *
 * What that proves: a mode that was missed would be the slowest of the complement, and a Krylov space of `k` steps from a random function fails to show an
 * eigenvalue that stands out by the share `e` of the spectrum with a probability of at most `1.648 sqrt(n) exp(-(2k - 1) sqrt(e))` (Kuczynski and Wozniakowski
 * 1992, theorem 4.2); the last run goes on until that, for both functions together, is below 1e-9 for every mode slower than the slowest faster one asked for, or
 * until its own slowest mode has settled beyond it. Multiple eigenvalues are found by further runs, and by random functions where a Krylov space is exhausted.
 */
export const lanczos: Eigensolver = (operator, request) => {
  if (operator.states < LEAST_STATES) {
    throw new UnsupportedError(
      `Lanczos' method on ${operator.states} states`,
      `its basis needs at least ${LEAST_STATES}`,
      'use the dense eigensolver',
    );
  }
  const search = Search.open(operator, request);
  return search?.find() ?? null;
};

interface Locked {
  readonly gap: number;
  readonly residual: number;
  /** Slot and lane. */
  readonly slot: number;
  readonly lane: 0 | 1;
}

class Search {
  private readonly locked: Locked[] = [];
  private lockedPanels = 0;
  private applications = 0;
  private readonly randomise: Randomise;
  private readonly tolerance: number;
  private readonly cutoff: number;
  private readonly contrast: number;
  private readonly maxApplications: number;
  private edge = 0;

  private constructor(
    private readonly operator: PairOperator,
    private readonly space: PairSpace,
    private readonly request: ModeRequest,
    /** Slots: locked panels, the basis, spare ones for Ritz vectors, two for the filter. */
    private readonly places: {
      readonly locks: number;
      readonly basis: Panels;
      readonly spare: Panels;
      readonly work: number;
    },
  ) {
    this.tolerance = request.tolerance ?? DEFAULT_TOLERANCE;
    this.cutoff = request.cutoff ?? Number.POSITIVE_INFINITY;
    this.maxApplications = request.maxApplications ?? DEFAULT_APPLICATIONS;
    this.contrast = Math.max(4, Math.min(CONTRAST, this.tolerance / (2 * MARGIN)));
    this.randomise = randomFunctions(operator, request.seed ?? 1);
  }

  static open(operator: PairOperator, request: ModeRequest): Search | null {
    const batch = Math.min(request.count, BATCH);
    const spare = Math.ceil(batch / 2) + 5;
    const room = Math.min(spare + ROOM, Math.floor(operator.states / 8));
    // A last batch may lock more than what is asked for.
    const locks = Math.ceil(request.count / 2) + BATCH;
    const space = operator.open(locks + room + spare + 2);
    if (space === null) return null;
    return new Search(operator, space, request, {
      locks,
      basis: { first: locks, count: room },
      spare: { first: locks + room, count: spare },
      work: locks + room + spare,
    });
  }

  find(): SlowModes {
    const { count } = this.request;
    let clear = 0;
    let last = 0;
    let estimate: ((x: number) => number) | null = null;
    while (this.applications < this.maxApplications && clear === 0) {
      const { first } = this.places.basis;
      this.start(first);
      estimate ??= this.estimate(first);
      this.widen(estimate);
      const filter = chebyshevFilter(this.edge, this.operator.largest, this.contrast);
      const before = this.locked.length;
      clear = this.run(filter);
      if (this.locked.length === before && clear === 0) {
        // Nothing is slower than the edge, or the run did not converge.
        this.edge *= WIDER;
        if (++last > 12) break;
      } else last = 0;
      if (this.lockedPanels + BATCH / 2 + 1 > this.places.locks) break;
    }
    return this.result(count, clear);
  }

  /** Two random functions, orthonormal and in the complement of what is locked. */
  private start(slot: number): void {
    for (const lane of [0, 1] as const) this.randomise(this.space, slot, lane);
    const g = this.space.gram(slot, 1, slot);
    this.space.add(slot, 1, Float64Array.of(1 / Math.sqrt(g[0]) - 1, 0, 0, 1 / Math.sqrt(g[3]) - 1), slot);
    orthonormalise(this.space, slot, [this.lockedRange()], this.randomise, this.operator.stationary);
  }

  private lockedRange(): Panels {
    return { first: 0, count: this.lockedPanels };
  }

  private estimate(slot: number): (x: number) => number {
    this.applications += COUNT_DEGREE;
    const { work } = this.places;
    return countBelow(this.space, this.operator.largest, COUNT_DEGREE, slot, [work, work + 1]);
  }

  /** Moves the filter's edge to where about half as many modes again lie below it as are sought next. */
  private widen(estimate: (x: number) => number): void {
    const open = Math.min(this.request.count - this.locked.length, BATCH);
    const wanted = this.locked.length + 1.5 * Math.max(0, open) + 6;
    let edge = this.quantile(estimate, wanted);
    // Up to a cutoff there may be fewer.
    if (Number.isFinite(this.cutoff))
      edge = Math.min(edge, Math.max(2 * this.cutoff, this.quantile(estimate, this.locked.length + 8)));
    this.edge = Math.max(this.edge, 1.15 * edge);
  }

  /** About where so many modes lie below. */
  private quantile(estimate: (x: number) => number, wanted: number): number {
    let edge = 0.002 * this.operator.largest;
    while (edge < this.operator.largest && estimate(edge) < wanted) edge *= 1.05;
    return edge;
  }

  /** Locks what one run finds. Returns the gap below which there is nothing else if it shows that, else 0. */
  private run(filter: Filter): number {
    const { space, places, randomise } = this;
    const { largest, stationary } = this.operator;
    const { first, count } = places.basis;
    const size = 2 * count;
    const h = new Float64Array(size * size);
    const spare = [places.work, places.work + 1] as const;
    /** Panels whose images are known, and steps since the run's random start, 0 once it was restarted. */
    let known = 0;
    let steps = 0;
    let restarted = false;
    const open = Math.min(this.request.count - this.locked.length, BATCH);
    let nextCheck = Math.max(2, Math.ceil(open / 2) + 1);
    while (this.applications < this.maxApplications) {
      const image = applyFilter(space, filter, largest, first + known, spare);
      this.applications += filter.degree;
      space.copy(image, first + known + 1);
      const { coefficients, r } = orthonormalise(
        space,
        first + known + 1,
        [this.lockedRange(), { first, count: known + 1 }],
        randomise,
        stationary,
      );
      writeColumn(h, size, known, coefficients[1]);
      known++;
      steps++;
      const full = known === count - 1;
      if (known < nextCheck && !full) continue;
      const ritz = ritzValues(h, size, 2 * known, r);
      const verdict = this.judge(ritz, filter, restarted ? 0 : steps);
      if (verdict !== null) {
        if (verdict.take > 0) this.lock(leading(h, size, 2 * known), 2 * known, verdict.take, filter);
        return verdict.clear;
      }
      nextCheck = known + Math.max(1, Math.floor(known / 6));
      if (!full) continue;
      known = this.restart(h, size, known);
      restarted = true;
      nextCheck = known + 2;
    }
    return 0;
  }

  /** What a run's Ritz pairs say: null to go on, else how many leading ones to take, and the gap below which there is nothing else, or 0. */
  private judge(ritz: Ritz, filter: Filter, steps: number): { readonly take: number; readonly clear: number } | null {
    const { theta, rho } = ritz;
    const { count } = this.request;
    const gaps = this.locked.map(({ gap }) => gap);
    for (let i = 0; i < theta.length; i++) {
      const gap = filter.gap(theta[i]);
      const known = gaps.length + i;
      const slowest = known < count ? Number.POSITIVE_INFINITY : kthSmallest(gaps, ritz, filter, i, count);
      const edge = Math.min(this.cutoff, slowest * (1 - TIE) - MARGIN);
      const converged = rho[i] <= Math.max(0.5 * this.tolerance * theta[i], MARGIN);
      const visible = theta[i] > 1.01 * filter.floor;
      if (visible && gap < edge) {
        if (!converged) return null;
        if (i + 1 === Math.min(BATCH, theta.length)) return { take: i + 1, clear: 0 };
        continue;
      }
      if (i > 0) {
        // Those before are converged; whether this one comes down to them is for the next run to tell.
        return rho[i] <= 0.1 * theta[i] || !visible ? { take: i, clear: 0 } : null;
      }
      const settled = rho[0] <= SETTLED * Math.abs(theta[0]);
      if (!visible) {
        if (edge < filter.edge && settled) return { take: 0, clear: edge };
        // The filter shows nothing slower than its edge.
        return settled || (steps > 4 && this.misses(filter.floor * 2, theta[0], filter, steps) < MISS)
          ? { take: 0, clear: 0 }
          : null;
      }
      if (settled && filter.gap(theta[0] + rho[0]) > edge) return { take: 0, clear: filter.gap(theta[0] + rho[0]) };
      if (edge < filter.edge && this.misses(filter.value(edge), theta[0], filter, steps) < MISS)
        return { take: 0, clear: edge };
      return null;
    }
    return null;
  }

  /** Probability that an eigenvalue of the filter at `value` or above was missed by `steps` steps that show `theta`. */
  private misses(value: number, theta: number, filter: Filter, steps: number): number {
    const share = (value - theta) / (value + filter.floor);
    if (!(share > 0) || steps === 0) return 1;
    return (1.648 * Math.sqrt(this.operator.states) * Math.exp(-Math.sqrt(share) * (2 * steps - 1))) ** 2;
  }

  /** Keeps the leading Ritz vectors and the last panel. Returns how many panels have known images. */
  private restart(h: Float64Array, size: number, known: number): number {
    const { space, places } = this;
    const { first } = places.basis;
    const kept = places.spare.count;
    const { values, vectors } = symmetricEigen(leading(h, size, 2 * known), 2 * known);
    combine(space, { first, count: known }, transpose(vectors, 2 * known), 2 * known, 2 * kept, places.spare.first);
    for (let k = 0; k < kept; k++) space.copy(places.spare.first + k, first + k);
    space.copy(first + known, first + kept);
    h.fill(0);
    for (let i = 0; i < 2 * kept; i++) h[i * size + i] = -values[i];
    return kept;
  }

  /** Turns leading Ritz vectors of the filter into those of `I - P` and locks those whose residuals are small. */
  private lock(lanczosMatrix: Float64Array, order: number, take: number, filter: Filter): void {
    const { space, places, tolerance } = this;
    const { first, count } = places.basis;
    const even = Math.min(take + (take % 2), order);
    const panels = even / 2;
    const ritz = transpose(symmetricEigen(lanczosMatrix, order).vectors, order);
    combine(space, { first, count: order / 2 }, ritz, order, even, places.spare.first);
    // The basis is no longer needed: it takes the images.
    if (panels > count) return;
    const found = { first: places.spare.first, count: panels };
    const { values, vectors } = this.rayleighRitz(found, first);
    const rotation = transpose(vectors, even);
    const target = this.lockedPanels;
    combine(space, found, rotation, even, even, target);
    let kept = 0;
    for (let k = 0; k < panels; k++) {
      const measured = this.measure(target + k, first);
      const slot = target + kept;
      if (slot !== target + k) space.copy(target + k, slot);
      let good = 0;
      for (const lane of [0, 1] as const) {
        const { gap, residual } = measured[lane];
        const within = 2 * k + lane < take || values[2 * k + lane] < values[take - 1];
        if (residual <= tolerance && within && (gap < filter.edge || filter.degree === 1)) {
          this.locked.push({ gap, residual, slot, lane });
          good++;
        } else space.write(slot, lane, new Float64Array(space.states));
      }
      if (good > 0) kept++;
    }
    this.lockedPanels += kept;
  }

  /** Eigenpairs of `I - P` on the span of orthonormal panels, ascending; uses slots from `work` on for images. */
  private rayleighRitz({ first, count }: Panels, work: number) {
    const { space } = this;
    const order = 2 * count;
    const h = new Float64Array(order * order);
    for (let k = 0; k < count; k++) {
      space.clear(work);
      space.step(work, first + k, 1, 0, 0);
      writeColumn(h, order, k, space.gram(first, count, work));
    }
    this.applications += count;
    for (let i = 0; i < order; i++) {
      for (let j = 0; j < i; j++) {
        const mean = (h[i * order + j] + h[j * order + i]) / 2;
        h[i * order + j] = mean;
        h[j * order + i] = mean;
      }
    }
    return symmetricEigen(h, order);
  }

  /** Rayleigh quotients and residual norms of the two functions of a slot. */
  private measure(slot: number, work: number): readonly { readonly gap: number; readonly residual: number }[] {
    const { space } = this;
    space.clear(work);
    space.step(work, slot, 1, 0, 0);
    this.applications++;
    const norm = space.gram(slot, 1, slot);
    const g = space.gram(slot, 1, work);
    const gaps = [g[0] / norm[0], g[3] / norm[3]];
    space.add(slot, 1, Float64Array.of(-gaps[0], 0, 0, -gaps[1]), work);
    const r = space.gram(work, 1, work);
    return gaps.map((gap, lane) => ({ gap, residual: Math.sqrt(r[3 * lane] / norm[3 * lane]) }));
  }

  private result(count: number, clear: number): SlowModes {
    const { states } = this.space;
    const chosen = this.locked
      .sort((a, b) => a.gap - b.gap)
      .filter(({ gap }) => gap <= this.cutoff)
      .slice(0, count);
    const functions = new Float64Array(chosen.length * states);
    chosen.forEach(({ slot, lane }, j) => {
      functions.set(this.space.read(slot, lane), j * states);
    });
    return {
      gaps: Float64Array.from(chosen, ({ gap }) => gap),
      functions,
      residuals: Float64Array.from(chosen, ({ residual }) => residual),
      converged: clear > 0 && (chosen.length === count || clear >= this.cutoff),
      clear,
      applications: this.applications,
    };
  }
}

/** The `count`-th smallest of the locked gaps and those of the `i` leading Ritz values. */
function kthSmallest(gaps: readonly number[], { theta }: Ritz, filter: Filter, i: number, count: number): number {
  const all = [...gaps, ...Array.from(theta.subarray(0, i), (value) => filter.gap(value))].sort((a, b) => a - b);
  return all[count - 1];
}
