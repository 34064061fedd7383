import { InputError, show, UnsupportedError } from '../../errors.js';
import type { KernelName } from '../../kernel/kernels.js';
import type { Model } from '../../model/model.js';
import { checkOptions } from '../../trainability/options.js';
import { type RandomSource, randomSource } from '../random.js';
import { energyLaw, equalLadder, nextBeta } from './energy-law.js';
import { Ensembles, ensembleState, type TemperingState, uniformSpins } from './ensembles.js';
import { checkLocal, energyFunction, MAX_REPLICAS, type ReplicaLadder, replicaLadder } from './ladder.js';
import { chainMove, type LocalMove } from './local-move.js';
import { type PairSwaps, pairSwaps } from './tempered-samples.js';

/** How {@link designLadder} runs its pilots. */
export interface LadderDesignOptions {
  /** The reversible kernel that moves every replica. */
  readonly kernel: KernelName;
  /** Sweeps of it in one local move; 1 by default. */
  readonly sweeps?: number | undefined;
  /** The least acceptance of a swap between neighbours that is wanted, from 0.1 to 0.9; 0.4 by default. */
  readonly acceptance?: number | undefined;
  /** Beta of the hottest replica. By default 0, where spins are independent and no pilot need show that chains mix; a larger one is the caller's claim that they do. */
  readonly hottest?: number | undefined;
  /** Independent ensembles, over which errors are taken; at least 4. */
  readonly ensembles: number;
  /** Steps of `tempering` in the first round, of which a quarter is burn-in; every further round doubles them; growth takes a quarter of them for each replica. At least 32. */
  readonly steps: number;
  /** Most rounds that place betas and measure them; 5 by default. */
  readonly rounds?: number | undefined;
  /** Of {@link randomSource}. */
  readonly seed: number;
  /** What moves the replicas; chains of `kernel` by default. */
  readonly local?: LocalMove | undefined;
  /** Called before each stage of growth and each round. */
  readonly progress?: ((message: string) => void) | undefined;
}

/** A ladder, and how equal its acceptances were found in a run that its betas do not depend on but through the start. */
export interface DesignedLadder {
  /** From the hottest beta to the model's own. */
  readonly ladder: ReplicaLadder;
  /** Of neighbouring replicas, hottest first, measured on this ladder. */
  readonly swaps: readonly PairSwaps[];
  /** Whether all acceptances are the same within what {@link LADDER_THRESHOLDS} allow. */
  readonly equal: boolean;
  /** Of each ensemble, in the last round after its burn-in. */
  readonly roundTrips: readonly number[];
  /** Rounds that were run. */
  readonly rounds: number;
  /** Steps of each ensemble in the last round, without burn-in. */
  readonly steps: number;
  /** Steps of `tempering` times replicas times ensembles, of all pilots together. */
  readonly moves: number;
  /** `resolved` where acceptances are equal and every ensemble made a round trip. */
  readonly verdict: 'resolved' | 'unresolved';
  /** What is missing, a sentence each. */
  readonly missing: readonly string[];
  /** Where the ensembles stand after the last round. */
  readonly state: TemperingState;
}

/** What equal acceptances are. */
export const LADDER_THRESHOLDS = {
  /** Distance of an acceptance from the mean of all in its standard errors, beyond `tolerance`. */
  sigmas: 3,
  /** Distance that is equal enough. */
  tolerance: 0.01,
  /** Largest standard error of an acceptance. */
  standardError: 0.02,
} as const;

/** Ensembles between pilots: the rows of spins of each ensemble, hottest first, and their betas. */
interface Rows {
  readonly betas: readonly number[];
  readonly spins: readonly (readonly Int8Array[])[];
}

/**
 * A ladder of equal acceptance from the hottest beta to the model's own. It grows from the hottest end, each new beta placed where the energies seen so far promise the
 * wanted acceptance, so that every replica is fed from hotter ones from the first. Then all betas are placed anew from the energies of all replicas, and the acceptances measured,
 * until they are equal within their errors and walkers go round, or the rounds are used up. The same seed gives the same ladder.
 *
 * Throws {@link InputError} for options out of range, ReversibilityError for a kernel that is not reversible, and {@link UnsupportedError} where more than
 * 256 replicas are needed.
 */
