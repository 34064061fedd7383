// Centred observables, and combinations of them, as multivectors.
import { combined, descriptors, ground, tableOf, trialRows, trials } from './job';
import { law, STATE, states } from './table';
import { centre, subtractRow } from './vectors';
import { walshHadamard } from './walsh-hadamard';

const RECORD: usize = 32;
const ROW: usize = 72;

/** The eight right-hand sides of a panel, with mean zero. */
export function fill(job: usize, panel: i32, out: usize): void {
  const n = states(tableOf(job));
  const rows = combined(job);
  if (rows == 0) fillObservables(out, n, descriptors(job) + <usize>panel * 8 * RECORD);
  else fillCombinations(out, n, descriptors(job) + <usize>panel * <usize>rows * ROW, rows, law(tableOf(job)), ground(job));
}

/** The eight trial solutions of a panel, with mean zero. */
export function fillTrials(job: usize, panel: i32, out: usize): void {
  const rows = trialRows(job);
  fillCombinations(
    out,
    states(tableOf(job)),
    trials(job) + <usize>panel * <usize>rows * ROW,
    rows,
    law(tableOf(job)),
    ground(job),
  );
}

/** Eight centred observables: each is `near` where its parity is that of the most probable state, and `far` elsewhere. */
function fillObservables(out: usize, n: usize, records: usize): void {
  for (let lane: usize = 0; lane < 8; lane++) {
    const d = records + lane * RECORD;
    const mask = load<u32>(d);
    const side = load<u32>(d, 4);
    const near = load<f64>(d, 8);
    const far = load<f64>(d, 16);
    for (let s: usize = 0; s < n; s++) {
      store<f64>(out + s * STATE + (lane << 3), (popcnt<u32>(mask & <u32>s) & 1) == side ? near : far);
    }
  }
}

/** `sum_a c_a (-1)^|a & s|` by one transform, relative to the most probable state and then centred, so that what is small there keeps its digits. */
function fillCombinations(out: usize, n: usize, rows: usize, count: i32, pi: usize, ground: usize): void {
  memory.fill(out, 0, n * STATE);
  for (let a: usize = 0; a < <usize>count; a++) {
    const row = rows + a * ROW;
    const at = out + load<u32>(row) * STATE;
    for (let k: usize = 0; k < STATE; k += 16) v128.store(at + k, f64x2.add(v128.load(at + k), v128.load(row + 8 + k)));
  }
  walshHadamard(out, n);
  subtractRow(out, ground, n);
  centre(out, pi, n);
}
