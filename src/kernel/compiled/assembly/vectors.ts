// Sums, products and updates of multivectors, eight functions at a time.
import { STATE } from './table';

/** Two functions at a time: `out_k = sum_s x_k(s) y_k(s)`. */
export function dots(x: usize, y: usize, n: usize, out: usize): void {
  let a0 = f64x2.splat(0);
  let a1 = f64x2.splat(0);
  let a2 = f64x2.splat(0);
  let a3 = f64x2.splat(0);
  const end = x + n * STATE;
  for (; x < end; x += STATE, y += STATE) {
    a0 = f64x2.add(a0, f64x2.mul(v128.load(x), v128.load(y)));
    a1 = f64x2.add(a1, f64x2.mul(v128.load(x, 16), v128.load(y, 16)));
    a2 = f64x2.add(a2, f64x2.mul(v128.load(x, 32), v128.load(y, 32)));
    a3 = f64x2.add(a3, f64x2.mul(v128.load(x, 48), v128.load(y, 48)));
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
}

@inline function norms(x: usize, weights: usize, n: usize, out: usize, inverse: bool): void {
  for (let k: usize = 0; k < STATE; k += 16) {
    let sum = f64x2.splat(0);
    for (let s: usize = 0; s < n; s++) {
      const weight = load<f64>(weights + (s << 3));
      const value = v128.load(x + s * STATE + k);
      sum = f64x2.add(sum, f64x2.mul(f64x2.splat(inverse ? 1 / weight : weight), f64x2.mul(value, value)));
    }
    v128.store(out + k, sum);
  }
}

/** `out_k = sum_s w_s x_k(s)^2`. */
export function weighedNorms(x: usize, weights: usize, n: usize, out: usize): void {
  norms(x, weights, n, out, false);
}

/** `out_k = sum_s x_k(s)^2 / w_s`. */
export function inverseNorms(x: usize, weights: usize, n: usize, out: usize): void {
  norms(x, weights, n, out, true);
}

/** `x_k *= pi`. */
export function weigh(x: usize, pi: usize, n: usize): void {
  for (let s: usize = 0; s < n; s++) {
    const mass = f64x2.splat(load<f64>(pi + (s << 3)));
    for (let at = x + s * STATE; at < x + (s + 1) * STATE; at += 16) v128.store(at, f64x2.mul(mass, v128.load(at)));
  }
}

/** `y = x - y / pi`. */
export function subtractQuotient(x: usize, y: usize, pi: usize, n: usize): void {
  for (let s: usize = 0; s < n; s++) {
    const inverse = f64x2.splat(1 / load<f64>(pi + (s << 3)));
    for (let at = s * STATE; at < (s + 1) * STATE; at += 16) {
      v128.store(y + at, f64x2.sub(v128.load(x + at), f64x2.mul(inverse, v128.load(y + at))));
    }
  }
}

/**
 * `r -= alpha q + mean pi`, `out_k = <r_k, r_k / diagonal>`, and the sums of the new `r_k`. `D (I - P)` sends nothing to a sum; what rounding puts there is taken out
 * at the next step: left in, it would be all that is left of the residual, and dividing by the curvature along it would send the solution anywhere.
 */
export function reduceResidual(
  r: usize,
  q: usize,
  alpha: usize,
  means: usize,
  pi: usize,
  inverse: usize,
  n: usize,
  out: usize,
): void {
  for (let k: usize = 0; k < STATE; k += 32) {
    const al = v128.load(alpha + k);
    const ah = v128.load(alpha + k, 16);
    const ml = v128.load(means + k);
    const mh = v128.load(means + k, 16);
    let sl = f64x2.splat(0);
    let sh = f64x2.splat(0);
    let tl = f64x2.splat(0);
    let th = f64x2.splat(0);
    for (let s: usize = 0; s < n; s++) {
      const at = s * STATE + k;
      const mass = v128.load64_splat(pi + (s << 3));
      const scale = v128.load64_splat(inverse + (s << 3));
      const rl = f64x2.sub(v128.load(r + at), f64x2.add(f64x2.mul(al, v128.load(q + at)), f64x2.mul(ml, mass)));
      const rh = f64x2.sub(
        v128.load(r + at, 16),
        f64x2.add(f64x2.mul(ah, v128.load(q + at, 16)), f64x2.mul(mh, mass)),
      );
      v128.store(r + at, rl);
      v128.store(r + at, rh, 16);
      sl = f64x2.add(sl, f64x2.mul(scale, f64x2.mul(rl, rl)));
      sh = f64x2.add(sh, f64x2.mul(scale, f64x2.mul(rh, rh)));
      tl = f64x2.add(tl, rl);
      th = f64x2.add(th, rh);
    }
    v128.store(means + k, tl);
    v128.store(means + k, th, 16);
    v128.store(out + k, sl);
    v128.store(out + k, sh, 16);
  }
}

/** `u += alpha p`, then `p = (r - mean pi) / diagonal + beta p`. */
export function advance(
  u: usize,
  p: usize,
  r: usize,
  alpha: usize,
  beta: usize,
  means: usize,
  pi: usize,
  inverse: usize,
  n: usize,
): void {
  for (let k: usize = 0; k < STATE; k += 32) {
    const al = v128.load(alpha + k);
    const ah = v128.load(alpha + k, 16);
    const bl = v128.load(beta + k);
    const bh = v128.load(beta + k, 16);
    const ml = v128.load(means + k);
    const mh = v128.load(means + k, 16);
    for (let s: usize = 0; s < n; s++) {
      const mass = v128.load64_splat(pi + (s << 3));
      const d = v128.load64_splat(inverse + (s << 3));
      const at = s * STATE + k;
      const pl = v128.load(p + at);
      const ph = v128.load(p + at, 16);
      v128.store(u + at, f64x2.add(v128.load(u + at), f64x2.mul(al, pl)));
      v128.store(u + at, f64x2.add(v128.load(u + at, 16), f64x2.mul(ah, ph)), 16);
      const rl = f64x2.sub(v128.load(r + at), f64x2.mul(ml, mass));
      const rh = f64x2.sub(v128.load(r + at, 16), f64x2.mul(mh, mass));
      v128.store(p + at, f64x2.add(f64x2.mul(d, rl), f64x2.mul(bl, pl)));
      v128.store(p + at, f64x2.add(f64x2.mul(d, rh), f64x2.mul(bh, ph)), 16);
    }
  }
}

/** `x_k -= E x_k`. */
export function centre(x: usize, pi: usize, n: usize): void {
  for (let k: usize = 0; k < STATE; k += 16) {
    let sum = f64x2.splat(0);
    for (let s: usize = 0; s < n; s++) {
      sum = f64x2.add(sum, f64x2.mul(f64x2.splat(load<f64>(pi + (s << 3))), v128.load(x + s * STATE + k)));
    }
    for (let s: usize = 0; s < n; s++) {
      const at = x + s * STATE + k;
      v128.store(at, f64x2.sub(v128.load(at), sum));
    }
  }
}

/** `x -= x(s)` for one state `s`. */
export function subtractRow(x: usize, s: usize, n: usize): void {
  const row = x + s * STATE;
  for (let k: usize = 0; k < STATE; k += 16) {
    const value = v128.load(row + k);
    for (let at = x + k; at < x + n * STATE; at += STATE) v128.store(at, f64x2.sub(v128.load(at), value));
  }
}

/** `y += a x`. */
export function axpyScalar(a: f64, x: usize, y: usize, n: usize): void {
  const c = f64x2.splat(a);
  for (let at: usize = 0; at < n * STATE; at += 16) {
    v128.store(y + at, f64x2.add(v128.load(y + at), f64x2.mul(c, v128.load(x + at))));
  }
}

/** `r = b - q`. */
export function residual(b: usize, q: usize, r: usize, n: usize): void {
  for (let at: usize = 0; at < n * STATE; at += 16) {
    v128.store(r + at, f64x2.sub(v128.load(b + at), v128.load(q + at)));
  }
}

/** Adds `w sum_k (u_k - d_k) d_k` at every state. */
export function differenceOf(u: usize, d: usize, density: usize, n: usize, w: f64): void {
  for (let s: usize = 0; s < n; s++) {
    let sum = f64x2.splat(0);
    for (let k: usize = 0; k < STATE; k += 16) {
      const x = v128.load(d + s * STATE + k);
      sum = f64x2.add(sum, f64x2.mul(x, f64x2.sub(v128.load(u + s * STATE + k), x)));
    }
    const total = w * (f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
    store<f64>(density + (s << 3), load<f64>(density + (s << 3)) + total);
  }
}

/** Adds `sum_k x_k (y_k - z_k)` at every state. */
export function addSquares(x: usize, y: usize, z: usize, density: usize, n: usize): void {
  for (let s: usize = 0; s < n; s++) {
    let sum = f64x2.splat(0);
    for (let at = s * STATE; at < (s + 1) * STATE; at += 16) {
      sum = f64x2.add(sum, f64x2.mul(v128.load(x + at), f64x2.sub(v128.load(y + at), v128.load(z + at))));
    }
    store<f64>(
      density + (s << 3),
      load<f64>(density + (s << 3)) + f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1),
    );
  }
}

/** Adds `sum_k x_k y_k` at every state. */
export function addProducts(x: usize, y: usize, density: usize, n: usize): void {
  for (let s: usize = 0; s < n; s++) {
    let sum = f64x2.splat(0);
    for (let k: usize = 0; k < STATE; k += 16) {
      sum = f64x2.add(sum, f64x2.mul(v128.load(x + s * STATE + k), v128.load(y + s * STATE + k)));
    }
    const at = density + (s << 3);
    store<f64>(at, load<f64>(at) + f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
  }
}

/** `x = -x`, of numbers. */
export function negate(x: usize, count: usize): void {
  for (let at = x; at < x + (count << 3); at += 16) v128.store(at, f64x2.neg(v128.load(at)));
}
