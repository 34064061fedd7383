import { type PackedSamples, readSample } from '../samples/packed-samples.js';
import type { CrossFit } from './cross-fit.js';
import { dissipations, transposed } from './derivatives.js';
import type { LocalView } from './local.js';
import type { Probes } from './probes.js';

/** Samples of each half that are looked at, about: a few that carry everything are seen among these too. */
const LOOKED_AT = 4000;

/**
 * How many samples carry the Dirichlet form of the trial solutions, `(sum d)^2 / sum d^2` with `d = sum_z <psi_z, (I - P) psi_z>` at each sample of the half that is valued, of the half that has fewer. A slow mode
 * moves on a barrier only: where few samples stand there, the bound and its error rest on those few, and where none does the barrier is not seen at all.
 */
export function carryingSamples(
  view: LocalView,
  probes: Probes,
  groups: readonly (readonly PackedSamples[])[],
  { folds }: CrossFit,
): number {
  const change = new Float64Array(probes.count);
  const out = new Float64Array(1);
  return Math.min(
    ...folds.map(({ trial, valuedOn }) => {
      const given = [{ byFeature: transposed(trial.alpha, probes.count, trial.size), size: trial.size }];
      const chains = valuedOn.flatMap((m) => groups[m]);
      const total = chains.reduce((sum, { count }) => sum + count, 0);
      const stride = Math.max(1, Math.floor(total / LOOKED_AT));
      let [sum, squares, seen] = [0, 0, 0];
      for (const chain of chains) {
        const x = new Int8Array(chain.spins);
        for (let s = 0; s < chain.count; s++) {
          if (seen++ % stride > 0) continue;
          readSample(chain, s, x);
          view.load(x);
          dissipations(view, given, change, out);
          sum += out[0];
          squares += out[0] ** 2;
        }
      }
      return squares > 0 ? (stride * sum ** 2) / squares : total;
    }),
  );
}
