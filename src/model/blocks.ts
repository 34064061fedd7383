type Pair = readonly [number, number];

/**
 * Blocks of spins without inside edges (section 2): a bipartite graph is 2-coloured by breadth-first search with the lowest
 * index of each component in colour 0; any other graph is coloured greedily in index order.
 */
export function bipartiteOrGreedyBlocks(spins: number, edges: readonly Pair[]): number[][] {
  const neighbours: number[][] = Array.from({ length: spins }, () => []);
  for (const [i, j] of edges) {
    neighbours[i].push(j);
    neighbours[j].push(i);
  }
  const colours = twoColours(neighbours) ?? greedyColours(neighbours);
  const blocks: number[][] = Array.from({ length: colours.reduce((most, c) => Math.max(most, c), 0) + 1 }, () => []);
  colours.forEach((colour, i) => {
    blocks[colour].push(i);
  });
  return blocks;
}

function twoColours(neighbours: readonly number[][]): number[] | null {
  const colour = neighbours.map(() => -1);
  for (let root = 0; root < colour.length; root++) {
    if (colour[root] >= 0) continue;
    colour[root] = 0;
    const queue = [root];
    for (let head = 0; head < queue.length; head++) {
      const i = queue[head];
      for (const j of neighbours[i]) {
        if (colour[j] === colour[i]) return null;
        if (colour[j] < 0) {
          colour[j] = 1 - colour[i];
          queue.push(j);
        }
      }
    }
  }
  return colour;
}

function greedyColours(neighbours: readonly number[][]): number[] {
  const colour = neighbours.map(() => -1);
  for (let i = 0; i < colour.length; i++) {
    const taken = new Set(neighbours[i].map((j) => colour[j]));
    let c = 0;
    while (taken.has(c)) c++;
    colour[i] = c;
  }
  return colour;
}
