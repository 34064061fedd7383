import { loadReport } from 'htdml';
import type { SeedRun } from './digits-seed.js';

/** Paths are drawn up to this divergence: beyond it no arm is of interest, and the start of training would fill the figure. */
const DRAWN_KL = 0.5;

/** The main job's HTML report: two tables and three figures. */
export async function digitsReport(
  runs: readonly SeedRun[],
  tables: {
    readonly headers: readonly string[];
    readonly rows: readonly (readonly string[])[];
    readonly baselineHeaders: readonly string[];
    readonly baselineRows: readonly (readonly string[])[];
  },
): Promise<string> {
  const { frontierFigure, renderReport, spectrumFigure, trainingFigure } = await loadReport();
  const drawn = (path: SeedRun['path']) => path.filter((point) => point.kl <= DRAWN_KL);
  const arms = runs.flatMap(({ path, decayed, models }) => [
    { name: 'plain training', kind: 'path' as const, points: drawn(path) },
    ...decayed.map(({ weightDecay, path: points }) => ({
      name: `weight decay ${weightDecay}`,
      kind: 'path' as const,
      points: drawn(points),
    })),
    ...models.slice(1).map(({ name, evaluation }) => ({
      name,
      kind: 'points' as const,
      points: [{ kl: evaluation.kl, effectiveGap: evaluation.predictors.full.effectiveGap ?? Number.NaN }],
    })),
  ]);
  const align = (columns: readonly string[]) =>
    columns.map((_, c) => (c === 0 ? ('left' as const) : ('right' as const)));
  const [first] = runs;
  return renderReport({
    title: 'Digits at 3 x 3: couplings designed for trainability',
    subtitle: `RBM 9 + 6 under random-block, seeds ${runs.map((run) => run.seed).join(', ')}`,
    sections: [
      {
        heading: 'Before and after',
        blocks: [
          {
            kind: 'table',
            columns: [...tables.headers],
            rows: tables.rows.map((row) => [...row]),
            align: align(tables.headers),
          },
          {
            kind: 'paragraph',
            text:
              'R is small where training has converged, since its signal vanishes there; error^2 is the squared error of the estimated gradient, ' +
              'which is what mixing changes. Times and gaps are per kernel step, two steps make a sweep.',
          },
        ],
      },
      {
        heading: 'Against early stopping and weight decay at equal divergence',
        blocks: [
          {
            kind: 'table',
            columns: [...tables.baselineHeaders],
            rows: tables.baselineRows.map((row) => [...row]),
            align: align(tables.baselineHeaders),
          },
          {
            kind: 'figure',
            svg: frontierFigure(arms),
            caption: `All arms, all seeds, up to ${DRAWN_KL} nats. Each arm's best point so far is drawn as steps.`,
            alt: 'Effective gap against divergence for every arm',
          },
        ],
      },
      {
        heading: 'Training',
        blocks: [
          {
            kind: 'figure',
            svg: trainingFigure(runs.map(({ seed, path }) => ({ name: `seed ${seed}`, points: [...path] }))),
            caption: 'Plain training: the divergence falls and the effective gap with it.',
            alt: 'Divergence and effective gap against training step',
          },
        ],
      },
      {
        heading: 'Spectrum',
        blocks: [
          {
            kind: 'figure',
            svg: spectrumFigure(
              first.models.map(({ name, spectrum }) => ({
                title: `seed ${first.seed}, ${name}`,
                groups: spectrum.groups ?? [],
              })),
            ),
            caption:
              'Eigenvalue groups of the kernel and their share of the variance of the observables; slow modes to the left.',
            alt: 'Relaxation spectra with weights',
          },
        ],
      },
    ],
    footer:
      'Data: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998, CC BY 4.0.',
  });
}
