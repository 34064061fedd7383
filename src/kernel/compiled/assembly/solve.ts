// Conjugate gradients for (3.3), eight right-hand sides at a time in lockstep, and the gradient (5.4) added up as they finish.
import { addCotangent, applyForm } from './generator';
import { maxIterations, RESULT, results, SCRATCH, steps, tableOf, tolerance, trials } from './job';
import { fill, fillTrials } from './right-hand-sides';
import { inverseDiagonal, law, STATE, states } from './table';
import { addTrial } from './trial';
import {
  addSquares,
  advance,
  axpyScalar,
  centre,
  dots,
  inverseNorms,
  negate,
  reduceResidual,
  residual,
  weighedNorms,
  weigh,
} from './vectors';

/** Restarts from the true residual. */
const RESTARTS: i32 = 4;
const LANES: i32 = 8;
const EPS: f64 = 2.220446049250313e-16;
/** Where the squared residual has fallen by this much it is rounding, a constant perhaps, and no direction is worth following. */
const SPENT: f64 = 1e-29;
/** The same where a trial solution is improved, against the right-hand side: of one that was right, only rounding is left. */
const SPENT_ON_TRIAL: f64 = 1e-24;

/** Solves a panel in a workspace and adds its part of the gradient to a density. */
export function solvePanel(job: usize, panel: i32, scratch: usize, density: usize): void {
  const table = tableOf(job);
  const n = states(table);
  const pi = law(table);
  const inverse = inverseDiagonal(table);
  const bytes = n * STATE;
  const alpha = scratch;
  const beta = scratch + 64;
  const rho = scratch + 128;
  const energy = scratch + 192;
  const curvature = scratch + 256;
  const fresh = scratch + 320;
  const error = scratch + 384;
  const bNorm = scratch + 448;
  const rNorm = scratch + 512;
  const uNorm = scratch + 576;
  const first = scratch + 640;
  const means = scratch + 704;
  const u = scratch + SCRATCH;
  const r = u + bytes;
  const p = r + bytes;
  const q = p + bytes;
  const more = q + bytes;
  const spentShare = trials(job) == 0 ? SPENT : SPENT_ON_TRIAL;
  const record: usize = steps(job) == 0 ? 0 : steps(job) + <usize>panel * <usize>maxIterations(job) * 2 * STATE;
  fill(job, panel, r);
  weighedNorms(r, pi, n, bNorm);
  weigh(r, pi, n);
  weighedNorms(r, inverse, n, first);
  memory.fill(energy, 0, 64);
  if (trials(job) == 0) memory.fill(u, 0, bytes);
  else {
    // From the trial solution; its own part of the gradient goes out, so that only the difference is left.
    fillTrials(job, panel, u);
    applyForm(table, u, q, more);
    fill(job, panel, p);
    negate(density, n);
    addTrial(table, p, u, q, r, more, density);
    negate(density, n);
    memory.copy(r, p, bytes);
    weigh(r, pi, n);
    residual(r, q, r, n);
  }
  let iterations = 0;
  for (let restart = 0; restart <= RESTARTS; restart++) {
    // p = r / diagonal, rho = <r, p>.
    memory.fill(alpha, 0, 64);
    memory.fill(beta, 0, 64);
    memory.fill(means, 0, 64);
    memory.fill(p, 0, bytes);
    memory.fill(q, 0, bytes);
    reduceResidual(r, q, alpha, means, pi, inverse, n, rho);
    advance(u, p, r, alpha, beta, means, pi, inverse, n);
    memory.fill(error, 0, 64);
    const began = iterations;
    while (iterations < maxIterations(job)) {
      applyForm(table, p, q, more);
      dots(p, q, n, curvature);
      for (let lane = 0; lane < LANES; lane++) {
        const at = <usize>lane << 3;
        const c = load<f64>(curvature + at);
        // A lane that is done, or has no right-hand side, stands still.
        const spent = load<f64>(rho + at) <= spentShare * load<f64>(first + at);
        const a = c > 0 && !spent ? load<f64>(rho + at) / c : 0;
        store<f64>(alpha + at, isFinite(a) ? a : 0);
      }
      reduceResidual(r, q, alpha, means, pi, inverse, n, fresh);
      let going = false;
      for (let lane = 0; lane < LANES; lane++) {
        const at = <usize>lane << 3;
        const before = load<f64>(rho + at);
        const gain = load<f64>(alpha + at) * before;
        const total = load<f64>(energy + at) + gain;
        store<f64>(energy + at, total);
        // What the last steps gained in <b, u> is, but for its own size, what is missing (Hestenes and Stiefel 1952).
        const relative = total > 0 ? Math.sqrt(gain / total) : 0;
        store<f64>(error + at, relative);
        if (relative > tolerance(job)) going = true;
        const after = load<f64>(fresh + at);
        store<f64>(beta + at, before > 0 && gain > 0 ? after / before : 0);
        store<f64>(rho + at, after);
      }
      if (record != 0) memory.copy(record + <usize>iterations * (2 * STATE), alpha, 2 * STATE);
      iterations++;
      advance(u, p, r, alpha, beta, means, pi, inverse, n);
      if (!going) break;
    }
    centre(u, pi, n);
    // The true residual: b anew, less the image of u.
    applyForm(table, u, q, more);
    fill(job, panel, p);
    inverseNorms(r, pi, n, fresh);
    memory.copy(r, p, bytes);
    weigh(r, pi, n);
    residual(r, q, r, n);
    inverseNorms(r, pi, n, rNorm);
    weighedNorms(u, pi, n, uNorm);
    let honest = true;
    for (let lane = 0; lane < LANES; lane++) {
      const at = <usize>lane << 3;
      // The recursive residual may claim what rounding does not allow; then the true one is solved for.
      const floor = 8 * EPS * (Math.sqrt(load<f64>(bNorm + at)) + 2 * Math.sqrt(load<f64>(uNorm + at)));
      const truth = Math.sqrt(load<f64>(rNorm + at));
      if (truth > 2 * Math.sqrt(load<f64>(fresh + at)) + floor) honest = false;
    }
    if (honest || record != 0 || iterations >= maxIterations(job) || iterations == began) break;
  }
  // p holds the right-hand side. Without a trial, <b, u> as solved; with one, what the steps gained over it.
  if (trials(job) == 0) {
    memory.copy(q, p, bytes);
    weigh(q, pi, n);
    dots(q, u, n, energy);
  }
  const out = results(job) + <usize>panel * 8 * RESULT;
  for (let lane = 0; lane < LANES; lane++) {
    const at = <usize>lane << 3;
    const scale = Math.sqrt(load<f64>(bNorm + at)) + 2 * Math.sqrt(load<f64>(uNorm + at));
    const to = out + <usize>lane * RESULT;
    store<f64>(to, load<f64>(energy + at));
    store<f64>(to, load<f64>(error + at), 8);
    store<f64>(to, scale > 0 ? Math.sqrt(load<f64>(rNorm + at)) / scale : 0, 16);
    store<f64>(to, <f64>iterations, 24);
  }
  addCotangent(table, u, density, more);
  // (u - fc / 2) fc, with q = fc / 2.
  memory.fill(q, 0, bytes);
  axpyScalar(0.5, p, q, n);
  addSquares(p, u, q, density, n);
}
