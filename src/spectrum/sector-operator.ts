import { loops } from '../kernel/compiled/loops.js';
import { compiledPairs } from '../kernel/compiled/pair-network.js';
import { programOf } from '../kernel/compiled/table.js';
import { createKernel, type KernelName } from '../kernel/kernels.js';
import { type PairOperator, plainPairs } from '../kernel/pair-space.js';
import type { Boltzmann } from '../model/boltzmann.js';
import type { Model } from '../model/model.js';

/** A reversible kernel on a symmetry sector for an eigensolver: compiled where its kernel has a program. `sector` -1 needs a folded space. */
export function sectorOperator(law: Boltzmann, model: Model, kernel: KernelName, sector: 1 | -1 = 1): PairOperator {
  const program = programOf(law, model, kernel);
  const compiled = program && loops();
  if (compiled) return compiledPairs(compiled, law, program, sector);
  // Gibbs kernels are averages and products of projections; the acceptance of metropolis can send modes to -1.
  return plainPairs(createKernel(law, model, kernel, sector), sector === 1, kernel === 'metropolis' ? 2 : 1);
}
