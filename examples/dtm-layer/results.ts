import type { GridLayer, Timed } from 'htdml';
import { digits } from '../support/table.js';
import { contradictions, KERNELS, type Look } from './look.js';
import type { Settings } from './settings.js';

/** A layer on its way and what was seen of it. */
export interface Checkpoint {
  /** Training steps before. */
  readonly step: number;
  readonly layer: GridLayer;
  /** One per kernel. */
  readonly looks: readonly Look[];
}

/** What a run took, over all processes that had a part in it. */
export interface Cost {
  readonly seconds: number;
  readonly processorSeconds: number;
  /** Peak resident memory. */
  readonly megabytes: number;
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
const table = (header: readonly string[], rows: readonly (readonly string[])[]) =>
  [row(header), row(header.map(() => '---')), ...rows.map(row)].join('\n');
const pm = ({ value, standardError }: { value: number; standardError: number }) =>
  `${digits(value)} +- ${digits(standardError, 2)}`;
const between = ([low, high]: readonly [number, number]) => `[${digits(low, 3)}, ${digits(high, 3)}]`;
const measured = (one: Timed) => (one.windowed ? pm(one) : `above ${digits(one.value, 3)}, no window`);

/** The whole page of results. */
export function resultsText(path: readonly Checkpoint[], settings: Settings, source: string, cost: Cost): string {
  const { side, degree, training, estimate, series } = settings;
  const kernels = path[0].looks.map(({ kernel }) => kernel);
  const rows = (cells: (look: Look) => readonly string[]) =>
    kernels.flatMap((kernel, k) => path.map(({ step, looks }) => [kernel, String(step), ...cells(looks[k])]));
  const [{ layer }] = path;
  return `${[
    '# Trainability of a layer of 60 x 60 spins as it learns',
    'Written by `node dist/examples/dtm-layer/run.js`; not edited by hand.',
    `An unconditional layer (2.9) on a torus of ${side} x ${side} spins with ${degree} neighbours each: ${layer.graph.edges.length} couplings and ${layer.graph.nodes} biases, all zero before training, ${layer.image.length} pixels at random nodes of the upper colour; ${source}. Adam at ${training.learningRate}; a step runs ${training.chains} chains per phase, from random spins, ${training.burnIn} sweeps unseen and ${training.samples} samples ${training.apart} sweeps apart. R_hat and R are those of an estimate with these chains and a window of ${training.samples * training.apart} sweeps.`,
    `Estimates are from ${estimate.chains} chains of ${estimate.samples} samples, ${estimate.burnIn} sweeps of burn-in and ${estimate.apart} between samples, with ${estimate.probes} random signs. T and times are in steps of the kernel, T/sweep in sweeps: one step of alternating-block, two of random-block. Intervals are 95%, where the verdict is resolved; T is a lower bound (6.1): features are the observables, and the residual of their trial solutions over 24 steps adds what they miss, the second half of which is the tail. R_hat with it is an upper bound.`,
    '## The layer and the signal',
    table(
      ['steps', 'r.m.s. coupling', 'largest', 'signal', 'of couplings', 'of biases'],
      path.map(({ step, layer: { couplings }, looks: [{ estimate: e }] }) => [
        String(step),
        digits(Math.sqrt(couplings.reduce((sum, w) => sum + w * w, 0) / couplings.length), 3),
        digits(
          couplings.reduce((top, w) => Math.max(top, Math.abs(w)), 0),
          3,
        ),
        pm(e.signal),
        pm(e.signal.couplings),
        e.signal.biases === null ? '-' : pm(e.signal.biases),
      ]),
    ),
    '## Estimates without time series',
    table(
      [
        'kernel',
        'steps',
        'T',
        'interval',
        'tail',
        'T/sweep',
        'tauMax/sweep',
        'split R-hat',
        'R_hat',
        'interval',
        'verdict',
      ],
      rows(({ kernel, estimate: { timescale: T, Rhat } }) => [
        pm({ value: T.timescale, standardError: T.standardError }),
        between(T.interval),
        digits(T.tail, 2),
        digits(T.timescale / KERNELS[kernel]),
        digits(T.tauMax / KERNELS[kernel], 3),
        digits(T.splitRhat),
        Rhat === null ? 'no signal' : pm(Rhat),
        Rhat === null ? '-' : between(Rhat.interval),
        T.verdict,
      ]),
    ),
    '## Held against time series',
    `${series.chains} chains of ${series.sweeps} sweeps after ${series.burnIn}, every step kept. T by Sokal's window over the same random signs; the slowest of the ${series.slowest} observables that look slowest on a third of the chains, measured on the rest; the slowest of three principal directions of the images, combinations of biases' observables that may be slower than any of them; R from chains in equilibrium.`,
    table(
      ['kernel', 'steps', 'T', 'slowest observable/sweep', 'slowest direction/sweep', 'R', 'both together'],
      rows((look) => {
        const { kernel, series: s, R, estimate: e } = look;
        return [
          measured(s.timescale),
          `${s.slowestObservable.name}: ${measured(perSweep(s.slowestObservable, KERNELS[kernel]))}`,
          s.slowestDirection === null ? '-' : measured(perSweep(s.slowestDirection, KERNELS[kernel])),
          pm(R),
          e.timescale.verdict === 'resolved' && contradictions(look).length === 0 ? 'resolved' : 'unresolved',
        ];
      }),
    ),
    '## What is missing',
    ...missing(path),
    `The run took ${digits(cost.seconds, 3)} s on a machine of two cores that others used too, ${digits(cost.processorSeconds, 3)} s of them on a processor, and ${digits(cost.megabytes, 3)} MiB at most.`,
  ].join('\n\n')}\n`;
}

function perSweep(one: Timed, steps: number): Timed {
  return { ...one, value: one.value / steps, standardError: one.standardError / steps };
}

function missing(path: readonly Checkpoint[]): string[] {
  const found = path.flatMap(({ step, looks }) =>
    looks.flatMap((look) =>
      [...look.estimate.timescale.missing, ...contradictions(look)].map(
        (sentence) => `- ${look.kernel}, ${step} steps: ${sentence}`,
      ),
    ),
  );
  return [found.length === 0 ? 'Nothing: all are resolved.' : found.join('\n')];
}
