// Centred observables as multivectors.
import { STATE } from './table';

/** Eight centred observables: each is `near` where its parity is that of the most probable state, and `far` elsewhere. */
export function fillObservables(out: usize, n: usize, descriptors: usize): void {
  for (let lane: usize = 0; lane < 8; lane++) {
    const d = descriptors + (lane << 5);
    const mask = load<u32>(d);
    const side = load<u32>(d, 4);
    const near = load<f64>(d, 8);
    const far = load<f64>(d, 16);
    for (let s: usize = 0; s < n; s++) {
      store<f64>(out + s * STATE + (lane << 3), (popcnt<u32>(mask & <u32>s) & 1) == side ? near : far);
    }
  }
}
