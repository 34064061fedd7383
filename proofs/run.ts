import { writeFileAtomic } from 'htdml';
import { casesToRun, SEED } from './obligation.js';
import { OBLIGATIONS } from './obligations.js';
import { formatMargin, renderDocument, runObligations } from './table.js';

/** `npm run proofs`: every obligation with HTDML_CASES cases, and PROOFS.md in the working directory. It is not written where a claim fails. */
let failed = false;
const rows = runObligations(OBLIGATIONS, casesToRun(), (row, { failure }) => {
  const numbers = `${String(row.cases).padStart(6)} cases   worst margin ${formatMargin(row.worstMargin)}`;
  process.stdout.write(`${row.id}  [${row.tag}]  ${row.property.padEnd(20)} ${numbers}\n`);
  if (failure === null) return;
  failed = true;
  process.stderr.write(`${row.id} ${row.property}: ${failure}\n`);
});
if (failed) process.exitCode = 1;
else writeFileAtomic('PROOFS.md', renderDocument(OBLIGATIONS, rows, SEED));
