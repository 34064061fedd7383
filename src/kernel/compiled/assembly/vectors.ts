// Sums, products and updates of multivectors, eight functions at a time.
import { STATE } from './table';

/** `out_k = sum_s pi_s x_k(s) y_k(s)` for the eight functions. */
export function dots(x: usize, y: usize, pi: usize, n: usize, out: usize): void {
  let a0 = f64x2.splat(0);
  let a1 = f64x2.splat(0);
  let a2 = f64x2.splat(0);
  let a3 = f64x2.splat(0);
  for (let s: usize = 0; s < n; s++) {
    const p = f64x2.splat(load<f64>(pi + (s << 3)));
    const xs = x + s * STATE;
    const ys = y + s * STATE;
    a0 = f64x2.add(a0, f64x2.mul(p, f64x2.mul(v128.load(xs), v128.load(ys))));
    a1 = f64x2.add(a1, f64x2.mul(p, f64x2.mul(v128.load(xs, 16), v128.load(ys, 16))));
    a2 = f64x2.add(a2, f64x2.mul(p, f64x2.mul(v128.load(xs, 32), v128.load(ys, 32))));
    a3 = f64x2.add(a3, f64x2.mul(p, f64x2.mul(v128.load(xs, 48), v128.load(ys, 48))));
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
}

/** One step of conjugate gradients: `u += alpha p`, `r -= alpha q`, `out_k = <r_k, z_k>` with `z = r / diagonal`, and the means `E r_k`. */
export function step(
  u: usize,
  r: usize,
  p: usize,
  q: usize,
  alpha: usize,
  pi: usize,
  inverse: usize,
  n: usize,
  out: usize,
  means: usize,
): void {
  for (let k: usize = 0; k < STATE; k += 32) {
    const al = v128.load(alpha + k);
    const ah = v128.load(alpha + k, 16);
    let sl = f64x2.splat(0);
    let sh = f64x2.splat(0);
    let ml = f64x2.splat(0);
    let mh = f64x2.splat(0);
    for (let s: usize = 0; s < n; s++) {
      const at = s * STATE + k;
      const mass = load<f64>(pi + (s << 3));
      const probability = f64x2.splat(mass);
      const scale = f64x2.splat(mass * load<f64>(inverse + (s << 3)));
      v128.store(u + at, f64x2.add(v128.load(u + at), f64x2.mul(al, v128.load(p + at))));
      v128.store(u + at, f64x2.add(v128.load(u + at, 16), f64x2.mul(ah, v128.load(p + at, 16))), 16);
      const rl = f64x2.sub(v128.load(r + at), f64x2.mul(al, v128.load(q + at)));
      const rh = f64x2.sub(v128.load(r + at, 16), f64x2.mul(ah, v128.load(q + at, 16)));
      v128.store(r + at, rl);
      v128.store(r + at, rh, 16);
      sl = f64x2.add(sl, f64x2.mul(scale, f64x2.mul(rl, rl)));
      sh = f64x2.add(sh, f64x2.mul(scale, f64x2.mul(rh, rh)));
      ml = f64x2.add(ml, f64x2.mul(probability, rl));
      mh = f64x2.add(mh, f64x2.mul(probability, rh));
    }
    v128.store(means + k, ml);
    v128.store(means + k, mh, 16);
    v128.store(out + k, sl);
    v128.store(out + k, sh, 16);
  }
}

/**
 * `r -= E r`, `p = r / diagonal + beta p`. Rounding gives the residual a mean, which the generator does not see; left in, it would be all that is left of the
 * residual, and dividing by the curvature along it would send the solution anywhere.
 */
export function direction(p: usize, r: usize, beta: usize, means: usize, inverse: usize, n: usize): void {
  for (let k: usize = 0; k < STATE; k += 32) {
    const bl = v128.load(beta + k);
    const bh = v128.load(beta + k, 16);
    const ml = v128.load(means + k);
    const mh = v128.load(means + k, 16);
    for (let s: usize = 0; s < n; s++) {
      const d = f64x2.splat(load<f64>(inverse + (s << 3)));
      const ps = p + s * STATE + k;
      const rs = r + s * STATE + k;
      const rl = f64x2.sub(v128.load(rs), ml);
      const rh = f64x2.sub(v128.load(rs, 16), mh);
      v128.store(rs, rl);
      v128.store(rs, rh, 16);
      v128.store(ps, f64x2.add(f64x2.mul(d, rl), f64x2.mul(bl, v128.load(ps))));
      v128.store(ps, f64x2.add(f64x2.mul(d, rh), f64x2.mul(bh, v128.load(ps, 16))), 16);
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
