// Conjugate gradients for (3.3), eight observables at a time in lockstep, and the gradient (5.4) added up as they finish.
import { addCotangent, applyGenerator } from './generator';
import { fillObservables } from './right-hand-sides';
import { inverseDiagonal, law, STATE, states } from './table';
import { addSquares, axpyScalar, centre, direction, dots, residual, step } from './vectors';

/** Restarts from the true residual. */
const RESTARTS: i32 = 4;
const LANES: i32 = 8;
const SCRATCH: usize = 1024;
const EPS: f64 = 2.220446049250313e-16;
/** Where the squared residual has fallen by this much it is rounding, a constant perhaps, and no direction is worth following. */
const SPENT: f64 = 1e-29;

// A job is a record of 32-bit words, which `solve-observables.ts` writes.
@inline function tableOf(job: usize): usize {
  return load<u32>(job);
}
/** Panels of eight right-hand sides. */
@inline function panels(job: usize): i32 {
  return load<i32>(job, 4);
}
/** Per right-hand side, 32 bytes: mask, parity at the most probable state, values of `fc` on its side and on the other. */
@inline function descriptors(job: usize): usize {
  return load<u32>(job, 8);
}
/** Per right-hand side, 32 bytes: `<b, u>`, relative error of `u`, backward error, iterations. */
@inline function results(job: usize): usize {
  return load<u32>(job, 12);
}
@inline function workspace(job: usize): usize {
  return load<u32>(job, 16);
}
/** A number per state, where the gradient is added up. */
@inline function density(job: usize): usize {
  return load<u32>(job, 20);
}
@inline function maxIterations(job: usize): i32 {
  return load<i32>(job, 24);
}
@inline function tolerance(job: usize): f64 {
  return load<f64>(job, 32);
}

/** Solves the panels of a job in their order. */
export function solve(job: usize): void {
  memory.fill(density(job), 0, states(tableOf(job)) * 8);
  for (let panel = 0; panel < panels(job); panel++) solvePanel(job, panel);
}

function fill(job: usize, panel: i32, b: usize): void {
  fillObservables(b, states(tableOf(job)), descriptors(job) + <usize>panel * 8 * 32);
}

function solvePanel(job: usize, panel: i32): void {
  const table = tableOf(job);
  const n = states(table);
  const pi = law(table);
  const bytes = n * STATE;
  const scratch = workspace(job);
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
  fill(job, panel, r);
  dots(r, r, pi, n, bNorm);
  memory.fill(u, 0, bytes);
  memory.fill(energy, 0, 64);
  let iterations = 0;
  for (let restart = 0; restart <= RESTARTS; restart++) {
    // z = r / diagonal, p = z, rho = <r, z>.
    memory.fill(alpha, 0, 64);
    memory.fill(beta, 0, 64);
    memory.fill(p, 0, bytes);
    memory.fill(q, 0, bytes);
    step(u, r, p, q, alpha, pi, inverseDiagonal(table), n, rho, means);
    direction(p, r, beta, means, inverseDiagonal(table), n);
    if (restart == 0) memory.copy(first, rho, 64);
    memory.fill(error, 0, 64);
    const began = iterations;
    while (iterations < maxIterations(job)) {
      applyGenerator(table, p, q, more);
      dots(p, q, pi, n, curvature);
      for (let lane = 0; lane < LANES; lane++) {
        const at = <usize>lane << 3;
        const c = load<f64>(curvature + at);
        // A lane that is done, or has no right-hand side, stands still.
        const spent = load<f64>(rho + at) <= SPENT * load<f64>(first + at);
        const a = c > 0 && !spent ? load<f64>(rho + at) / c : 0;
        store<f64>(alpha + at, isFinite(a) ? a : 0);
      }
      step(u, r, p, q, alpha, pi, inverseDiagonal(table), n, fresh, means);
      iterations++;
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
      if (!going) break;
      direction(p, r, beta, means, inverseDiagonal(table), n);
    }
    centre(u, pi, n);
    // The true residual: b anew, less the image of u.
    applyGenerator(table, u, q, more);
    fill(job, panel, p);
    dots(r, r, pi, n, fresh);
    residual(p, q, r, n);
    dots(r, r, pi, n, rNorm);
    dots(u, u, pi, n, uNorm);
    let honest = true;
    for (let lane = 0; lane < LANES; lane++) {
      const at = <usize>lane << 3;
      // The recursive residual may claim what rounding does not allow; then the true one is solved for.
      const floor = 8 * EPS * (Math.sqrt(load<f64>(bNorm + at)) + 2 * Math.sqrt(load<f64>(uNorm + at)));
      const truth = Math.sqrt(load<f64>(rNorm + at));
      if (truth > 2 * Math.sqrt(load<f64>(fresh + at)) + floor) honest = false;
    }
    if (honest || iterations >= maxIterations(job) || iterations == began) break;
    centre(r, pi, n);
  }
  // p holds the right-hand side.
  dots(p, u, pi, n, energy);
  const out = results(job) + <usize>panel * 8 * 32;
  for (let lane = 0; lane < LANES; lane++) {
    const at = <usize>lane << 3;
    const scale = Math.sqrt(load<f64>(bNorm + at)) + 2 * Math.sqrt(load<f64>(uNorm + at));
    const to = out + (<usize>lane << 5);
    store<f64>(to, load<f64>(energy + at));
    store<f64>(to, load<f64>(error + at), 8);
    store<f64>(to, scale > 0 ? Math.sqrt(load<f64>(rNorm + at)) / scale : 0, 16);
    store<f64>(to, <f64>iterations, 24);
  }
  addCotangent(table, u, density(job), more);
  // (u - fc / 2) fc, with q = fc / 2.
  memory.fill(q, 0, bytes);
  axpyScalar(0.5, p, q, n);
  addSquares(p, u, q, density(job), n);
}
