// The generator I - P of a table's kernel on multivectors, and its cotangent.
import { average, carry, siteCotangent, siteMixture } from './sites';
import {
  BLOCK_MIXTURE,
  blockCount,
  factors,
  foldSign,
  kind,
  program,
  SITE_MIXTURE,
  STATE,
  states,
  weight,
} from './table';
import { addSquares, axpyScalar, differenceOf } from './vectors';

@inline function logStates(n: usize): usize {
  return <usize>(31 - clz<u32>(<u32>n));
}
@inline function isFold(mask: usize, n: usize): bool {
  return mask == n - 1 && n > 2;
}

/** Whether the last site of a site mixture is the folded one: there is then one site more than bits. */
@inline function hasFold(table: usize): bool {
  return <usize>blockCount(table) > logStates(states(table));
}

/** `y = (I - P) x`. `work` holds one multivector, for blocks of several spins. */
export function applyGenerator(table: usize, x: usize, y: usize, work: usize): void {
  const n = states(table);
  const b = factors(table);
  const sign = foldSign(table);
  if (kind(table) == SITE_MIXTURE) {
    siteMixture(x, y, b, n, logStates(n), hasFold(table), weight(table), sign);
    return;
  }
  memory.fill(y, 0, n * STATE);
  let at = program(table);
  if (kind(table) == BLOCK_MIXTURE) {
    for (let c = 0; c < blockCount(table); c++) {
      const size = load<i32>(at);
      memory.fill(work, 0, n * STATE);
      for (let k = 1; k <= size; k++) {
        const mask = <usize>load<u32>(at + (<usize>k << 2));
        carry(x, work, b, n, mask, isFold(mask, n) ? sign : 1);
      }
      axpyScalar(weight(table), work, y, n);
      at += <usize>(size + 1) << 2;
    }
    return;
  }
  // There and back, innermost factor first: 1, ..., C, ..., 1.
  const size = load<i32>(at);
  for (let m = 1; m < 2 * size; m++) {
    const k = m <= size ? m : 2 * size - m;
    const mask = <usize>load<u32>(at + (<usize>k << 2));
    carry(x, y, b, n, mask, isFold(mask, n) ? sign : 1);
  }
}

/** Multivectors of work that {@link addCotangent} needs. */
export function cotangentWork(table: usize): i32 {
  if (kind(table) == SITE_MIXTURE) return 0;
  if (kind(table) == BLOCK_MIXTURE) return 1;
  return load<i32>(program(table)) + 2;
}

/** Adds the density `Lbar / pi` of `sum_k <u_k, P u_k>` with `sqrt(pi) u_k` held fixed (D1, D3), for even functions. */
export function addCotangent(table: usize, u: usize, density: usize, work: usize): void {
  const n = states(table);
  const b = factors(table);
  const w = weight(table);
  if (kind(table) == SITE_MIXTURE) {
    siteCotangent(u, density, b, n, logStates(n), hasFold(table), w);
    return;
  }
  let at = program(table);
  if (kind(table) == BLOCK_MIXTURE) {
    for (let c = 0; c < blockCount(table); c++) {
      const size = load<i32>(at);
      memory.fill(work, 0, n * STATE);
      for (let k = 1; k <= size; k++) carry(u, work, b, n, <usize>load<u32>(at + (<usize>k << 2)), 1);
      differenceOf(u, work, density, n, w);
      at += <usize>(size + 1) << 2;
    }
    return;
  }
  palindromeCotangent(u, density, b, n, at, work);
}

/** (D3): `U_k = P_k U_(k-1)` are kept, `W_(k-1) = P_k W_k` comes back. */
function palindromeCotangent(u: usize, density: usize, b: usize, n: usize, at: usize, work: usize): void {
  const size = <usize>load<u32>(at);
  const bytes = n * STATE;
  // work[k - 1] = U_k for k = 1..C, work[C] = W.
  for (let k: usize = 1; k <= size; k++) {
    average(k == 1 ? u : work + (k - 2) * bytes, work + (k - 1) * bytes, b, n, <usize>load<u32>(at + (k << 2)), 1);
  }
  const last = work + (size - 1) * bytes;
  const beforeLast = size == 1 ? u : work + (size - 2) * bytes;
  addSquares(last, beforeLast, last, density, n);
  const back = work + size * bytes;
  memory.copy(back, last, bytes);
  const next = work + (size + 1) * bytes;
  for (let k = size - 1; k >= 1; k--) {
    average(back, next, b, n, <usize>load<u32>(at + (k << 2)), 1);
    const here = work + (k - 1) * bytes;
    const before = k == 1 ? u : work + (k - 2) * bytes;
    // W_(k-1) (U_(k-1) - U_k) + U_k (W_k - W_(k-1))
    addSquares(next, before, here, density, n);
    addSquares(here, back, next, density, n);
    memory.copy(back, next, bytes);
  }
}
