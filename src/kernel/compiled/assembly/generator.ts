// The generator I - P of a table's kernel on multivectors, and its cotangent.
import { average, carry, prepareSites, siteCotangent, siteForm } from './sites';
import {
  BLOCK_MIXTURE,
  blockCount,
  conductances,
  kind,
  law,
  program,
  SITE_MIXTURE,
  STATE,
  states,
  weight,
} from './table';
import { addSquares, axpyScalar, differenceOf, subtractQuotient, weigh } from './vectors';

@inline function logStates(n: usize): usize {
  return <usize>(31 - clz<u32>(<u32>n));
}
/** The flip mask of the `k`-th spin, from 1, of the block at an address. */
@inline function maskOf(block: usize, k: usize): usize {
  return load<u32>(block + (k << 2));
}

/** Whether the last site of a site mixture is the folded one: there is then one site more than bits. */
@inline function hasFold(table: usize): bool {
  return <usize>blockCount(table) > logStates(states(table));
}

/** Writes what a table's kernel is applied by, once, before it is. */
export function prepare(table: usize): void {
  const n = states(table);
  if (kind(table) != SITE_MIXTURE) return;
  prepareSites(law(table), conductances(table), n, logStates(n), hasFold(table), weight(table));
}

/** `y = D (I - P) x`, symmetric and formed from its rates (D9). `work` holds one multivector, for blocks of several spins. */
export function applyForm(table: usize, x: usize, y: usize, work: usize): void {
  const n = states(table);
  const pi = law(table);
  if (kind(table) == SITE_MIXTURE) {
    siteForm(x, y, conductances(table), n, logStates(n), hasFold(table));
    return;
  }
  memory.fill(y, 0, n * STATE);
  let at = program(table);
  if (kind(table) == BLOCK_MIXTURE) {
    for (let c = 0; c < blockCount(table); c++) {
      blockDifference(at, x, work, pi, n);
      axpyScalar(weight(table), work, y, n);
      at = nextBlock(at);
    }
  } else {
    // There and back, innermost factor first: 1, ..., C, ..., 1.
    const size = <usize>load<u32>(at);
    for (let m: usize = 1; m < 2 * size; m++) carry(x, y, pi, n, maskOf(at, m <= size ? m : 2 * size - m));
  }
  weigh(y, pi, n);
}

/** `y = P x`. */
export function apply(table: usize, x: usize, y: usize, work: usize): void {
  const n = states(table);
  applyForm(table, x, y, work);
  subtractQuotient(x, y, law(table), n);
}

/** `r = x - P_c x` for the block at an address. */
function blockDifference(block: usize, x: usize, r: usize, pi: usize, n: usize): void {
  memory.fill(r, 0, n * STATE);
  for (let k: usize = 1; k <= <usize>load<u32>(block); k++) carry(x, r, pi, n, maskOf(block, k));
}

@inline function nextBlock(block: usize): usize {
  return block + ((<usize>load<u32>(block) + 1) << 2);
}

/** Adds the density `Lbar / pi` of `sum_k <u_k, P u_k>` with `sqrt(pi) u_k` held fixed (D1, D3). `work` as `multivectors` in `../table.ts` counts it. */
export function addCotangent(table: usize, u: usize, density: usize, work: usize): void {
  const n = states(table);
  const pi = law(table);
  if (kind(table) == SITE_MIXTURE) {
    siteCotangent(u, density, pi, n, logStates(n), hasFold(table), weight(table));
    return;
  }
  let at = program(table);
  if (kind(table) == BLOCK_MIXTURE) {
    for (let c = 0; c < blockCount(table); c++) {
      blockDifference(at, u, work, pi, n);
      differenceOf(u, work, density, n, weight(table));
      at = nextBlock(at);
    }
    return;
  }
  palindromeCotangent(u, density, pi, n, at, work);
}

/** (D3): `U_k = P_k U_(k-1)` are kept, `W_(k-1) = P_k W_k` comes back. */
function palindromeCotangent(u: usize, density: usize, pi: usize, n: usize, at: usize, work: usize): void {
  const size = <usize>load<u32>(at);
  const bytes = n * STATE;
  // work[k - 1] = U_k for k = 1..C; the last two hold W_k and W_(k-1) in turn.
  for (let k: usize = 1; k <= size; k++) {
    average(k == 1 ? u : work + (k - 2) * bytes, work + (k - 1) * bytes, pi, n, maskOf(at, k));
  }
  const last = work + (size - 1) * bytes;
  const beforeLast = size == 1 ? u : work + (size - 2) * bytes;
  addSquares(last, beforeLast, last, density, n);
  let back = work + size * bytes;
  memory.copy(back, last, bytes);
  let next = work + (size + 1) * bytes;
  for (let k = size - 1; k >= 1; k--) {
    average(back, next, pi, n, maskOf(at, k));
    const here = work + (k - 1) * bytes;
    const before = k == 1 ? u : work + (k - 2) * bytes;
    // W_(k-1) (U_(k-1) - U_k) + U_k (W_k - W_(k-1))
    addSquares(next, before, here, density, n);
    addSquares(here, back, next, density, n);
    const free = back;
    back = next;
    next = free;
  }
}
