import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from './support/cli.js';

const page = readFileSync(join(ROOT, 'docs', 'mathematics.md'), 'utf8');
const equations = new Set([...page.matchAll(/^- \((\d\.\d+|D\d+)\)/gm)].map(([, number]) => number));
const sections = new Set([...page.matchAll(/^## (\d+)\./gm)].map(([, number]) => number));

/** Comments and literals: in code a number between parentheses is an argument. */
const prose = (source: string) => source.match(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|'[^'\n]*'|`[^`]*`/g)?.join('\n') ?? '';

/** Equation numbers such as (3.3), (D10) or D6, and sections other than those of a paper, that a text cites. */
const citedEquations = (text: string) => [...text.matchAll(/\((\d\.\d+)\)|\b(D\d+)\b/g)].map(([, a, b]) => a ?? b);
const citedSections = (text: string) => [...text.matchAll(/(?<!\d{4}, )\bsection (\d+)/g)].map(([, number]) => number);

const files = ['src', 'objectives'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
);
const sources = files.map((file) => ({ file, text: prose(readFileSync(join(ROOT, file), 'utf8')) }));

test('every equation and section that the sources cite is in docs/mathematics.md', () => {
  const missing = sources.flatMap(({ file, text }) => [
    ...citedEquations(text).flatMap((number) => (equations.has(number) ? [] : [`${file} cites (${number})`])),
    ...citedSections(text).flatMap((number) => (sections.has(number) ? [] : [`${file} cites section ${number}`])),
  ]);
  expect(missing).toEqual([]);
});

describe('the page', () => {
  test('has every equation once, and cites none that it lacks', () => {
    const defined = [...page.matchAll(/^- \((\d\.\d+|D\d+)\)/gm)].map(([, number]) => number);
    expect(defined).toEqual([...new Set(defined)]);
    expect(citedEquations(page).filter((number) => !equations.has(number))).toEqual([]);
    expect(citedSections(page).filter((number) => !sections.has(number))).toEqual([]);
  });

  test('has all of D1 to D11, without a gap in any section', () => {
    for (let k = 1; k <= 11; k++) expect(equations).toContain(`D${k}`);
    for (const [section, last] of [
      [2, 11],
      [3, 4],
      [4, 2],
      [5, 6],
      [6, 1],
    ]) {
      for (let k = 1; k <= last; k++) expect(equations).toContain(`${section}.${k}`);
    }
  });
});

test('what counts as a citation', () => {
  const source = `
    /** By (3.3), see D12; Hinton 2010, section 10, and section 8. */
    const kappa = scale(2.5); // (9.1)
    const text = 'two-block (5.6)';
  `;
  expect(citedEquations(prose(source))).toEqual(['3.3', 'D12', '9.1', '5.6']);
  expect(citedSections(prose(source))).toEqual(['8']);
  // Most files of the library rest on an equation: a reader that found none would pass every test above.
  expect(sources.filter(({ text }) => citedEquations(text).length > 0).length).toBeGreaterThan(20);
});
