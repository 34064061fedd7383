import { ConvergenceError } from '../errors.js';
import type { KernelName } from '../kernel/kernels.js';
import type { Model } from '../model/model.js';
import { eventsOf, type MembershipEvent } from '../trainability/membership/membership-events.js';
import type { MembershipRule, ModeThresholds } from '../trainability/membership/mode-sets.js';
import { scanPath } from '../trainability/membership/path-scan.js';
import { certifiedLine, lineBetween, ratesAlong } from '../trainability/paths/path.js';
import type { Route } from '../trainability/routes/route.js';

/** All event policies. */
export const EVENT_POLICIES = ['refreeze', 'stop', 'soft'] as const;
/** What an optimiser does at a membership event: goes on with the new set, stops before it, or has an objective that knows no events (4.2). */
export type EventPolicy = (typeof EVENT_POLICIES)[number];

/** An event on a step of an optimiser; `at` is the part of the step, 0 where it began. */
export type StepEvent =
  | MembershipEvent
  | {
      /** Changes on this step may have been missed. */
      readonly type: 'unwatched';
      /** Why, in a sentence. */
      readonly reason: string;
    };

/**
 * Sees every change of the set of modes on an optimiser's way: a step within the certified radii of its ends costs one spectrum, a longer one is scanned (4.1). What cannot be
 * watched, because a gap is below what the eigensolver resolves, is an event too.
 */
export class MembershipWatch {
  private last: Float64Array | null = null;

  constructor(
    private readonly route: Route,
    private readonly model: Model,
    private readonly kernel: KernelName,
    private readonly rule: MembershipRule,
    private readonly thresholds: ModeThresholds,
  ) {}

  /** Begins at a point, without a step to it. */
  start(theta: Float64Array): void {
    this.last = Float64Array.from(theta);
  }

  /** The events on the straight line from the last point, which stays where it is; with `firstOnly` those of the first change alone, which costs less. */
  eventsTo(theta: Float64Array, firstOnly = false): StepEvent[] {
    if (this.last === null || this.last.every((value, a) => value === theta[a])) return [];
    const line = lineBetween(this.last, theta);
    const rates = ratesAlong(this.model, this.kernel, line.step);
    try {
      const { changes } = scanPath(certifiedLine(this.route, line, rates, this.rule, this.thresholds), { firstOnly });
      return changes.flatMap((change) => eventsOf(change, rates));
    } catch (error) {
      if (error instanceof ConvergenceError) return [{ type: 'unwatched', reason: error.message }];
      throw error;
    }
  }

  /** The events on the step to a point, from where the next step begins. */
  move(theta: Float64Array): StepEvent[] {
    const events = this.eventsTo(theta);
    this.start(theta);
    return events;
  }
}
