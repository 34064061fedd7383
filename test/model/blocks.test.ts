import { type Edge, ising, type Model, rbm } from 'htdml';
import { describe, expect, test } from 'vitest';
import { type KernelName, schedule } from '../../src/kernel/kernels.js';
import { bipartiteOrGreedyBlocks } from '../../src/model/blocks.js';
import { complete, random, ring } from '../support/models.js';

const inside = (blocks: readonly (readonly number[])[], edges: readonly Edge[]) =>
  edges.filter(([i, j]) => blocks.some((block) => block.includes(i) && block.includes(j)));

describe('bipartite graphs', () => {
  test('two colours by breadth-first search, the lowest index of each component colour 0', () => {
    expect(bipartiteOrGreedyBlocks(6, ring(6))).toEqual([
      [0, 2, 4],
      [1, 3, 5],
    ]);
    // Two components: spins 0, 3, 2 and spins 1, 4.
    const edges: Edge[] = [
      [0, 3],
      [3, 2],
      [1, 4],
    ];
    expect(bipartiteOrGreedyBlocks(5, edges)).toEqual([
      [0, 1, 2],
      [3, 4],
    ]);
  });

  test('a path whose middle has the highest index still takes two colours, where greedy colouring takes three', () => {
    // Greedy in index order: 0 -> 0, 1 -> 0, 2 -> 1 (next to 0), 3 is next to 1 and 2 -> 2.
    const edges: Edge[] = [
      [0, 2],
      [2, 3],
      [3, 1],
    ];
    expect(bipartiteOrGreedyBlocks(4, edges)).toEqual([
      [0, 3],
      [1, 2],
    ]);
  });

  test('without edges there is one block', () => {
    expect(bipartiteOrGreedyBlocks(3, [])).toEqual([[0, 1, 2]]);
  });
});

describe('other graphs', () => {
  test('an odd ring is coloured greedily in index order', () => {
    expect(bipartiteOrGreedyBlocks(5, ring(5))).toEqual([[0, 2], [1, 3], [4]]);
  });

  test('a complete graph takes a block per spin', () => {
    expect(bipartiteOrGreedyBlocks(4, complete(4))).toEqual([[0], [1], [2], [3]]);
  });

  test('random graphs: a partition without inside edges, each spin in the first block it fits or two blocks', () => {
    const { uniform, integer } = random(17);
    for (let trial = 0; trial < 200; trial++) {
      const spins = 1 + integer(8);
      const edges = complete(spins).filter(() => uniform() < 0.4);
      const blocks = bipartiteOrGreedyBlocks(spins, edges);
      expect(blocks.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: spins }, (_, i) => i));
      expect(inside(blocks, edges)).toEqual([]);
      expect(blocks.every((block) => block.length > 0)).toBe(true);
      if (blocks.length <= 2) continue;
      blocks.forEach((block, c) => {
        for (const i of block) {
          for (const earlier of blocks.slice(0, c)) {
            expect(edges.some(([a, b]) => (a === i && earlier.includes(b)) || (b === i && earlier.includes(a)))).toBe(
              true,
            );
          }
        }
      });
    }
  });
});

/** The blocks that a kernel resamples, in its order. */
function blocksOf(model: Model, kernel: KernelName) {
  const plan = schedule(model, kernel);
  return plan.kind === 'metropolis' ? null : plan.blocks;
}

describe('what the kernels resample', () => {
  const custom = ising({ spins: 3, edges: ring(3), couplings: [1, 1, 1], blocks: [[2, 0], [1]] });
  test('random-scan: each spin; random-block: the blocks of the model, given or derived', () => {
    expect(blocksOf(custom, 'random-scan')).toEqual([[0], [1], [2]]);
    expect(blocksOf(custom, 'random-block')).toEqual([[2, 0], [1]]);
    const derived = ising({ spins: 3, edges: ring(3), couplings: [1, 1, 1] });
    expect(blocksOf(derived, 'random-block')).toEqual([[0], [1], [2]]);
    expect(blocksOf(derived, 'alternating-block')).toEqual([[0], [1], [2]]);
    expect(blocksOf(derived, 'palindrome-block')).toEqual([[0], [1], [2], [1], [0]]);
    expect(blocksOf(custom, 'palindrome-block')).toEqual([[2, 0], [1], [2, 0]]);
    expect(blocksOf(custom, 'palindrome')).toEqual([[0], [1], [2], [1], [0]]);
    expect(custom.customBlocks).toBe(true);
    expect(derived.customBlocks).toBe(false);
  });

  test('the layers of an RBM, visible first', () => {
    const machine = rbm({ visible: 2, hidden: 3, weights: [0, 0, 0, 0, 0, 0] });
    expect(blocksOf(machine, 'random-block')).toEqual([
      [0, 1],
      [2, 3, 4],
    ]);
  });
});
