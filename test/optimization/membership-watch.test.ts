import {
  createRoute,
  type DesignRecord,
  type DesignState,
  design,
  designStart,
  ising,
  type KernelName,
  type Model,
  type Optimizer,
  parametrization,
  rbm,
  type TrainSettings,
  type TrainState,
  train,
  trainStart,
} from 'htdml';
import { kl, logRhatSlowCluster } from 'htdml/objectives';
import { describe, expect, test } from 'vitest';
import { type EventPolicy, MembershipWatch, type StepEvent } from '../../src/optimization/membership-watch.js';
import { membership } from '../../src/trainability/membership/mode-sets.js';
import { lineBetween, modeSetAt } from '../../src/trainability/paths/path.js';
import { exhaust, positiveLaw } from '../support/fitted.js';
import { complete, random } from '../support/models.js';

const THRESHOLDS = { epsilon: 1e-3, kappa: 2.5 };

interface Step {
  readonly from: Float64Array;
  readonly to: Float64Array;
  readonly events: readonly StepEvent[];
}

/** A watch that remembers the steps that it was shown. */
class RememberingWatch extends MembershipWatch {
  readonly steps: Step[] = [];
  private from = new Float64Array();

  override start(theta: Float64Array): void {
    this.from = Float64Array.from(theta);
    super.start(theta);
  }

  override move(theta: Float64Array): StepEvent[] {
    const { from } = this;
    const events = super.move(theta);
    this.steps.push({ from, to: Float64Array.from(theta), events });
    return events;
  }
}

function setting(seed: number, kernel: KernelName) {
  const { normal } = random(seed);
  const model = ising({
    spins: 4,
    edges: complete(4),
    couplings: Array.from({ length: 6 }, () => 0.4 * normal()),
    biases: Array.from({ length: 4 }, () => 0.2 * normal()),
  });
  const data = positiveLaw(4, seed + 50);
  const route = createRoute(model, data, { kernel });
  const watch = () => new RememberingWatch(route, model, kernel, 'window', THRESHOLDS);
  return { model, route, watch };
}

type Setting = ReturnType<typeof setting>;

const STEPS = 60;

function trained(
  { model, route }: Setting,
  watch: MembershipWatch,
  onEvent: EventPolicy,
  from = trainStart(model.theta),
  optimizer: Optimizer = 'adam',
) {
  const settings: TrainSettings = {
    steps: STEPS,
    optimizer,
    learningRate: 0.05,
    penalties: [{ objective: logRhatSlowCluster({ samples: 400 }), weight: 0.02 }],
    watch,
    onEvent,
  };
  const { yielded, result } = exhaust(train(route, kl, settings, from));
  return { yielded, final: result };
}

function designed({ model, route }: Setting, watch: MembershipWatch, onEvent: EventPolicy, from?: DesignState) {
  const objective = logRhatSlowCluster({ samples: 400, heldSignal: 0.1 });
  const settings = { budget: 0.05, restarts: 2, steps: 60, seed: 3, watch, onEvent };
  const start = from ?? designStart(route, objective, kl, settings, parametrization(model), model.theta);
  if (start === null) throw new Error('no start');
  const { yielded, result } = exhaust(design(route, objective, kl, settings, parametrization(model), start));
  return { yielded, final: result };
}

/** Every event of a step is where the set changes, and a fine scan sees no change that is not there. */
function checkStep({ model, route }: Setting, { from, to, events }: Step): void {
  const line = lineBetween(from, to);
  const name = (at: number) => membership(modeSetAt(route, line.at(at), 'window', THRESHOLDS));
  const places = events.map((event) => {
    if (event.type === 'unwatched') throw new Error(event.reason);
    return event.at;
  });
  for (const at of places) expect(name(Math.max(0, at - 1e-9))).not.toBe(name(Math.min(1, at + 1e-9)));
  const fine = 100;
  let before = name(0);
  for (let k = 1; k <= fine; k++) {
    const here = name(k / fine);
    const passed = places.filter((at) => at > (k - 1) / fine && at <= k / fine).length;
    if (here !== before) expect(passed).toBeGreaterThan(0);
    else expect(passed).not.toBe(1);
    before = here;
  }
  expect(to.length).toBe(model.theta.length);
}