export function designLadder(model: Model, options: LadderDesignOptions): DesignedLadder {
  const { kernel, sweeps = 1, acceptance = 0.4, hottest = 0, rounds = 5, progress } = options;
  check(model, options);
  const random = randomSource(options.seed);
  const local = options.local ?? chainMove(model, kernel);
  const pilot = { model, kernel, sweeps, local, random };
  let moves = 0;
  const first = hottestRows(pilot, hottest, options.ensembles, options.steps);
  let law = energyLaw([hottest], [first.energies]);
  moves += options.steps * options.ensembles;
  let placed: Rows = { betas: [hottest], spins: first.spins };
  for (;;) {
    const last = placed.betas[placed.betas.length - 1];
    const next = nextBeta(law, last, model.beta, acceptance) ?? model.beta;
    progress?.(`beta ${Number(next.toPrecision(4))} of ${model.beta}: replica ${placed.betas.length + 1}`);
    if (placed.betas.length === MAX_REPLICAS) throw tooMany(acceptance);
    const grown = {
      betas: [...placed.betas, next],
      spins: placed.spins.map((list) => [...list, list[list.length - 1]]),
    };
    const run = runRound(pilot, grown, Math.ceil(options.steps / 4));
    moves += run.moves;
    placed = run.rows;
    const done = next === model.beta;
    // What comes next depends on the coldest replicas; that they are in equilibrium, on all.
    const seen = done ? 0 : grown.betas.length - 2;
    law = energyLaw(grown.betas.slice(seen), run.energies.slice(seen));
    if (done) break;
  }
  for (let round = 1; ; round++) {
    const betas = equalLadder(law, hottest, model.beta, acceptance, MAX_REPLICAS - 1);
    if (betas.length > MAX_REPLICAS) throw tooMany(acceptance);
    progress?.(`round ${round}: ${betas.length} replicas`);
    const run = runRound(pilot, nearestRows(placed, betas), options.steps * 2 ** (round - 1));
    moves += run.moves;
    const unequal = inequalities(run.swaps);
    const missing = [...unequal, ...withoutTrips(run.roundTrips)];
    if (missing.length === 0 || round >= rounds) {
      const { ladder, swaps, roundTrips, state, steps } = run;
      const verdict = missing.length === 0 ? 'resolved' : 'unresolved';
      const equal = unequal.length === 0;
      return { ladder, swaps, equal, roundTrips, rounds: round, steps, moves, verdict, missing, state };
    }
    law = energyLaw(betas, run.energies);
    placed = run.rows;
  }
}

interface Pilot {
  readonly model: Model;
  readonly kernel: KernelName;
  readonly sweeps: number;
  readonly local: LocalMove;
  readonly random: RandomSource;
}

/** Chains at the hottest beta alone, from uniform spins, and their energies after the burn-in. */
function hottestRows({ model, sweeps, local, random }: Pilot, hottest: number, count: number, steps: number) {
  const energy = energyFunction(model);
  const spins = Array.from({ length: count }, () => uniformSpins(model.spins, random));
  const betas = new Float64Array(count).fill(hottest);
  const energies: number[] = [];
  for (let t = 0; t < steps; t++) {
    local(spins, betas, sweeps, random);
    if (t >= steps >> 2) for (const row of spins) energies.push(energy(row));
  }
  return { spins: spins.map((row) => [row]), energies: Float64Array.from(energies) };
}

