import { type DataLaw, type Edge, ising, type KernelName, type Model, type RandomSource, rbm, teacherLaw } from 'htdml';
import { complete } from '../../proofs/graphs.js';

/** A random model with data and a kernel. */
export interface EstimationCase {
  readonly name: string;
  readonly model: Model;
  readonly data: DataLaw;
  readonly kernel: KernelName;
}

/** Kind `k mod 5`: a glass of Sherrington and Kirkpatrick, a lattice of +-J, an RBM, a ferromagnet in a weak random field (metastable at times), and hidden spins on a complete graph; 6 to 9 spins. */
export function estimationCase(k: number, random: RandomSource): EstimationCase {
  const { name, model } = modelOf(k, random);
  const spins = model.visible.length;
  const teacher = ising({ spins, edges: [[0, 1]], couplings: [0.3], biases: normals(spins, 0.3, random) });
  return { name, model, data: teacherLaw(teacher), kernel: k % 2 === 0 ? 'random-scan' : 'random-block' };
}

function modelOf(k: number, random: RandomSource): { name: string; model: Model } {
  const spins = 6 + (k % 4);
  const edges = complete(spins);
  switch (k % 5) {
    case 0: {
      const scale = (0.5 + 2 * random.uniform()) / Math.sqrt(spins);
      const biases = k % 3 === 0 ? undefined : normals(spins, 0.3, random);
      return { name: 'glass', model: ising({ spins, edges, couplings: normals(edges.length, scale, random), biases }) };
    }
    case 1: {
      const near: Edge[] = edges.filter(([i, j]) => [1, 3, spins - 1].includes(Math.abs(j - i)));
      const scale = 0.2 + 1.3 * random.uniform();
      const couplings = near.map(() => (random.uniform() < 0.5 ? -scale : scale));
      return { name: 'lattice', model: ising({ spins, edges: near, couplings, biases: normals(spins, 0.2, random) }) };
    }
    case 2: {
      const weights = normals(20, (0.5 + 1.2 * random.uniform()) / 1.5, random);
      const [visibleBiases, hiddenBiases] = [normals(5, 0.2, random), normals(4, 0.2, random)];
      return { name: 'RBM 5 + 4', model: rbm({ visible: 5, hidden: 4, weights, visibleBiases, hiddenBiases }) };
    }
    case 3: {
      const coupling = (1 + 1.5 * random.uniform()) / spins;
      const biases = normals(spins, 0.05, random);
      return { name: 'ferromagnet', model: ising({ spins, edges, couplings: edges.map(() => coupling), biases }) };
    }
    default: {
      const [couplings, biases] = [normals(edges.length, 0.4, random), normals(spins, 0.3, random)];
      return { name: 'hidden spins', model: ising({ spins, edges, couplings, biases, visible: [0, 1, 2, 3] }) };
    }
  }
}

function normals(count: number, scale: number, random: RandomSource): number[] {
  return Array.from({ length: count }, () => scale * random.normal());
}
