// Four states that two flips connect, for two functions side by side: what every loop over pairs of flips is made of.

/** `y += sum of c (x_s - x_t)` over the square's sides; the states are `p` bytes apart. `fresh`: y is written, not added to. */
@inline export function square(x: usize, y: usize, p: usize, ab: v128, cd: v128, ac: v128, bd: v128, fresh: bool): void {
  const xa = v128.load(x);
  const xb = v128.load(x + p);
  const xc = v128.load(x + 2 * p);
  const xd = v128.load(x + 3 * p);
  const dab = f64x2.mul(ab, f64x2.sub(xa, xb));
  const dcd = f64x2.mul(cd, f64x2.sub(xc, xd));
  const dac = f64x2.mul(ac, f64x2.sub(xa, xc));
  const dbd = f64x2.mul(bd, f64x2.sub(xb, xd));
  const a = f64x2.add(dab, dac);
  const b = f64x2.sub(dbd, dab);
  const c = f64x2.sub(dcd, dac);
  const d = f64x2.add(dcd, dbd);
  if (fresh) {
    v128.store(y, a);
    v128.store(y + p, b);
    v128.store(y + 2 * p, c);
    v128.store(y + 3 * p, f64x2.neg(d));
  } else {
    v128.store(y, f64x2.add(v128.load(y), a));
    v128.store(y + p, f64x2.add(v128.load(y + p), b));
    v128.store(y + 2 * p, f64x2.add(v128.load(y + 2 * p), c));
    v128.store(y + 3 * p, f64x2.sub(v128.load(y + 3 * p), d));
  }
}
