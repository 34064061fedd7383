import { digits } from '../support/table.js';
import type { Arm } from './arms.js';
import type { Finished } from './jobs.js';
import type { DataName } from './problems.js';
import type { Settings } from './settings.js';
import { median, medianInterval, signedRank } from './statistics.js';

const TITLES: Readonly<Record<DataName, string>> = { digits: 'UCI digits, 3 x 3', bars: 'Bars and stripes, 3 x 3' };

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
const table = (header: readonly string[], rows: readonly (readonly string[])[]) =>
  [row(header), row(header.map(() => '---')), ...rows.map(row)].join('\n');
const spread = (values: readonly number[]) => {
  const [low, high] = medianInterval(values);
  return `${digits(median(values), 3)} [${digits(low, 3)}, ${digits(high, 3)}]`;
};
const klOf = (runs: readonly Finished[]) => runs.map(({ kl }) => kl);
/** Two-sided p of paired runs, seed by seed. */
const pair = (a: readonly Finished[], b: readonly Finished[]) =>
  signedRank(a.map(({ kl }, k) => Math.log(kl) - Math.log(b[k].kl)));
const known = (values: readonly (number | null | undefined)[]) => values.filter((x): x is number => x != null);
const medianOf = (values: readonly (number | null | undefined)[]) => {
  const numbers = known(values);
  return numbers.length === 0 ? '-' : digits(median(numbers), 2);
};

/** The whole page of results. */
export function resultsText(
  lines: readonly Finished[],
  arms: readonly Arm[],
  names: readonly DataName[],
  { common, seeds, targets }: Pick<Settings, 'common' | 'seeds' | 'targets'>,
): string {
  const { plain, budget } = common;
  return `${[
    '# Training by sampling: does R_hat help?',
    'Written by `node dist/examples/training-comparison/run.js`; not edited by hand.',
    `RBM 9 + 6 under alternating-block, gradients from ${plain.chains} chains (persistent ones aside) that start at uniform states for each update, the first half of their sweeps discarded. Every run may spend ${budget} sweeps, summed over chains; a plain update takes ${plain.chains * plain.sweeps}. Adam, learning rate falling to zero along half a cosine. Each arm was tuned over fifteen configurations on other seeds (\`arms.ts\`, \`tuned.json\`). Arms marked * are led by the exact \`R_hat\` or its effective gap, looked at every ${common.lookEvery} sweeps; the adaptive correlation penalty is given the exact autocorrelation and the exact gradient of the total correlation as often. What these cost to compute is not counted: the question is what they are worth in sweeps.`,
    `KL is exact, in nats, at the end of a run. Medians over ${seeds.length} seeds with 95% bootstrap intervals; p is two-sided, of Wilcoxon's signed-rank test on log KL, paired by seed (the least possible with ${seeds.length} seeds is ${digits(2 / 2 ** seeds.length, 2)}); no correction for the number of comparisons. R, R_hat, bias and gap are exact, of an update of the arm's own length at that point; persistent chains are outside A1, their R is that of equilibrium.`,
    ...names.flatMap((data) => section(data, lines, arms, budget, targets[data])),
  ].join('\n\n')}\n`;
}

function section(
  data: DataName,
  lines: readonly Finished[],
  arms: readonly Arm[],
  budget: number,
  targets: readonly number[],
): string[] {
  const of = (arm: Arm, spent: number) =>
    lines.filter((line) => line.data === data && line.arm === arm.name && line.budget === spent);
  const named = (name: string) => arms.filter((arm) => arm.name === name).flatMap((arm) => of(arm, budget));
  const plain = named('plain');
  const mark = (arm: Arm) => `${arm.name}${arm.led ? ' *' : ''}`;
  const points = (runs: readonly Finished[], share: number) =>
    runs.flatMap(({ path, spent }) => path.filter((p) => p.R !== undefined && p.spent <= share * spent).slice(-1));
  const main = arms.map((arm) => {
    const runs = of(arm, budget);
    const [{ configuration }] = runs;
    const [middle, end] = [points(runs, 0.5), points(runs, 1)];
    return [
      mark(arm),
      `${configuration.learningRate}${arm.meaning === '' ? '' : `; ${configuration.value} ${arm.meaning}`}`,
      spread(klOf(runs)),
      arm.name === 'plain' ? '' : digits(pair(runs, plain), 2),
      `${medianOf(middle.map(({ R }) => R))}, ${medianOf(end.map(({ R }) => R))}`,
      `${medianOf(middle.map(({ Rhat }) => Rhat))}, ${medianOf(end.map(({ Rhat }) => Rhat))}`,
      medianOf(end.map(({ biasShare }) => biasShare)),
      medianOf(end.map(({ effectiveGap }) => effectiveGap)),
      digits(median(runs.map(({ spent }) => spent)), 6),
      digits(median(runs.map(({ updates }) => updates)), 5),
    ];
  });
  const reached = arms.map((arm) => [
    mark(arm),
    ...targets.flatMap((target) => {
      const first = of(arm, budget).map(({ path }) => path.find(({ kl }) => kl <= target)?.spent ?? Infinity);
      const typical = median(first);
      const count = first.filter(Number.isFinite).length;
      return [Number.isFinite(typical) ? digits(typical, 6) : 'not reached', `${count} of ${first.length}`];
    }),
  ]);
  const others = arms.filter((arm) => !arm.led);
  const halves = arms
    .filter((arm) => arm.led)
    .map((arm) => {
      const runs = of(arm, budget / 2);
      return [
        mark(arm),
        spread(klOf(runs)),
        ...others.map(
          (other) => `${digits(median(klOf(of(other, budget))), 3)} (${digits(pair(runs, of(other, budget)), 2)})`,
        ),
      ];
    });
  const full = arms
    .filter((arm) => arm.led)
    .map((arm) => [
      mark(arm),
      spread(klOf(of(arm, budget))),
      ...others.map((other) => digits(pair(of(arm, budget), of(other, budget)), 2)),
    ]);
  const checked = plain.flatMap(({ path }) => path.filter((p) => p.R != null));
  const below = checked.filter(({ R }) => (R ?? 1) < 1).length;
  return [
    `## ${TITLES[data]}`,
    `The plain arm is on the plateau (R < 1) at ${below} of ${checked.length} points where R was computed.`,
    table(
      ['arm', 'learning rate; value', 'KL', 'p', 'R half way, end', 'R_hat', 'bias share', 'gap', 'sweeps', 'updates'],
      main,
    ),
    'Sweeps spent when the KL is first seen at or below a target (median over seeds, and how many get there; later it may rise again):',
    table(['arm', ...targets.flatMap((target) => [`KL ${target}`, 'seeds'])], reached),
    `At equal budgets, p of the led arms against each of the others:`,
    table(['arm', 'KL', ...others.map(({ name }) => name)], full),
    `With half of the budget (${budget / 2} sweeps) against the others with all of it, their median KL (p):`,
    table(['arm', 'KL', ...others.map(({ name }) => name)], halves),
    ...verdicts(data, of, arms, budget),
  ];
}

