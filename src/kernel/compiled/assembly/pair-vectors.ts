// Inner products and combinations of panels: two functions side by side in 16 bytes of a state. Inner products are those of L2(pi).
const WIDTH: usize = 16;

@inline function swap(x: v128): v128 {
  return i64x2.shuffle(x, x, 1, 0);
}

/** One step of Chebyshev's recurrence: `before = a (image / pi - c x) + b before`. */
export function chebyshevStep(before: usize, x: usize, image: usize, inverse: usize, n: usize, a: f64, c: f64, b: f64): void {
  const aa = f64x2.splat(a);
  const cc = f64x2.splat(c);
  const bb = f64x2.splat(b);
  for (let s: usize = 0; s < n; s++) {
    const at = s * WIDTH;
    const d = f64x2.sub(f64x2.mul(v128.load64_splat(inverse + (s << 3)), v128.load(image + at)), f64x2.mul(cc, v128.load(x + at)));
    v128.store(before + at, f64x2.add(f64x2.mul(aa, d), f64x2.mul(bb, v128.load(before + at))));
  }
}

/** `x -= E x`, for both. */
export function centrePair(x: usize, pi: usize, n: usize): void {
  let sum = f64x2.splat(0);
  for (let s: usize = 0; s < n; s++) {
    sum = f64x2.add(sum, f64x2.mul(v128.load64_splat(pi + (s << 3)), v128.load(x + s * WIDTH)));
  }
  for (let s: usize = 0; s < n; s++) v128.store(x + s * WIDTH, f64x2.sub(v128.load(x + s * WIDTH), sum));
}

/** Per panel of `count` from `v` on, 32 bytes: `<v0, w0>`, `<v0, w1>`, `<v1, w0>`, `<v1, w1>`; without weights where `pi` is 0. */
export function gramPairs(v: usize, count: usize, w: usize, pi: usize, n: usize, out: usize): void {
  const bytes = n * WIDTH;
  let k: usize = 0;
  for (; k + 3 < count; k += 4) gramFour(v + k * bytes, bytes, w, pi, n, out + (k << 5));
  for (; k < count; k++) gramOne(v + k * bytes, w, pi, n, out + (k << 5));
}

@inline function weighted(w: usize, pi: usize, s: usize): v128 {
  const value = v128.load(w + s * WIDTH);
  return pi == 0 ? value : f64x2.mul(v128.load64_splat(pi + (s << 3)), value);
}

@inline function putGram(out: usize, straight: v128, crossed: v128): void {
  store<f64>(out, f64x2.extract_lane(straight, 0));
  store<f64>(out, f64x2.extract_lane(crossed, 0), 8);
  store<f64>(out, f64x2.extract_lane(crossed, 1), 16);
  store<f64>(out, f64x2.extract_lane(straight, 1), 24);
}

function gramOne(v: usize, w: usize, pi: usize, n: usize, out: usize): void {
  let straight = f64x2.splat(0);
  let crossed = f64x2.splat(0);
  for (let s: usize = 0; s < n; s++) {
    const y = weighted(w, pi, s);
    const x = v128.load(v + s * WIDTH);
    straight = f64x2.add(straight, f64x2.mul(x, y));
    crossed = f64x2.add(crossed, f64x2.mul(x, swap(y)));
  }
  putGram(out, straight, crossed);
}

