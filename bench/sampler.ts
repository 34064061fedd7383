import { ising, type Model, randomSource, rbm } from 'htdml';
import { observableMeans } from '../src/estimation/observable-means.js';
import { type SampledChains, sampleChains } from '../src/estimation/samples/sample-chains.js';
import { drawStarts } from '../src/estimation/samples/starts.js';
import { hasModule, Peer } from './peer.js';
import { median, number, type Sheet, spread, verdict } from './tables.js';

const PAIRS = 7;
const CHAINS = 64;
/** What the ratio of throughputs is to reach. */
const AIM = 3;
/** Standard errors by which the mean energies of two samplers of one law may differ. */
const SIGMAS = 5;

/** The grid of 60 x 60 spins on a torus with twelve neighbours each: offsets (0,1), (4,1), (10,9) in four rotations, from the even colour of the checkerboard to the odd one. */
function grid(side: number, scale: number): Model {
  const at = (i: number, j: number) => ((i + side) % side) * side + ((j + side) % side);
  const even: number[] = [];
  const odd: number[] = [];
  const edges: [number, number][] = [];
  for (let i = 0; i < side; i++) for (let j = 0; j < side; j++) ((i + j) % 2 === 0 ? even : odd).push(at(i, j));
  for (const [a, b] of [
    [0, 1],
    [4, 1],
    [10, 9],
  ]) {
    for (const k of even) {
      const [i, j] = [Math.floor(k / side), k % side];
      for (const [p, q] of [
        [a, b],
        [-b, a],
        [-a, -b],
        [b, -a],
      ]) {
        edges.push([k, at(i + p, j + q)]);
      }
    }
  }
  const random = randomSource(5);
  const normals = (count: number) => Array.from({ length: count }, () => scale * random.normal());
  return ising({
    spins: side * side,
    edges,
    couplings: normals(edges.length),
    biases: normals(side * side),
    blocks: [even, odd],
  });
}

function machine(visible: number, hidden: number, scale: number): Model {
  const random = randomSource(6);
  const normals = (count: number) => Array.from({ length: count }, () => scale * random.normal());
  return rbm({
    visible,
    hidden,
    weights: normals(visible * hidden),
    visibleBiases: normals(visible),
    hiddenBiases: normals(hidden),
  });
}

interface Row {
  readonly name: string;
  readonly model: Model;
  readonly sweeps: number;
}

/** Seconds on the clock, and of all threads. */
interface Cost {
  readonly seconds: number;
  readonly cpu: number;
}

/** One run of all chains from uniform spins, `alternating-block`, laying out the model among the time. */
function ours({ model, sweeps }: Row, seed: number): Cost & { readonly run: SampledChains } {
  const random = randomSource(seed);
  const starts = drawStarts(model, null, Array(CHAINS).fill('random'), random);
  const worked = process.cpuUsage();
  const began = performance.now();
  const run = sampleChains(model, {
    kernel: 'alternating-block',
    starts,
    samples: 1,
    burnIn: sweeps - 1,
    apart: 1,
    seed,
  });
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(worked);
  return { seconds, cpu: (user + system) / 1e6, run };
}

function updates(model: Model, sweeps: number): number {
  return model.spins * sweeps * CHAINS;
}

function energies(model: Model, { samples }: SampledChains): number[] {
  return samples.map((one) => observableMeans(model, one).reduce((sum, f, a) => sum + model.theta[a] * f, 0));
}

/** How many standard errors the means of two samples of numbers are apart. */
function apart(a: readonly number[], b: readonly number[]): number {
  const moments = (x: readonly number[]) => {
    const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
    return { mean, square: x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (x.length - 1) / x.length };
  };
  const [one, other] = [moments(a), moments(b)];
  return Math.abs(one.mean - other.mean) / Math.sqrt(one.square + other.square);
}

/** Throughput of many chains, against thrml. */
export async function samplerTable(sheet: Sheet): Promise<void> {
  sheet.heading(
    'Many Gibbs chains',
    `Spin updates per nanosecond of ${CHAINS} chains from uniform spins, blocks in order, against thrml 0.1.3 (\`bench/peers/thrml_sampling.py\`; JAX on all cores, jitted, warmed up), ` +
      `which must give the same mean energy after the same sweeps within ${SIGMAS} standard errors. Median (least to most) over pairs that alternate; laying out the model is in our time. The ratio per CPU second counts what all threads worked, which a machine that does other things too disturbs less.`,
  );
  const rows: readonly Row[] = [
    { name: 'grid 60x60, degree 12', model: grid(60, 0.1), sweeps: 400 },
    { name: 'RBM 64+32', model: machine(64, 32, 0.1), sweeps: 4000 },
  ];
  const present = hasModule('thrml');
  if (!present) sheet.print('thrml is not installed (bench/peers/requirements.txt, HTDML_PYTHON): skipped.\n');
  const peer = present ? new Peer<Cost & { energies: number[] }>('thrml_sampling.py') : null;
  sheet.header('model', 'sweeps', 'ours', 'thrml', 'ours / thrml', 'per CPU second', 'aimed for');
  for (const row of rows) {
    const { name, model, sweeps } = row;
    const { edges, blocks, spins, theta } = model;
    const question = {
      spins,
      edges,
      blocks,
      sweeps,
      chains: CHAINS,
      couplings: [...theta.subarray(0, edges.length)],
      biases: [...theta.subarray(edges.length)],
    };
    // Threads are started by the first runs.
    for (let seed = 1; seed <= 3; seed++) ours(row, seed);
    const sigmas =
      peer === null ? 0 : apart(energies(model, ours(row, 1).run), (await peer.ask({ ...question, seed: 1 })).energies);
    if (!(sigmas < SIGMAS)) {
      process.exitCode = 1;
      sheet.row(name, String(sweeps), `energies ${number(sigmas)} standard errors apart: not timed`, '', '', '', '');
      continue;
    }
    const perNanosecond = (seconds: number) => updates(model, sweeps) / seconds / 1e9;
    const mine: number[] = [];
    const its: number[] = [];
    const perCpu: number[] = [];
    for (let seed = 1; seed <= PAIRS; seed++) {
      const own = ours(row, seed);
      mine.push(perNanosecond(own.seconds));
      if (peer === null) continue;
      const other = await peer.ask({ ...question, seed });
      its.push(perNanosecond(other.seconds));
      perCpu.push(other.cpu / own.cpu);
    }
    const ratios = its.map((rate, k) => mine[k] / rate);
    if (peer === null) sheet.row(name, String(sweeps), spread(mine), '', '', '', '');
    else
      sheet.row(
        name,
        String(sweeps),
        spread(mine),
        spread(its),
        spread(ratios),
        spread(perCpu),
        verdict(median(ratios), AIM),
      );
  }
  peer?.end();
}
