import { kl } from 'htdml/objectives';
import { InputError, show } from '../errors.js';
import { oneLine, writeFileAtomic } from '../model/atomic-file.js';
import {
  type JudgedPoint,
  judge,
  type ParetoSettings,
  type ParetoState,
  pareto,
  paretoStart,
  paretoSteps,
} from '../optimization/pareto.js';
import { version } from '../version.js';
import { drive } from './drive.js';
import { num, textTable } from './format.js';
import { Progress } from './progress.js';
import { RunFolder } from './run-folder.js';
import {
  checkpointEvery,
  constraints,
  freshRbm,
  type RunFlags,
  type RunInput,
  type RunPlan,
  type RunSetup,
  readRun,
  setUp,
} from './run-setup.js';
import { type Spec, specToJson } from './spec.js';
import { likelihoodToJson } from './spec-likelihood.js';
import { armName, type ParetoArmSpec } from './spec-pareto.js';
import { isTimed, penaltiesOf, planOf } from './train.js';

/** `htdml pareto`: divergence against effective gap for several arms and seeds; returns what to print and the exit code. */
export async function paretoCommand(specPath: string, flags: RunFlags): Promise<{ output: string; code: number }> {
  const input = readRun(specPath, flags);
  checkExact(input);
  const setup = setUp(input, flags, paretoPlan);
  const { spec, route } = setup;
  const settings = settingsOf(specPath, setup);
  const everyCheckpoint = checkpointEvery(flags);
  const folder = new RunFolder<ParetoState>(flags.out, 'pareto', specToJson(spec), {
    resume: flags.resume ?? false,
    force: flags.force ?? false,
  });
  const from = folder.resumed ?? paretoStart(settings);
  const begun = paretoSteps(settings);
  const progress = new Progress('pareto', begun[begun.length - 1], begun[from.stage]);
  const final = await drive(
    pareto(route, kl, settings, from),
    folder,
    progress,
    (record, state) => ({
      step: begun[state.stage] + record.step + 1,
      detail: `seed ${record.seed}, ${record.arm} ${num(record.parameter)}, KL ${num(record.kl)}`,
      traced: record,
    }),
    everyCheckpoint,
  );
  const points = judge(final.points);
  const arms = summary(spec, points);
  const versions = { htdml: version, node: process.versions.node };
  const record = {
    schemaVersion: 1,
    command: 'pareto',
    spec: specToJson(spec),
    versions,
    seed: spec.seed,
    results: { arms, points, missing: final.missing },
    // Points are compared by two exact numbers; no gate was looked at.
    claims: { conditional: 'unchecked', operational: 'untested' },
  };
  writeFileAtomic(folder.file('report.html'), await renderPareto(spec, points, arms, versions));
  // Last, since a folder with a record counts as finished.
  folder.write('record.json', record);
  const output = flags.json
    ? JSON.stringify(record)
    : `${textTable(ARM_COLUMNS, armRows(arms))}\n\nwritten to ${flags.out}`;
  return { output, code: 0 };
}

/** Arms are compared by the exact divergence. */
function checkExact({ specPath, spec }: RunInput): void {
  const { route, train } = spec;
  if (route === 'exact' && train.likelihood === 'exact') return;
  throw new InputError({
    file: specPath,
    field: route === 'exact' ? 'train.likelihood' : 'route',
    expected: '"exact" for arms, which are compared by their divergence',
    got: oneLine(show(route === 'exact' ? likelihoodToJson(train.likelihood) : route)),
    remedy: 'leave it out',
  });
}

/** What all seeds and arms evaluate. */
function paretoPlan(spec: Spec): RunPlan {
  const plain = planOf(spec);
  const { seeds, arms, every, steps } = spec.pareto;
  const { restarts, steps: evaluations } = spec.design;
  let [signal, timescale] = [plain.signal, plain.timescale + spec.train.steps / every];
  const objectives = [...plain.objectives];
  for (const arm of arms) {
    if (arm.kind === 'earlyStopping') continue;
    objectives.push(arm.objective);
    const count = arm.kind === 'penalty' ? arm.weights.length * steps : arm.budgets.length * restarts * evaluations;
    signal += count;
    if (objectives.some(isTimed)) timescale += count;
  }
  return { objectives, signal: seeds * signal, timescale: seeds * timescale, spectrum: seeds * (plain.spectrum ?? 0) };
}

function settingsOf(specPath: string, setup: RunSetup): ParetoSettings {
  const { spec, model, membership, window } = setup;
  const { steps, optimizer, learningRate } = spec.train;
  const watched = { watch: membership.watch, onEvent: membership.policy };
  const fresh = (seed: number) => (typeof spec.model === 'string' ? model : freshRbm(spec.model, seed)).theta;
  return {
    arms: spec.pareto.arms.map((arm) => {
      const name = armName(arm);
      switch (arm.kind) {
        case 'earlyStopping':
          return { kind: arm.kind, name, every: spec.pareto.every };
        case 'penalty':
          return { kind: arm.kind, name, objective: membership.objective(arm.objective, window), weights: arm.weights };
        case 'design':
          return {
            kind: arm.kind,
            name,
            budgets: arm.budgets,
            objective: (signal: number) => membership.objective(arm.objective, window, signal),
          };
      }
      return arm satisfies never;
    }),
    starts: Array.from({ length: spec.pareto.seeds }, (_, k) => ({ seed: spec.seed + k, theta: fresh(spec.seed + k) })),
    train: {
      steps,
      optimizer,
      learningRate,
      penalties: penaltiesOf(setup),
      parametrization: constraints(specPath, 'train', model, spec.train),
      ...watched,
    },
    steps: spec.pareto.steps,
    design: { restarts: spec.design.restarts, steps: spec.design.steps, ...watched },
    parametrization: constraints(specPath, 'design', model, spec.design),
  };
}

