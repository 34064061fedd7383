import { InputError, show } from '../../errors.js';
import { type KernelName, requireReversible } from '../../kernel/kernels.js';
import type { DataLaw } from '../../model/data-law.js';
import type { Model } from '../../model/model.js';
import { eventsOf, type MembershipEvent, setTimescale } from '../membership/membership-events.js';
import { levelsInside, type MembershipRule, type ModeSet, type ModeThresholds } from '../membership/mode-sets.js';
import { scanPath } from '../membership/path-scan.js';
import { checkOptions } from '../options.js';
import { resolvedSignal } from '../routes/resolved.js';
import { TableRoute } from '../routes/table-route.js';
import { type Crossing, findCrossings, type ModesAt } from './crossings.js';
import { certifiedLine, lineBetween, modeSetAt, ratesAlong } from './path.js';

/** What {@link scanModels} is asked. */
export interface PathOptions {
  /** The chain whose modes are followed; reversible. */
  readonly kernel: KernelName;
  /** How the set of modes is chosen. */
  readonly rule: MembershipRule;
  /** Share of the weight from which a group of modes is relevant, between 0 and 1. */
  readonly epsilon: number;
  /** Width of the slow cluster in gaps of the slowest relevant group, at least 1. */
  readonly kappa: number;
  /** Intervals between the samples that are reported; events do not depend on it. */
  readonly steps: number;
  /** `K` in kernel steps. */
  readonly window: number;
}

/**
 * Intervals shorter than this are not certified but looked at from their ends. Under `relevance` the certificate reaches only as far as the next weight near `epsilon` or the next
 * level nearby, and most of a path would be cut to the last.
 */
const RESOLUTION: Readonly<Record<MembershipRule, number>> = { window: 1e-6, relevance: 1e-3 };

/** The set of modes at one point of the path. */
export interface PathSample {
  /** The path parameter. */
  readonly at: number;
  /** `log R_hat` of the set (3.2); null where it has no finite value. */
  readonly logRhat: number | null;
  /** The groups in the set. */
  readonly groups: readonly {
    /** `s`. */
    readonly eigenvalue: number;
    /** Dimension of its eigenspace. */
    readonly multiplicity: number;
    /** `mu` (2.6). */
    readonly weight: number;
  }[];
}

/** What a path between two models meets. The path parameter runs from 0 at the first to 1 at the second. */
export interface PathReport extends PathOptions {
  /** Version of this layout. */
  readonly schemaVersion: 1;
  /** At `steps + 1` equidistant points from 0 to 1. */
  readonly samples: readonly PathSample[];
  /** Crossings of levels of which at least one is in the set, in the order of the path. */
  readonly crossings: readonly Crossing[];
  /** Changes of the set, in the order of the path; complete but for what `uncertified` leaves open. */
  readonly events: readonly MembershipEvent[];
  /**
   * Intervals in which a set that changes and changes back could have been missed; most touch an event, whose own place they bracket. Everywhere else the list of
   * events provably is complete.
   */
  readonly uncertified: readonly (readonly [number, number])[];
  /** Spectra that were computed for events and crossings. */
  readonly evaluations: number;
}

/**
 * Scans the straight line in theta between two models of the same structure: samples of `log R_hat` and the set of modes, crossings of levels in the set, and every change of the set
 * (section 4). Throws {@link InputError} for models that do not match, and what {@link modeSetAt} throws where modes are not known.
 */
export function scanModels(from: Model, to: Model, data: DataLaw, options: PathOptions): PathReport {
  checkOptions(options, ['epsilon', 'kappa', 'steps', 'window']);
  checkSameStructure(from, to);
  const { kernel, rule, window } = options;
  requireReversible(kernel, 'The path scan');
  const thresholds: ModeThresholds = { epsilon: options.epsilon, kappa: options.kappa };
  const route = new TableRoute(from, data, kernel, thresholds);
  const line = lineBetween(from.theta, to.theta);
  const rates = ratesAlong(from, kernel, line.step);
  const scan = scanPath(certifiedLine(route, line, rates, rule, thresholds), { resolution: RESOLUTION[rule] });

  const samples = Array.from({ length: options.steps + 1 }, (_, k) => {
    const at = k / options.steps;
    const theta = line.at(at);
    const set = modeSetAt(route, theta, rule, thresholds);
    return { at, logRhat: logRhatOf(route, theta, set, window), groups: listed(set) };
  });
  let evaluations = scan.points.length;
  const look = (at: number): ModesAt => {
    evaluations++;
    const theta = line.at(at);
    const inside = new Set(levelsInside(modeSetAt(route, theta, rule, thresholds)));
    const count = 1 + Math.max(-1, ...inside);
    return { at, law: route.at(theta).law, modes: route.modes(theta), isInside: (j) => inside.has(j), count };
  };
  const grid = samples.map(({ at }) => look(at));
  return {
    schemaVersion: 1,
    ...options,
    samples,
    crossings: findCrossings(grid, look),
    events: scan.changes.flatMap((change) => eventsOf(change, rates)),
    uncertified: scan.uncertified,
    evaluations,
  };
}

function logRhatOf(route: TableRoute, theta: Float64Array, set: ModeSet, window: number): number | null {
  const { signal = 0 } = route.evaluate(theta, ['signal']).value;
  const value = Math.log(((window / 2) * resolvedSignal(signal, theta.length)) / setTimescale(set));
  return Number.isFinite(value) ? value : null;
}

function listed({ groups, inside }: ModeSet): PathSample['groups'] {
  return inside.map((k) => ({
    eigenvalue: 1 - groups[k].gap,
    multiplicity: groups[k].multiplicity,
    weight: groups[k].weight,
  }));
}

function checkSameStructure(from: Model, to: Model): void {
  const structure = ({ kind, spins, beta, biased, edges, visible, blocks }: Model) => ({
    kind,
    spins,
    beta,
    biased,
    edges,
    visible,
    blocks,
  });
  const [a, b] = [structure(from), structure(to)];
  for (const key of Object.keys(a) as (keyof typeof a)[]) {
    if (JSON.stringify(a[key]) === JSON.stringify(b[key])) continue;
    throw new InputError({
      field: `${key} of the second model`,
      expected: `${show(a[key])} as in the first`,
      got: show(b[key]),
      remedy:
        key === 'beta' ? 'multiply the parameters by the ratio instead' : 'use models that differ in parameters only',
    });
  }
}
