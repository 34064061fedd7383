import type { Objective } from 'htdml';

/** `sum |J|` over the couplings. It has a kink at every zero, where its derivative counts as 0, so nothing becomes exactly zero by it. */
export const l1: Objective = norm('l1');

/** `sum J^2 / 2` over the couplings; its weight is the weight decay of Hinton 2010, section 10. */
export const l2: Objective = norm('l2');

function norm(name: 'l1' | 'l2'): Objective {
  return {
    name,
    goal: 'lower',
    quantities: [name],
    evaluate: ({ [name]: value }) =>
      value === undefined || !Number.isFinite(value) ? null : { value, bar: { [name]: 1 } },
  };
}
