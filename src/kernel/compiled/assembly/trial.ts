// Trial solutions of (3.3): what they give of T is a lower bound (6.1), and its derivative with the trial function held fixed.
import { addCotangent, applyForm } from './generator';
import { RESULT, results, SCRATCH, tableOf } from './job';
import { fill, fillTrials } from './right-hand-sides';
import { law, STATE, states } from './table';
import { addProducts, addSquares, axpyScalar, dots, weigh } from './vectors';

/** `2 <b, psi> - <psi, (I - P) psi>` for each trial of a panel, and the density of their sum less `|b|^2 / 2`. */
export function trialPanel(job: usize, panel: i32, scratch: usize, density: usize): void {
  const table = tableOf(job);
  const n = states(table);
  const bytes = n * STATE;
  const psi = scratch + SCRATCH;
  const b = psi + bytes;
  const image = b + bytes;
  const weighed = image + bytes;
  const more = weighed + bytes;
  fill(job, panel, b);
  fillTrials(job, panel, psi);
  applyForm(table, psi, image, more);
  memory.copy(weighed, b, bytes);
  weigh(weighed, law(table), n);
  dots(psi, weighed, n, scratch);
  dots(psi, image, n, scratch + 64);
  const out = results(job) + <usize>panel * 8 * RESULT;
  for (let lane: usize = 0; lane < 8; lane++) {
    store<f64>(out + lane * RESULT, 2 * load<f64>(scratch + (lane << 3)) - load<f64>(scratch + 64 + (lane << 3)));
  }
  addTrial(table, b, psi, image, weighed, more, density);
}

/** Adds `2 b psi - b^2 / 2 - psi (I - P) psi` and the cotangent of `<psi, P psi>`; `image` is `D (I - P) psi`, `spare` is overwritten. */
export function addTrial(table: usize, b: usize, psi: usize, image: usize, spare: usize, more: usize, density: usize): void {
  const n = states(table);
  // b (2 psi - b / 2), with psi - b / 2 in `spare`.
  memory.copy(spare, psi, n * STATE);
  axpyScalar(-0.5, b, spare, n);
  addProducts(b, psi, density, n);
  addProducts(b, spare, density, n);
  memory.fill(spare, 0, n * STATE);
  axpyScalar(-1, image, spare, n);
  addQuotients(spare, psi, law(table), density, n);
  addCotangent(table, psi, density, more);
}

/** Adds `sum_k x_k y_k / pi` at every state. */
function addQuotients(x: usize, y: usize, pi: usize, density: usize, n: usize): void {
  for (let s: usize = 0; s < n; s++) {
    let sum = f64x2.splat(0);
    for (let k: usize = 0; k < STATE; k += 16) {
      sum = f64x2.add(sum, f64x2.mul(v128.load(x + s * STATE + k), v128.load(y + s * STATE + k)));
    }
    const at = density + (s << 3);
    store<f64>(at, load<f64>(at) + (f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)) / load<f64>(pi + (s << 3)));
  }
}
