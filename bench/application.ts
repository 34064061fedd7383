import { Arena, type Loops, loops } from '../src/kernel/compiled/loops.js';
import { LANES, layOutTable, programOf } from '../src/kernel/compiled/table.js';
import { boltzmann } from '../src/model/boltzmann.js';
import { stateSpace } from '../src/model/state-space.js';
import { glass } from './gradient.js';
import { hasModule, Peer } from './peer.js';
import { median, number, type Sheet, spread, verdict } from './tables.js';

const BYTE = 8;
const PAIRS = 7;
const AGREE = 1e-10;

/** `P` of a model ready to be applied to a block of eight vectors: times it takes, and a checksum of the image. */
export interface Application {
  readonly states: number;
  readonly spins: number;
  run(): { readonly seconds: number; readonly checksum: number };
}

/** The block is `cos(0.37 k^2)` for its `k`-th number. */
export function application(compiled: Loops, spins: number): Application {
  const model = glass(spins);
  const law = boltzmann(stateSpace(model), model.theta, model.beta);
  const program = programOf(law, model, 'random-scan');
  const arena = new Arena(compiled.memory);
  const table = program === null ? null : layOutTable(compiled, arena, law, program, 'none');
  const { states } = law.space;
  const count = states * LANES;
  const taken = table === null ? null : arena.take(count * BYTE, count * BYTE);
  if (table === null || taken === null) throw new Error('the loops do not run');
  const [x, y] = taken;
  const numbers = arena.doubles(x, count);
  for (let k = 0; k < count; k++) numbers[k] = Math.cos(k * k * 0.37);
  return {
    states,
    spins,
    run: () => {
      let seconds = Number.POSITIVE_INFINITY;
      for (let repetition = 0; repetition < 5; repetition++) {
        const began = performance.now();
        compiled.apply(table, x, y, 0);
        seconds = Math.min(seconds, (performance.now() - began) / 1000);
      }
      return { seconds, checksum: arena.doubles(y, count).reduce((sum, value) => sum + value * value, 0) };
    },
  };
}

/** One application, one thread, against SciPy's CSR with the matrix for free. */
export async function applicationTable(sheet: Sheet): Promise<void> {
  sheet.heading(
    'One application of the kernel',
    'To a block of eight vectors, `random-scan`, even sector, one thread each, against SciPy CSR with the matrix given for free: times the same block, and times one vector eight times. ' +
      'Best of five per entry; median (least to most) of pairs.',
  );
  const compiled = loops();
  if (compiled === null) throw new Error('the loops do not run');
  const present = hasModule('scipy');
  if (!present) sheet.print('SciPy is not installed (bench/peers/requirements.txt, HTDML_PYTHON): skipped.\n');
  const peer = present ? new Peer<{ checksum: number; seconds: number }>('scipy_application.py') : null;
  sheet.header('spins', 'ours, ms', 'CSR, block / ours', 'CSR, vectors / ours', 'aimed for, the better of them');
  for (const spins of [16, 20]) {
    const { run } = application(compiled, spins);
    const couplings = [...glass(spins).theta];
    const checksum = (await peer?.ask({ spins, couplings, vectors: LANES }))?.checksum;
    if (checksum !== undefined && !(Math.abs(run().checksum / checksum - 1) < AGREE)) {
      process.exitCode = 1;
      sheet.row(String(spins), 'the results differ: not timed', '', '', '');
      continue;
    }
    const mine: number[] = [];
    const block: number[] = [];
    const single: number[] = [];
    for (let k = 0; k < PAIRS; k++) {
      const { seconds } = run();
      mine.push(1000 * seconds);
      if (peer === null) continue;
      block.push((await peer.ask({ spins, couplings, vectors: LANES })).seconds / seconds);
      single.push((LANES * (await peer.ask({ spins, couplings, vectors: 1 })).seconds) / seconds);
    }
    if (peer === null) sheet.row(String(spins), spread(mine), '', '', '');
    else {
      const least = Math.min(median(block), median(single));
      sheet.row(String(spins), spread(mine), spread(block), spread(single), verdict(least, 2));
    }
  }
  peer?.end();
}

/** Bytes per second that this machine copies, read and written, in blocks larger than its caches. */
export function copyBandwidth(): number {
  const length = 2 ** 25;
  const from = new Float64Array(length).fill(1);
  const to = new Float64Array(length);
  const rates = Array.from({ length: 7 }, () => {
    const began = performance.now();
    to.set(from);
    return (2 * BYTE * length) / ((performance.now() - began) / 1000);
  });
  return Math.max(...rates);
}

/** The least that an application moves: each number of the block read, and each written (which reads its line first), once. */
function leastBytes(states: number): number {
  return 3 * states * LANES * BYTE;
}

/** The better of some runs, and the share of the memory's speed at which it moves the least that it must. */
export function applicationCost(compiled: Loops, spins: number, bandwidth: number) {
  const { run, states } = application(compiled, spins);
  const seconds = Math.min(...Array.from({ length: 3 }, () => run().seconds));
  return { seconds, limit: leastBytes(states) / bandwidth, share: number(leastBytes(states) / bandwidth / seconds, 2) };
}
