import { createRoute, ising, KERNEL_NAMES, rbm } from 'htdml';
import { expect, test } from 'vitest';
import { KERNELS } from '../../../src/kernel/kernels.js';
import { randomData } from '../../support/models.js';

const machine = rbm({ visible: 2, hidden: 1, weights: [0.3, -0.2] });
const graph = ising({ spins: 2, edges: [[0, 1]], couplings: [0.5] });
const data = randomData(2, 3);

test.each(KERNEL_NAMES)('%s: an RBM goes the factored way where there is one, a graph never does', (kernel) => {
  const { factored } = KERNELS[kernel];
  expect(createRoute(machine, data, { kernel }).name).toBe(factored ? 'factored' : 'table');
  expect(createRoute(machine, data, { kernel, route: 'table' }).name).toBe('table');
  expect(createRoute(graph, data, { kernel }).name).toBe('table');
  expect(() => createRoute(graph, data, { kernel, route: 'factored' })).toThrow(/^The factored route for this graph /);
});

test.each(KERNEL_NAMES.filter((kernel) => !KERNELS[kernel].factored))(
  '%s: the factored route is refused with the kernels that have one',
  (kernel) => {
    expect(() => createRoute(machine, data, { kernel, route: 'factored' })).toThrow(
      `The factored route for ${kernel} is not available: it is for an RBM under random-block, palindrome-block, or alternating-block; use the table route, or one of them.`,
    );
  },
);
