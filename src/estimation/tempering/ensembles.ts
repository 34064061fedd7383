import { InputError, show } from '../../errors.js';
import { checkOptions } from '../../trainability/options.js';
import { type RandomSource, randomSource, resumeRandom } from '../random.js';
import {
  emptySamples,
  type PackedSamples,
  readSample,
  wordsPerSample,
  writeSample,
} from '../samples/packed-samples.js';
import type { ReplicaLadder } from './ladder.js';
import { chainMove, type LocalMove } from './local-move.js';

/** Where independent ensembles stand: plain data, with which a run goes on bit by bit. */
export interface TemperingState {
  /** Four 32-bit words of the random source. */
  readonly random: readonly number[];
  /** Of each ensemble. */
  readonly ensembles: readonly EnsembleState[];
}

/** Where one ensemble stands. */
export interface EnsembleState {
  /** Spins of the replicas, hottest first, packed as {@link PackedSamples} are. */
  readonly words: readonly number[];
  /** Which walker is at each replica: walkers are numbered by the replica at which they started. */
  readonly walkers: readonly number[];
  /** Of each walker: 0 before it was at the hottest replica, 1 where it was last seen there, 2 where it has since been at the coldest. */
  readonly phases: readonly number[];
}

/** What swaps did, counted from the making of an {@link Ensembles} or its last `forget`. */
export interface SwapCounts {
  /** Steps of each ensemble. */
  readonly steps: number;
  /** Row `m * pairs + k`: the sum over steps of the probability that replicas `k` and `k + 1` of ensemble `m` would swap. */
  readonly probability: Float64Array;
  /** In the same order, swaps that were tried. */
  readonly tried: Float64Array;
  /** In the same order, swaps that were made. */
  readonly made: Float64Array;
  /** Of each ensemble: walkers that came back to the hottest replica from the coldest. */
  readonly roundTrips: Float64Array;
}

/**
 * Every replica of every ensemble at spins of its own, uniformly drawn; or all replicas of ensemble `m` at row `m` of the given starts. Throws {@link InputError} for a count or seed
 * out of range, or starts of another size.
 */
export function temperingStart(
  ladder: ReplicaLadder,
  ensembles: number,
  seed: number,
  starts?: PackedSamples | undefined,
): TemperingState {
  checkOptions({ chains: ensembles, seed }, ['chains', 'seed'], { chains: 'ensembles' });
  const count = ladder.model.spins;
  if (starts !== undefined && (starts.spins !== count || starts.count !== ensembles)) {
    throw new InputError({
      field: 'starts',
      expected: `${ensembles} rows of ${count} spins`,
      got: `${starts.count} of ${starts.spins}`,
      remedy: 'give one row per ensemble',
    });
  }
  const random = randomSource(seed);
  const row = new Int8Array(count);
  const made = Array.from({ length: ensembles }, (_, m) => {
    if (starts !== undefined) readSample(starts, m, row);
    const rows = Array.from(ladder.betas, () => (starts === undefined ? uniformSpins(count, random) : row));
    return ensembleState(ladder, rows);
  });
  return { random: random.state(), ensembles: made };
}

/** Every spin by a fair coin. */
export function uniformSpins(count: number, random: RandomSource): Int8Array {
  return Int8Array.from({ length: count }, () => (random.uniform() < 0.5 ? -1 : 1));
}

/** An ensemble whose walkers start from the given spins, hottest first. */
export function ensembleState(ladder: ReplicaLadder, rows: readonly ArrayLike<number>[]): EnsembleState {
  return {
    words: pack(ladder.model.spins, rows),
    walkers: rows.map((_, k) => k),
    phases: rows.map((_, k) => (k === 0 ? 1 : 0)),
  };
}

function pack(spins: number, rows: readonly ArrayLike<number>[]): number[] {
  const packed = emptySamples(spins, rows.length);
  rows.forEach((row, k) => {
    writeSample(packed, k, row);
  });
  return Array.from(packed.words);
}

/** Independent ensembles of a ladder's replicas, moved by the kernel `tempering`. */
export class Ensembles {
  /** Spins of replica `k` of ensemble `m` at `m * replicas + k`. */
  readonly spins: readonly Int8Array[];
  /** Their energies, in the same order. */
  readonly energies: Float64Array;
  readonly count: number;
  readonly replicas: number;
  private readonly walkers: Int32Array;
  private readonly phases: Int8Array;
  private readonly random: RandomSource;
  private readonly betas: Float64Array;
  private readonly swapsFirst: Uint8Array;
  private counts: { -readonly [K in keyof SwapCounts]: SwapCounts[K] };