const CASES: readonly (readonly [number, KernelName])[] = [
  [1, 'random-scan'],
  [2, 'random-block'],
];

describe.each(CASES)('training with the slow cluster, case %d under %s', (seed, kernel) => {
  const one = setting(seed, kernel);
  const watch = one.watch();
  const { yielded, final } = trained(one, watch, 'refreeze');
  const events = yielded.flatMap(({ record }) => record.events ?? []);

  test('records the events of every step, and no others', () => {
    expect(events.length).toBeGreaterThan(0);
    expect(watch.steps.length).toBe(STEPS);
    watch.steps.forEach((step, k) => {
      expect([...step.from]).toEqual(yielded[k].state.theta);
      expect([...step.to]).toEqual(k + 1 < STEPS ? yielded[k + 1].state.theta : final.theta);
      expect(yielded[k].record.events ?? []).toEqual(step.events);
      checkStep(one, step);
    });
  });

  test('watching changes nothing but the records', () => {
    const { yielded: plain, final: end } = trained(one, { start() {}, move: () => [] } as never, 'refreeze');
    expect(end).toEqual(final);
    expect(plain.map(({ record }) => record)).toEqual(yielded.map(({ record: { events: _, ...rest } }) => rest));
  });

  test('goes on from any state, through JSON, with the same records', () => {
    for (const k of [0, 7, 31, STEPS - 1]) {
      const state = JSON.parse(JSON.stringify(yielded[k].state)) as TrainState;
      const rest = trained(one, one.watch(), 'refreeze', state);
      expect(rest.yielded.map(({ record }) => record)).toEqual(yielded.slice(k).map(({ record }) => record));
      expect(rest.final).toEqual(final);
    }
  });

  test('stops before the first event', () => {
    const first = yielded.findIndex(({ record }) => record.events !== undefined);
    const { yielded: short, final: end } = trained(one, one.watch(), 'stop');
    expect(short.map(({ record }) => record)).toEqual(yielded.slice(0, first + 1).map(({ record }) => record));
    expect(end).toEqual({
      ...yielded[first].state,
      stopped: expect.stringContaining('the set of modes changes'),
      settled: true,
    });
  });
});

describe.each(CASES)('L-BFGS with the slow cluster, case %d under %s', (seed, kernel) => {
  const one = setting(seed, kernel);
  const watch = one.watch();
  const start = trainStart(one.model.theta);
  const { yielded, final } = trained(one, watch, 'refreeze', start, 'lbfgs');
  const records = yielded.map(({ record }) => record);
  const first = records.findIndex((record) => record.events !== undefined);

  test('sees the events of every step that is taken, and drops what it knew of the curvature', () => {
    expect(first).toBeGreaterThan(-1);
    for (const step of watch.steps) checkStep(one, step);
    expect(records.flatMap(({ events = [] }) => events)).toEqual(watch.steps.flatMap(({ events }) => events));
    expect(final).toMatchObject({
      settled: true,
      stopped: expect.stringMatching(/^the loss falls by less than 1e-8 a step/),
    });
    records.slice(0, -1).forEach(({ events, loss }, k) => {
      const { pairs } = yielded[k + 1].state;
      expect(pairs.length).toBe(events === undefined ? Math.min(12, yielded[k].state.pairs.length + 1) : 0);
      // The value that jumps at an event is the one that the search compares.
      expect(records[k + 1].loss).toBeLessThan(loss);
    });
  });

  test('goes on from any state, through JSON, and stops before the first event', () => {
    for (const k of [0, first, records.length - 1]) {
      const state = JSON.parse(JSON.stringify(yielded[k].state)) as TrainState;
      const rest = trained(one, one.watch(), 'refreeze', state, 'lbfgs');
      expect(rest.yielded.map(({ record }) => record)).toEqual(records.slice(k));
      expect(rest.final).toEqual(final);
    }
    const { yielded: short, final: end } = trained(one, one.watch(), 'stop', start, 'lbfgs');
    expect(short.map(({ record }) => record)).toEqual(records.slice(0, first + 1));
    const stopped = expect.stringContaining('the set of modes changes');
    expect(end).toEqual({ ...yielded[first].state, stopped, settled: true });
  });
});