/** Runs `tempering` on the given rows; the first quarter is burn-in. */
function runRound({ model, kernel, sweeps, local, random }: Pilot, { betas, spins }: Rows, steps: number) {
  const ladder = replicaLadder({ ...model, beta: betas[betas.length - 1] }, { betas, kernel, sweeps });
  const start = { random: random.split().state(), ensembles: spins.map((rows) => ensembleState(ladder, rows)) };
  const ensembles = new Ensembles(ladder, start, local);
  const burnIn = steps >> 2;
  for (let t = 0; t < burnIn; t++) ensembles.step();
  ensembles.forget();
  const energies = betas.map(() => new Float64Array((steps - burnIn) * spins.length));
  for (let t = 0; t < steps - burnIn; t++) {
    ensembles.step();
    ensembles.energies.forEach((energy, row) => {
      energies[row % betas.length][t * spins.length + Math.floor(row / betas.length)] = energy;
    });
  }
  const counts = ensembles.swaps();
  return {
    ladder,
    energies,
    swaps: pairSwaps(counts, spins.length),
    roundTrips: Array.from(counts.roundTrips),
    steps: counts.steps,
    moves: steps * betas.length * spins.length,
    state: ensembles.state(),
    rows: {
      betas,
      spins: spins.map((_, m) => ensembles.spins.slice(m * betas.length, (m + 1) * betas.length)),
    },
  };
}

/** Spins for other betas: each from the replica at the nearest one. */
function nearestRows({ betas, spins }: Rows, wanted: readonly number[]): Rows {
  const nearest = wanted.map((beta) =>
    betas.reduce((best, one, k) => (Math.abs(one - beta) < Math.abs(betas[best] - beta) ? k : best), 0),
  );
  return { betas: wanted, spins: spins.map((rows) => nearest.map((k) => rows[k])) };
}

/** Acceptances that differ from the mean of all, or are known too little to say, a sentence each. */
function inequalities(swaps: readonly PairSwaps[]): string[] {
  const { sigmas, tolerance, standardError } = LADDER_THRESHOLDS;
  const mean = swaps.reduce((sum, pair) => sum + pair.acceptance, 0) / swaps.length;
  return swaps.flatMap(({ acceptance, standardError: error }, k) => {
    const what = `the acceptance between replicas ${k} and ${k + 1}`;
    if (error === null || error > standardError) {
      return [`${what}, ${digits(acceptance)}, is known to ${digits(error ?? 1)} only: more steps are needed`];
    }
    if (Math.abs(acceptance - mean) <= sigmas * error + tolerance) return [];
    return [`${what} is ${digits(acceptance)} +- ${digits(error)} where the mean of all is ${digits(mean)}`];
  });
}

function withoutTrips(roundTrips: readonly number[]): string[] {
  const none = roundTrips.filter((count) => count === 0).length;
  if (none === 0) return [];
  return [`${none} of ${roundTrips.length} ensembles made no round trip between the hottest and the coldest replica`];
}

function check(model: Model, options: LadderDesignOptions): void {
  const { kernel, sweeps = 1, acceptance = 0.4, hottest = 0, ensembles, steps, rounds = 5, seed } = options;
  checkLocal(kernel, sweeps);
  checkOptions({ seed, chains: rounds }, ['seed', 'chains'], { chains: 'rounds' });
  const refuse = (field: string, expected: string, got: unknown, remedy: string) =>
    new InputError({ field, expected, got: show(got), remedy });
  if (!(acceptance >= 0.1 && acceptance <= 0.9)) {
    throw refuse('acceptance', 'a number from 0.1 to 0.9', acceptance, 'give the acceptance of a swap, 0.4 by default');
  }
  if (!(hottest >= 0 && hottest < model.beta)) {
    throw refuse('hottest', `a number of at least 0 and below the model's beta ${model.beta}`, hottest, 'use 0');
  }
  if (!(Number.isSafeInteger(ensembles) && ensembles >= 4)) {
    throw refuse('ensembles', 'a whole number of at least 4', ensembles, 'errors are taken over them');
  }
  if (!(Number.isSafeInteger(steps) && steps >= 32)) {
    throw refuse('steps', 'a whole number of at least 32', steps, 'give more');
  }
}

function tooMany(acceptance: number): UnsupportedError {
  return new UnsupportedError(
    `A ladder of acceptance ${acceptance}`,
    `more than ${MAX_REPLICAS} replicas are needed`,
    'ask for a smaller acceptance or a hottest beta above 0',
  );
}

function digits(value: number): string {
  return String(Number(value.toPrecision(3)));
}
