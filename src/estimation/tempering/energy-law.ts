/** Energies are gathered in at most this many cells of as many samples each. */
const CELLS = 2048;

/** Where iterations of the free energies end: their largest change, or their number. */
const FREE_ENERGIES = { change: 1e-7, iterations: 1000 } as const;

/** The law of the energy at every beta between those that were sampled, and a little beyond. */
export interface EnergyLaw {
  /** Expected acceptance at equilibrium of a swap between the replica at `hot` and a colder one; falls as they part. */
  acceptanceFrom(hot: number): (cold: number) => number;
}

/**
 * From energies sampled at several betas, `energies[k]` at `betas[k]`: the density of states by multiple-histogram reweighting (Ferrenberg and Swendsen 1989;
 * Shirts and Chodera 2008), and expected acceptances from it.
 *
 * With `E` hot and `E'` cold the acceptance is 1 where `E <= E'`. Where `E > E'` it is what takes the weight of that pair to the weight of the exchanged one, so
 * its expectation is `P(E <= E') + P(E < E') = 2 P(E < E') + P(E = E')`.
 */
export function energyLaw(betas: readonly number[], energies: readonly Float64Array[]): EnergyLaw {
  const { values, counts } = cells(energies);
  const logDensity = logDensityOfStates(betas, energies, values, counts);
  const law = (beta: number) => {
    const weights = logDensity.map((log, c) => log - beta * values[c]);
    const top = weights.reduce((a, b) => Math.max(a, b));
    let total = 0;
    for (let c = 0; c < weights.length; c++) {
      weights[c] = Math.exp(weights[c] - top);
      total += weights[c];
    }
    return weights.map((weight) => weight / total);
  };
  return {
    acceptanceFrom(hot) {
      const p = law(hot);
      return (cold) => {
        const q = law(cold);
        let below = 0;
        let result = 0;
        for (let c = 0; c < values.length; c++) {
          result += q[c] * (2 * below + p[c]);
          below += p[c];
        }
        return Math.min(1, result);
      };
    },
  };
}

/** Sorted energies as cells: mean and number of samples of each. */
function cells(energies: readonly Float64Array[]): { values: Float64Array; counts: Float64Array } {
  const all = Float64Array.from(energies.flatMap((list) => Array.from(list))).sort();
  const size = Math.ceil(all.length / CELLS);
  const count = Math.ceil(all.length / size);
  const counts = Float64Array.from({ length: count }, (_, c) => Math.min(size, all.length - c * size));
  const values = counts.map((own, c) => {
    let sum = 0;
    for (let k = 0; k < own; k++) sum += all[c * size + k] - all[c * size];
    return all[c * size] + sum / own;
  });
  return { values, counts };
}

/** `log` of the density of states in each cell, up to a constant. */
function logDensityOfStates(
  betas: readonly number[],
  energies: readonly Float64Array[],
  values: Float64Array,
  counts: Float64Array,
): Float64Array {
  const numbers = energies.map((list) => Math.log(list.length));
  const means = energies.map((list) => list.reduce((a, b) => a + b, 0) / list.length);
  // Free energies beta F from the mean energies by the trapezoidal rule, then until they are those of the density that they give.
  const free = new Float64Array(betas.length);
  for (let k = 1; k < betas.length; k++) {
    free[k] = free[k - 1] + ((betas[k] - betas[k - 1]) * (means[k] + means[k - 1])) / 2;
  }
  const density = () =>
    counts.map(
      (count, c) => Math.log(count) - logSum(betas.length, (k) => numbers[k] + free[k] - betas[k] * values[c]),
    );
  let logs = density();
  for (let t = 0; t < FREE_ENERGIES.iterations; t++) {
    let change = 0;
    const first = -logSum(values.length, (c) => logs[c] - betas[0] * values[c]);
    for (let k = 0; k < betas.length; k++) {
      const next = -logSum(values.length, (c) => logs[c] - betas[k] * values[c]) - first;
      change = Math.max(change, Math.abs(next - free[k]));
      free[k] = next;
    }
    logs = density();
    if (change < FREE_ENERGIES.change) break;
  }
  return logs;
}

/** `log sum exp` of numbers given one by one. */
function logSum(count: number, at: (k: number) => number): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < count; k++) top = Math.max(top, at(k));
  let sum = 0;
  for (let k = 0; k < count; k++) sum += Math.exp(at(k) - top);
  return top + Math.log(sum);
}

/**
 * Betas from `hottest` to `coldest` with equal expected acceptances, as high as the fewest replicas whose acceptances are no less than `least` permit; more than `most` of
 * them where no fewer do.
 */
export function equalLadder(law: EnergyLaw, hottest: number, coldest: number, least: number, most: number): number[] {
  const gaps = walk(law, hottest, coldest, least, most).length;
  let [low, high] = [least, 1];
  for (let k = 0; k < 16; k++) {
    const middle = (low + high) / 2;
    if (walk(law, hottest, coldest, middle, gaps).length <= gaps) low = middle;
    else high = middle;
  }
  return [...walk(law, hottest, coldest, low, gaps), coldest];
}

/** Betas each of acceptance `wanted` with the one before it, `hottest` included and `coldest` not; one more than `most` where those do not reach it. */
function walk(law: EnergyLaw, hottest: number, coldest: number, wanted: number, most: number): number[] {
  const betas = [hottest];
  while (betas.length <= most) {
    const beta = nextBeta(law, betas[betas.length - 1], coldest, wanted);
    if (beta === null) return betas;
    betas.push(beta);
  }
  return betas;
}

/** The beta of expected acceptance `wanted` with `hot`; null where that of `coldest` is no less. */
export function nextBeta(law: EnergyLaw, hot: number, coldest: number, wanted: number): number | null {
  const acceptance = law.acceptanceFrom(hot);
  if (acceptance(coldest) >= wanted) return null;
  let [near, far] = [hot, coldest];
  while (far - near > 1e-6 * (coldest - hot)) {
    const middle = (near + far) / 2;
    if (acceptance(middle) >= wanted) near = middle;
    else far = middle;
  }
  return (near + far) / 2;
}
