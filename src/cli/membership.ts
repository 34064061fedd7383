import { l1, l2, logEffectiveGap, logRhat, logRhatSlowCluster, logRhatSoft, totalCorrelation } from 'htdml/objectives';
import { InputError, show, UnsupportedError } from '../errors.js';
import { oneLine } from '../model/atomic-file.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { EVENT_POLICIES, type EventPolicy, MembershipWatch, type StepEvent } from '../optimization/membership-watch.js';
import type { SoftWindow } from '../trainability/membership/soft-window.js';
import { modeSetAt } from '../trainability/paths/path.js';
import { createRoute } from '../trainability/routes/create-route.js';
import type { Objective } from '../trainability/routes/log-quantities.js';
import type { Route } from '../trainability/routes/route.js';
import { windowEdge } from '../trainability/soft-report.js';
import { num } from './format.js';
import type { Spec } from './spec.js';
import type { PenaltyName } from './spec-training.js';

/** How a run evaluates its objectives, and what it does about changes of the slow cluster. */
export interface RunMembership {
  readonly route: Route;
  readonly policy: EventPolicy;
  /** Undefined where no objective depends on the set and nobody asked. */
  readonly watch: MembershipWatch | undefined;
  /** The soft window, with the policy `soft`. */
  readonly soft: SoftWindow | undefined;
  objective(name: PenaltyName, samples: number, heldSignal?: number): Objective;
}

/** Width of a soft window where the SPEC gives none, as a part of its centre. */
const RELATIVE_ETA = 0.1;

/** Throws {@link InputError} for a policy that has nothing to act on. */
export function runMembership(
  { kernel, membership }: Spec,
  model: Model,
  data: DataLaw,
  names: readonly PenaltyName[],
): RunMembership {
  const { epsilon, kappa, eta, onEvent } = membership;
  const thresholds = { epsilon, kappa };
  const depends = names.includes('logRhatSlowCluster');
  if (onEvent === 'soft' && !depends) {
    throw new InputError({
      field: 'membership.onEvent',
      expected: '"refreeze", "stop" or null where no objective depends on the slow cluster',
      got: '"soft"',
      remedy: 'use the objective logRhatSlowCluster',
    });
  }
  const kind = depends ? 'table' : 'auto';
  const plain = createRoute(model, data, { kernel, thresholds, route: kind });
  // Asked for early, so that a model without modes is refused before the run.
  const set = depends || onEvent !== null ? modeSetAt(plain, model.theta, 'window', thresholds) : null;
  const center = onEvent === 'soft' && set !== null ? windowEdge(set.groups, thresholds) : null;
  if (onEvent === 'soft' && center === null) {
    throw new UnsupportedError('A soft window', 'no observable fluctuates at the start', 'start from another model');
  }
  const window = center === null ? undefined : { center, eta: eta ?? RELATIVE_ETA * center };
  const route =
    window === undefined ? plain : createRoute(model, data, { kernel, thresholds, route: kind, soft: window });
  const watch = set === null ? undefined : new MembershipWatch(route, model, kernel, 'window', thresholds);
  return {
    route,
    policy: onEvent ?? 'refreeze',
    watch,
    soft: window,
    objective(name, samples, heldSignal) {
      switch (name) {
        case 'totalCorrelation':
          return totalCorrelation;
        case 'l1':
          return l1;
        case 'l2':
          return l2;
        case 'logEffectiveGap':
          return logEffectiveGap;
        case 'logRhat':
          return logRhat({ samples, heldSignal });
        case 'logRhatSlowCluster':
          return (window === undefined ? logRhatSlowCluster : logRhatSoft)({ samples, heldSignal });
      }
      return name satisfies never;
    },
  };
}

/** The SPEC with the policy of `--on-event`, where it is given. */
export function withPolicy(spec: Spec, flag: string | undefined): Spec {
  if (flag === undefined) return spec;
  const onEvent = EVENT_POLICIES.find((policy) => policy === flag);
  if (onEvent !== undefined) return { ...spec, membership: { ...spec.membership, onEvent } };
  throw new InputError({
    field: '--on-event',
    expected: EVENT_POLICIES.map((policy) => `"${policy}"`).join(' or '),
    got: oneLine(show(flag)),
    remedy: 'choose one of them',
  });
}

/** A trace record's events with where they happened. */
export interface TracedEvent {
  readonly step: number;
  readonly event: StepEvent;
}

/** What the record of a run says of the events that it met. */
export function membershipRecord({ watch, policy, soft }: RunMembership, events: readonly TracedEvent[]): object {
  if (watch === undefined)
    return { watched: false, reason: 'no objective depends on the slow cluster; --on-event watches it all the same' };
  return { watched: true, policy, ...(soft && { soft }), count: events.length, events: events.slice(0, RECORDED) };
}

/** Events beyond these are in the trace only. */
const RECORDED = 100;

export const EVENT_COLUMNS = ['event', 'step', 'at', '1 - s', 'weight', 'jump of log R_hat'];

/** Rows for the report. */
export function eventRows(events: readonly TracedEvent[]): string[][] {
  return events
    .slice(0, RECORDED)
    .map(({ step, event }) =>
      event.type === 'unwatched'
        ? ['unwatched', String(step), '-', '-', '-', '-']
        : [
            event.type,
            String(step),
            num(event.at),
            event.groups.map(({ eigenvalue }) => num(1 - eigenvalue)).join(', '),
            event.groups.map(({ weight }) => num(weight)).join(', '),
            event.jumpLogRhat === null ? '-' : num(event.jumpLogRhat),
          ],
    );
}