describe.each(CASES)('design for the slow cluster, case %d under %s', (seed, kernel) => {
  const one = setting(seed, kernel);
  const watch = one.watch();
  const { yielded, final } = designed(one, watch, 'refreeze');
  const records = yielded.map(({ record }) => record);

  test('records the events of every step that is taken, and no others', () => {
    const seen = records.flatMap((record) => record.events ?? []);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen).toEqual(watch.steps.flatMap(({ events }) => events));
    for (const step of watch.steps) checkStep(one, step);
    // The step that drew the solution back onto the constraint is among them.
    expect(watch.steps.map(({ to }) => [...to])).toContainEqual(final.best?.theta);
  });

  test('goes on from any state, through JSON, with the same records', () => {
    const places = yielded.flatMap(({ state }, k) => (k === 0 || state !== yielded[k - 1].state ? [k] : []));
    expect(places.length).toBeGreaterThan(1);
    for (const k of places) {
      const rest = designed(one, one.watch(), 'refreeze', JSON.parse(JSON.stringify(yielded[k].state)) as DesignState);
      expect(rest.yielded.map(({ record }) => record)).toEqual(records.slice(k));
      expect(rest.final).toEqual(final);
    }
  });

  test('stops before the first event, with the best point before it', () => {
    const { yielded: short, final: end } = designed(one, one.watch(), 'stop');
    const has = ({ events }: DesignRecord) => events !== undefined;
    const stopping = short.map(({ record }) => record);
    expect(stopping.slice(0, -1).some(has)).toBe(false);
    expect(has(stopping[stopping.length - 1])).toBe(true);
    // The event may be on a trial step that would not have been taken, so it comes no later.
    expect(stopping.length).toBeLessThanOrEqual(1 + records.findIndex(has));
    expect(end.stopped).toBe(`the set of modes changes at evaluation ${stopping.length}`);
    const values = stopping.flatMap(({ objective, kl: divergence }) =>
      objective !== null && (divergence ?? 1) <= end.start.kl + 0.05 ? [objective] : [],
    );
    expect(end.best?.objective).toBe(Math.max(...values));
  });
});

describe('a watch', () => {
  const { model, route } = setting(1, 'random-scan');
  const watch = (one: Model = model) => new MembershipWatch(route, one, 'random-scan', 'window', THRESHOLDS);

  test('sees nothing before it has begun, nor on a step of length zero', () => {
    expect(watch().eventsTo(model.theta)).toEqual([]);
    const begun = watch();
    begun.start(model.theta);
    expect(begun.eventsTo(Float64Array.from(model.theta))).toEqual([]);
  });

  test('eventsTo stays where it is, move goes on', () => {
    const begun = watch();
    const far = model.theta.map((value) => value + 0.7);
    begun.start(model.theta);
    const first = begun.eventsTo(far);
    expect(first.length).toBeGreaterThan(0);
    expect(begun.eventsTo(far)).toEqual(first);
    expect(begun.move(far)).toEqual(first);
    expect(begun.eventsTo(far)).toEqual([]);
    const back = begun.move(model.theta);
    expect(back.length).toBe(first.length);
  });

  test('says where it could not watch, because the chain is too slow for modes', () => {
    const begun = watch();
    begun.start(model.theta);
    const cold = model.theta.map(() => 30);
    expect(begun.move(cold)).toMatchObject([{ type: 'unwatched', reason: expect.stringMatching(/./) }]);
  });

  test('refuses a model that has no modes on its route', () => {
    const machine = rbm({ visible: 2, hidden: 2, weights: [0.1, 0.2, 0.3, 0.4] });
    const factored = createRoute(machine, positiveLaw(2, 1), { kernel: 'alternating-block' });
    const begun = new MembershipWatch(factored, machine, 'alternating-block', 'window', THRESHOLDS);
    begun.start(machine.theta);
    expect(() => begun.move(machine.theta.map((value) => value + 1))).toThrow(/not reversible/);
  });
});
