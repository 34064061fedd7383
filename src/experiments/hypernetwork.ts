import type { RandomSource } from '../estimation/random.js';

/**
 * A network that emits a model's couplings from a latent vector `z`: `J = W2 tanh(W1 z + b1) + b2`. Its weights are one list, `W1` row-major, `b1`, `W2` row-major, `b2`, so that a
 * gradient is one too.
 */
export interface Hypernetwork {
  /** Number of weights. */
  readonly size: number;
  /** The couplings, and how a cotangent of them becomes one of the weights. */
  emit(weights: Float64Array, z: Float64Array): { couplings: Float64Array; pullback(bar: Float64Array): Float64Array };
}

export function hypernetwork(latent: number, width: number, couplings: number): Hypernetwork {
  const [b1, w2, b2] = [width * latent, width * (latent + 1), width * (latent + 1) + couplings * width];
  const size = b2 + couplings;
  return {
    size,
    emit(weights, z) {
      const hidden = Float64Array.from({ length: width }, (_, k) => {
        let sum = weights[b1 + k];
        for (let i = 0; i < latent; i++) sum += weights[k * latent + i] * z[i];
        return Math.tanh(sum);
      });
      const out = Float64Array.from({ length: couplings }, (_, a) => {
        let sum = weights[b2 + a];
        for (let k = 0; k < width; k++) sum += weights[w2 + a * width + k] * hidden[k];
        return sum;
      });
      return {
        couplings: out,
        pullback(bar) {
          const weightsBar = new Float64Array(size);
          const hiddenBar = new Float64Array(width);
          bar.forEach((value, a) => {
            weightsBar[b2 + a] = value;
            for (let k = 0; k < width; k++) {
              weightsBar[w2 + a * width + k] = value * hidden[k];
              hiddenBar[k] += value * weights[w2 + a * width + k];
            }
          });
          hiddenBar.forEach((value, k) => {
            const inner = value * (1 - hidden[k] ** 2);
            weightsBar[b1 + k] = inner;
            for (let i = 0; i < latent; i++) weightsBar[k * latent + i] = inner * z[i];
          });
          return weightsBar;
        },
      };
    },
  };
}

/** Normal weights: variance `1 / latent` into the hidden layer, `scale^2 / width` out of it, and no offsets. */
export function randomWeights(latent: number, width: number, couplings: number, scale: number, random: RandomSource) {
  const weights = new Float64Array(hypernetwork(latent, width, couplings).size);
  for (let k = 0; k < width * latent; k++) weights[k] = random.normal() / Math.sqrt(latent);
  const out = width * (latent + 1);
  for (let k = out; k < out + couplings * width; k++) weights[k] = (scale * random.normal()) / Math.sqrt(width);
  return weights;
}