function gramFour(v: usize, bytes: usize, w: usize, pi: usize, n: usize, out: usize): void {
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  let s2 = f64x2.splat(0);
  let s3 = f64x2.splat(0);
  let c0 = f64x2.splat(0);
  let c1 = f64x2.splat(0);
  let c2 = f64x2.splat(0);
  let c3 = f64x2.splat(0);
  const v1 = v + bytes;
  const v2 = v1 + bytes;
  const v3 = v2 + bytes;
  for (let s: usize = 0; s < n; s++) {
    const at = s * WIDTH;
    const y = weighted(w, pi, s);
    const z = swap(y);
    const x0 = v128.load(v + at);
    const x1 = v128.load(v1 + at);
    const x2 = v128.load(v2 + at);
    const x3 = v128.load(v3 + at);
    s0 = f64x2.add(s0, f64x2.mul(x0, y));
    c0 = f64x2.add(c0, f64x2.mul(x0, z));
    s1 = f64x2.add(s1, f64x2.mul(x1, y));
    c1 = f64x2.add(c1, f64x2.mul(x1, z));
    s2 = f64x2.add(s2, f64x2.mul(x2, y));
    c2 = f64x2.add(c2, f64x2.mul(x2, z));
    s3 = f64x2.add(s3, f64x2.mul(x3, y));
    c3 = f64x2.add(c3, f64x2.mul(x3, z));
  }
  putGram(out, s0, c0);
  putGram(out + 32, s1, c1);
  putGram(out + 64, s2, c2);
  putGram(out + 96, s3, c3);
}

/** `w += sum_k v_k m_k` over `count` panels from `v` on; a matrix is 32 bytes as {@link gramPairs} writes them. */
export function addPairs(v: usize, count: usize, m: usize, w: usize, n: usize): void {
  const bytes = n * WIDTH;
  let k: usize = 0;
  for (; k + 3 < count; k += 4) addFour(v + k * bytes, bytes, m + (k << 5), w, n);
  for (; k < count; k++) addOne(v + k * bytes, m + (k << 5), w, n);
}

/** `m00, m11`: what a panel is multiplied by as it stands. */
@inline function straightOf(m: usize): v128 {
  return v128.load64_lane(m + 24, v128.load64_splat(m), 1);
}
/** `m10, m01`: what it is multiplied by swapped. */
@inline function crossedOf(m: usize): v128 {
  return v128.load64_lane(m + 8, v128.load64_splat(m + 16), 1);
}

function addOne(v: usize, m: usize, w: usize, n: usize): void {
  const straight = straightOf(m);
  const crossed = crossedOf(m);
  for (let at: usize = 0; at < n * WIDTH; at += WIDTH) {
    const x = v128.load(v + at);
    v128.store(
      w + at,
      f64x2.add(v128.load(w + at), f64x2.add(f64x2.mul(x, straight), f64x2.mul(swap(x), crossed))),
    );
  }
}

function addFour(v: usize, bytes: usize, m: usize, w: usize, n: usize): void {
  const a0 = straightOf(m);
  const a1 = straightOf(m + 32);
  const a2 = straightOf(m + 64);
  const a3 = straightOf(m + 96);
  const b0 = crossedOf(m);
  const b1 = crossedOf(m + 32);
  const b2 = crossedOf(m + 64);
  const b3 = crossedOf(m + 96);
  const v1 = v + bytes;
  const v2 = v1 + bytes;
  const v3 = v2 + bytes;
  for (let at: usize = 0; at < n * WIDTH; at += WIDTH) {
    const x0 = v128.load(v + at);
    const x1 = v128.load(v1 + at);
    const x2 = v128.load(v2 + at);
    const x3 = v128.load(v3 + at);
    const straight = f64x2.add(
      f64x2.add(f64x2.mul(x0, a0), f64x2.mul(x1, a1)),
      f64x2.add(f64x2.mul(x2, a2), f64x2.mul(x3, a3)),
    );
    const crossed = f64x2.add(
      f64x2.add(f64x2.mul(swap(x0), b0), f64x2.mul(swap(x1), b1)),
      f64x2.add(f64x2.mul(swap(x2), b2), f64x2.mul(swap(x3), b3)),
    );
    v128.store(w + at, f64x2.add(v128.load(w + at), f64x2.add(straight, crossed)));
  }
}

/** `to = from`. */
export function copyPair(from: usize, to: usize, n: usize): void {
  memory.copy(to, from, n * WIDTH);
}

/** `x = 0`. */
export function clearPair(x: usize, n: usize): void {
  memory.fill(x, 0, n * WIDTH);
}
