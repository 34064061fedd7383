import type { PairOperator } from '../src/kernel/pair-space.js';
import { boltzmann } from '../src/model/boltzmann.js';
import { stateSpace } from '../src/model/state-space.js';
import { lanczos } from '../src/spectrum/lanczos.js';
import { sectorOperator } from '../src/spectrum/sector-operator.js';
import { glass } from './gradient.js';
import { hasModule, Peer } from './peer.js';
import { median, number, type Sheet, spread, verdict } from './tables.js';

const COUNT = 12;
const TOLERANCE = 1e-10;
/** What gaps may differ by: errors are at most the residuals. */
const AGREE = 2 * TOLERANCE;
const SPACES = ['full', 'even'] as const;
type Space = (typeof SPACES)[number];
const VARIANTS = ['csr', 'operator'] as const;
const AIMS: Readonly<Record<number, number>> = { 12: 2, 16: 3 };

interface Answer {
  readonly gaps: readonly number[];
  readonly residual: number;
  readonly seconds: number;
}

/** The operators of the sectors that make up a space. */
function operators(model: ReturnType<typeof glass>, space: Space): readonly PairOperator[] {
  const law = boltzmann(stateSpace(model), model.theta, model.beta);
  const sectors = space === 'full' ? ([1, -1] as const) : ([1] as const);
  return sectors.map((sector) => sectorOperator(law, model, 'random-scan', sector));
}

/** Of the full space by its two sectors: two thirds of what is asked for from each, all of it where one of them turns out to hold more. */
function ours(sectors: readonly PairOperator[]): Answer {
  const began = performance.now();
  const solve = (count: number): Answer | null => {
    const found = sectors.map((operator) => {
      const modes = lanczos(operator, { count, tolerance: TOLERANCE });
      if (!modes?.converged) throw new Error('Lanczos did not converge');
      return modes;
    });
    const all = found.flatMap(({ gaps, residuals }) => Array.from(gaps, (gap, j) => ({ gap, residual: residuals[j] })));
    const slowest = all.sort((a, b) => a.gap - b.gap).slice(0, COUNT);
    const last = slowest[slowest.length - 1].gap;
    if (slowest.length < COUNT || (count < COUNT && found.some(({ clear }) => clear < last))) return null;
    return {
      gaps: slowest.map(({ gap }) => gap),
      residual: Math.max(...slowest.map(({ residual }) => residual)),
      seconds: (performance.now() - began) / 1000,
    };
  };
  const answer = (sectors.length > 1 ? solve((2 * COUNT) / 3) : null) ?? solve(COUNT);
  if (answer === null) throw new Error(`fewer than ${COUNT} modes`);
  return answer;
}

function apart(a: Answer, b: Answer): number {
  return Math.max(...a.gaps.map((gap, j) => Math.abs(gap - b.gaps[j])));
}

/** The slowest 12 eigenpairs against ARPACK. */
export async function eigenpairsTable(sheet: Sheet): Promise<void> {
  sheet.heading(
    'Slowest 12 eigenpairs',
    `Of \`random-scan\` beside the stationary one, residuals at most ${TOLERANCE}, against SciPy's \`eigsh\` on the matrix (CSR) and on a LinearOperator. The matrix, its parts and our ` +
      'operator are given for free; ours includes the search for missed modes, and takes the full space sector by sector. One thread of ours. Median (least to most) of pairs.',
  );
  const present = hasModule('scipy');
  if (!present) sheet.print('SciPy is not installed (bench/peers/requirements.txt, HTDML_PYTHON): skipped.\n');
  const peer = present ? new Peer<Answer>('scipy_eigenpairs.py') : null;
  sheet.header('spins', 'space', 'ours, ms', 'CSR / ours', 'LinearOperator / ours', 'aimed for, the better of them');
  for (const spins of [12, 16]) {
    const model = glass(spins);
    for (const space of SPACES) {
      const ask = (variant: string) =>
        peer?.ask({ spins, couplings: [...model.theta], count: COUNT, tolerance: TOLERANCE, space, variant });
      const ratios: Record<string, number[]> = {};
      const mine: number[] = [];
      const sectors = operators(model, space);
      const first = ours(sectors);
      let difference = 0;
      for (const variant of VARIANTS) {
        const answer = await ask(variant);
        if (answer)
          difference = Math.max(difference, apart(first, answer), first.residual - TOLERANCE, answer.residual - AGREE);
      }
      if (!(difference < AGREE)) {
        process.exitCode = 1;
        sheet.row(String(spins), space, `the results differ by ${number(difference, 2)}: not timed`, '', '', '');
        continue;
      }
      const pairs = spins <= 12 ? 15 : 5;
      for (const variant of VARIANTS) {
        ratios[variant] = [];
        for (let k = 0; k < pairs; k++) {
          const { seconds } = ours(sectors);
          mine.push(1000 * seconds);
          const answer = await ask(variant);
          if (answer) ratios[variant].push(answer.seconds / seconds);
        }
      }
      if (peer === null) sheet.row(String(spins), space, spread(mine), '', '', '');
      else {
        const least = Math.min(...VARIANTS.map((variant) => median(ratios[variant])));
        const columns = VARIANTS.map((variant) => spread(ratios[variant]));
        sheet.row(String(spins), space, spread(mine), ...columns, verdict(least, AIMS[spins]));
      }
    }
  }
  peer?.end();
}