  /** Throws {@link InputError} for a state that is none of this ladder's. */
  constructor(
    readonly ladder: ReplicaLadder,
    state: TemperingState,
    private readonly local: LocalMove = chainMove(ladder.model, ladder.kernel),
  ) {
    const { spins } = ladder.model;
    this.replicas = ladder.betas.length;
    this.count = state.ensembles.length;
    checkState(ladder, state);
    this.random = resumeRandom(state.random);
    const rows = this.count * this.replicas;
    this.spins = Array.from({ length: rows }, () => new Int8Array(spins));
    this.betas = Float64Array.from({ length: rows }, (_, row) => ladder.betas[row % this.replicas]);
    this.walkers = Int32Array.from(state.ensembles.flatMap(({ walkers }) => walkers));
    this.phases = Int8Array.from(state.ensembles.flatMap(({ phases }) => phases));
    state.ensembles.forEach(({ words }, m) => {
      const packed = { spins, count: this.replicas, words: Uint32Array.from(words) };
      for (let k = 0; k < this.replicas; k++) readSample(packed, k, this.spins[m * this.replicas + k]);
    });
    this.energies = Float64Array.from(this.spins, ladder.energy);
    this.swapsFirst = new Uint8Array(this.count);
    this.counts = this.noCounts();
  }

  /** One step of `(1/2)(L S + S L)` in every ensemble: a coin of its own says which comes first, and the local moves are made for all at once. */
  step(): void {
    const { ladder, random, swapsFirst, spins, energies } = this;
    for (let m = 0; m < this.count; m++) {
      swapsFirst[m] = random.uniform() < 0.5 ? 1 : 0;
      if (swapsFirst[m] === 1) this.swap(m);
    }
    this.local(spins, this.betas, ladder.sweeps, random);
    for (let row = 0; row < spins.length; row++) energies[row] = ladder.energy(spins[row]);
    for (let m = 0; m < this.count; m++) {
      if (swapsFirst[m] === 0) this.swap(m);
      this.follow(m);
    }
    this.counts.steps++;
  }

  /** What swaps did so far. */
  swaps(): SwapCounts {
    return this.counts;
  }

  /** Counts from here on. */
  forget(): void {
    this.counts = this.noCounts();
  }

  state(): TemperingState {
    const { replicas } = this;
    const own = <T>(list: ArrayLike<T> & Iterable<T>, m: number) =>
      Array.from(list).slice(m * replicas, (m + 1) * replicas);
    return {
      random: this.random.state(),
      ensembles: Array.from({ length: this.count }, (_, m) => ({
        words: pack(this.ladder.model.spins, own(this.spins, m)),
        walkers: own(this.walkers, m),
        phases: own(this.phases, m),
      })),
    };
  }

  private swap(m: number): void {
    const { ladder, energies, random, counts } = this;
    const pairs = this.replicas - 1;
    const first = m * this.replicas;
    for (let k = 0; k < pairs; k++) {
      counts.probability[m * pairs + k] += ladder.acceptance(k, energies[first + k], energies[first + k + 1]);
    }
    const { pairings } = ladder;
    for (const k of pairings[pairings.length === 1 ? 0 : random.integer(pairings.length)]) {
      counts.tried[m * pairs + k]++;
      if (random.uniform() >= ladder.acceptance(k, energies[first + k], energies[first + k + 1])) continue;
      counts.made[m * pairs + k]++;
      this.exchange(first + k, first + k + 1);
    }
  }

  private exchange(a: number, b: number): void {
    const { spins, energies, walkers } = this;
    const [x, y] = [spins[a], spins[b]];
    for (let i = 0; i < x.length; i++) [x[i], y[i]] = [y[i], x[i]];
    [energies[a], energies[b]] = [energies[b], energies[a]];
    [walkers[a], walkers[b]] = [walkers[b], walkers[a]];
  }

  /** Sees who is at the ends of the ladder. */
  private follow(m: number): void {
    const first = m * this.replicas;
    const hottest = first + this.walkers[first];
    const coldest = first + this.walkers[first + this.replicas - 1];
    if (this.phases[hottest] === 2) this.counts.roundTrips[m]++;
    this.phases[hottest] = 1;
    if (this.phases[coldest] === 1) this.phases[coldest] = 2;
  }

  private noCounts(): SwapCounts {
    const pairs = () => new Float64Array(this.count * (this.replicas - 1));
    return {
      steps: 0,
      probability: pairs(),
      tried: pairs(),
      made: pairs(),
      roundTrips: new Float64Array(this.count),
    };
  }
}

function checkState({ betas, model }: ReplicaLadder, { ensembles }: TemperingState): void {
  const replicas = betas.length;
  const words = replicas * wordsPerSample(model.spins);
  const spare = model.spins % 32 === 0 ? 0 : (0xffffffff << (model.spins % 32)) >>> 0;
  const perRow = wordsPerSample(model.spins);
  const sound = (one: EnsembleState) =>
    one.words.length === words &&
    one.words.every((word, w) => word === word >>> 0 && (w % perRow < perRow - 1 || (word & spare) >>> 0 === 0)) &&
    one.walkers.length === replicas &&
    [...one.walkers].sort((a, b) => a - b).every((walker, k) => walker === k) &&
    one.phases.length === replicas &&
    one.phases.every((phase) => phase === 0 || phase === 1 || phase === 2);
  const bad = ensembles.findIndex((one) => !sound(one));
  if (ensembles.length > 0 && bad < 0) return;
  throw new InputError({
    field: bad < 0 ? 'ensembles' : `ensembles[${bad}]`,
    expected: bad < 0 ? 'a list of at least one' : `the state of ${replicas} replicas of ${model.spins} spins`,
    got: bad < 0 ? '[]' : show(ensembles[bad]),
    remedy: 'give the state that a run of the same ladder returned',
  });
}
