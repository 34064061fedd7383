/**
 * `npm run bench`: ours against SciPy, JAX and thrml, on the same inputs in one go. HTDML_PYTHON names the interpreter that has them (default python3); what is not installed is
 * skipped with a line that says so. Names of parts may be given, `npm run bench -- gradient scale`; all of them together write docs/performance.md and its figure.
 */
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFileAtomic } from 'htdml';
import { threadCount } from '../src/kernel/compiled/loops.js';
import { applicationTable } from './application.js';
import { costFigure } from './cost-figure.js';
import { eigenpairsTable } from './eigenpairs.js';
import { gradientTable } from './gradient.js';
import { samplerTable } from './sampler.js';
import { scaleTable } from './scale.js';
import { Sheet } from './tables.js';
import { wrongAnswersTable } from './wrong-answers.js';

const DOCS = fileURLToPath(new URL('../../docs', import.meta.url));
const FIGURE = 'performance.svg';

const sheet = new Sheet();
const PARTS: Readonly<Record<string, () => Promise<void> | void>> = {
  gradient: () => gradientTable(sheet),
  application: () => applicationTable(sheet),
  eigenpairs: () => eigenpairsTable(sheet),
  sampler: () => samplerTable(sheet),
  scale: () => scaleTable(sheet),
  wrong: () => wrongAnswersTable(sheet),
  cost: () => {
    writeFileAtomic(join(DOCS, FIGURE), costFigure(sheet));
    sheet.print();
    sheet.print(`![Seconds against the number of spins](${FIGURE})`);
  },
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
  process.stderr.write(`bench: no part ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}.\n`);
  process.exit(2);
}
sheet.print('# Performance');
sheet.print();
const [{ model }] = cpus();
const memory = (totalmem() / 2 ** 30).toFixed(0);
sheet.print(
  `Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${model.trim()}, ${cpus().length} cores, ${memory} GiB, Node ${process.version}. ` +
    `Ours: ${threadCount()} threads; JAX as many as it takes; SciPy's sparse products one.`,
);
for (const [name, part] of Object.entries(PARTS)) if (asked.length === 0 || asked.includes(name)) await part();
if (asked.length === 0) writeFileAtomic(join(DOCS, 'performance.md'), `${sheet.lines.join('\n')}\n`);