/** How an arm did: its points, those that no other point of their seed dominates, and its gaps over the best of the other arms at equal divergence. */
interface ArmSummary {
  readonly arm: string;
  readonly points: number;
  readonly onFrontier: number;
  /** Of points within the divergences that other arms reach; null where there are none. */
  readonly medianGain: number | null;
  readonly bestGain: number | null;
}

function summary({ pareto: { arms } }: Spec, points: readonly JudgedPoint[]): ArmSummary[] {
  return arms.map((arm: ParetoArmSpec) => {
    const own = points.filter((point) => point.arm === armName(arm));
    const gains = own.flatMap(({ gain }) => (gain === null ? [] : [gain])).sort((a, b) => a - b);
    const middle = (gains.length - 1) / 2;
    const median = (gains[Math.floor(middle)] + gains[Math.ceil(middle)]) / 2;
    return {
      arm: armName(arm),
      points: own.length,
      onFrontier: own.filter(({ dominated }) => !dominated).length,
      medianGain: gains.length === 0 ? null : median,
      bestGain: gains.at(-1) ?? null,
    };
  });
}

const ARM_COLUMNS = ['arm', 'points', 'not dominated', 'gap over others at equal KL, median', 'best'];

function armRows(arms: readonly ArmSummary[]): string[][] {
  return arms.map(({ arm, points, onFrontier, medianGain, bestGain }) => [
    arm,
    String(points),
    String(onFrontier),
    num(medianGain),
    num(bestGain),
  ]);
}

const POINT_COLUMNS = ['arm', 'seed', 'weight or budget', 'KL [nats]', 'effective gap [per step]', 'over others', ''];
/** Early stopping's points are in the record and the figure only. */
const tabled = ({ arm }: JudgedPoint) => arm !== armName({ kind: 'earlyStopping' });

/** The self-contained page: figure, arms, points. */
async function renderPareto(
  spec: Spec,
  points: readonly JudgedPoint[],
  arms: readonly ArmSummary[],
  versions: { readonly htdml: string; readonly node: string },
): Promise<string> {
  const { frontierFigure, renderReport } = await import('../report/index.js');
  const align = (columns: readonly string[]) =>
    columns.map((_, c) => (c === 0 ? ('left' as const) : ('right' as const)));
  const seeds = [...new Set(points.map(({ seed }) => seed))];
  const stopping = armName({ kind: 'earlyStopping' });
  // The start of training, where nothing has been learnt, would fill the figure.
  const shown = 2 * Math.max(...points.filter(tabled).map((point) => point.kl));
  const near = points.filter((point) => !(point.kl > shown) || !Number.isFinite(shown));
  const figure = frontierFigure(
    [
      ...seeds.map((seed) => ({
        name: stopping,
        kind: 'path' as const,
        points: near.filter((point) => point.arm === stopping && point.seed === seed),
      })),
      ...arms
        .filter(({ arm }) => arm !== stopping)
        .map(({ arm }) => ({ name: arm, kind: 'points' as const, points: near.filter((point) => point.arm === arm) })),
    ].filter((arm) => arm.points.length > 0),
  );
  return renderReport({
    title: 'Divergence against effective gap',
    subtitle: `${spec.kernel}, ${spec.train.steps} steps of training, seeds ${seeds.join(', ')}`,
    sections: [
      {
        heading: 'Arms',
        blocks: [
          { kind: 'figure', svg: figure, caption: CAPTION, alt: 'Effective gap against divergence for every arm' },
          { kind: 'table', columns: ARM_COLUMNS, rows: armRows(arms), align: align(ARM_COLUMNS) },
          {
            kind: 'paragraph',
            text:
              'The last two columns divide the gap of each point by the largest gap that another arm reaches, from the same start, at its divergence or less: above 1 ' +
              'the arm is better than all others there.',
          },
        ],
      },
      {
        heading: 'Points',
        blocks: [
          {
            kind: 'table',
            columns: POINT_COLUMNS,
            rows: points
              .filter(tabled)
              .map((point) => [
                point.arm,
                String(point.seed),
                num(point.parameter),
                num(point.kl),
                num(point.effectiveGap),
                num(point.gain),
                point.dominated ? 'dominated' : '',
              ]),
            align: align(POINT_COLUMNS),
          },
        ],
      },
    ],
    footer: `htdml ${versions.htdml}, Node ${versions.node}`,
  });
}

const CAPTION =
  'All seeds. Up and to the left is better. Hollow: another point of the same seed is at least as good in both. Up to twice the largest divergence of the arms other than early stopping.';