/** What was claimed beforehand, held against the numbers: better in the median, and p at most 0.05. */
function verdicts(
  data: DataName,
  of: (arm: Arm, budget: number) => readonly Finished[],
  arms: readonly Arm[],
  budget: number,
): string[] {
  const beats = (a: readonly Finished[], b: readonly Finished[]) =>
    median(klOf(a)) < median(klOf(b)) && pair(a, b) <= 0.05;
  const named = (names: readonly string[]) =>
    arms.filter(({ name }) => names.includes(name)).map((arm) => of(arm, budget));
  const list = (keep: (arm: Arm) => boolean) => {
    const kept = arms.filter((arm) => arm.led && keep(arm)).map(({ name }) => name);
    return kept.length === 0 ? 'none' : kept.join(', ');
  };
  const all = (spent: number, rivals: readonly string[]) =>
    list((arm) => named(rivals).every((rival) => beats(of(arm, spent), rival)));
  const fresh = arms.filter((arm) => !arm.led && !arm.persistent).map(({ name }) => name);
  const every = arms.filter((arm) => !arm.led).map(({ name }) => name);
  return [
    [
      `Led arms that are better with p <= 0.05, on ${TITLES[data]}:`,
      '',
      `- with half of the sweeps, than plain with all of them: ${all(budget / 2, ['plain'])}`,
      `- at equal sweeps, than the adaptive correlation penalty and weight decay both: ${all(budget, ['adaptive correlation penalty', 'weight decay'])}`,
      `- at equal sweeps, than every other arm of fresh chains, tuned longer updates and early stopping included: ${all(budget, fresh)}`,
      `- at equal sweeps, than every other arm, persistent chains included: ${all(budget, every)}`,
    ].join('\n'),
  ];
}
