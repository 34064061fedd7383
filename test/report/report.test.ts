import { DOMParser, parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { type FrontierArm, frontierFigure, spectrumFigure, trainingFigure } from '../../src/report/figures.js';
import { renderReport } from '../../src/report/report.js';

const HOSTILE = '<script>alert("1")</script> & \'co\' ]]> \u0001\ud800';
const BAD = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** The parsed root of a figure, after the checks that every figure must pass. */
function checked(svg: string) {
  const root = new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement;
  expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  expect(root.nodeName).toBe('svg');
  expect(root.outerHTML).toBe(svg);
  expect(root.getAttribute('role')).toBe('img');
  expect(root.getAttribute('aria-label')).toBeTruthy();
  expect(svg).not.toMatch(/NaN|undefined|Infinity|<script/);
  expect(svg.match(/<(?![/!])[^>]*[^/]>/g)?.length).toBe(svg.match(/<\/[^>]+>/g)?.length);
  return root;
}

/** What a reader sees written, without the tooltips. */
function texts(svg: string): string[] {
  return [...checked(svg).querySelectorAll('text')].map((node) => node.firstChild.textContent);
}

const group = (gap: number, weight: number, multiplicity = 1) => ({ gap, multiplicity, weight });

describe('spectrumFigure', () => {
  const panels = [
    { title: 'plain', groups: [group(1e-3, 2), group(0.1, 1, 4), group(0.5, 0)] },
    { title: 'designed', groups: [group(1e-2, 3), group(0.2, 1e-9, 20)] },
  ];

  it('draws one mark per group and one stem per share above the floor', () => {
    const root = checked(spectrumFigure(panels));
    expect(root.querySelectorAll('.group > *').length).toBe(5);
    const hollow = [...root.querySelectorAll('.group')].filter((node) => node.getAttribute('fill') === 'white');
    expect(hollow.flatMap((node) => [...node.childNodes]).length).toBe(2);
    expect(root.querySelectorAll('g[aria-label="rule"] line').length).toBe(3);
  });

  it('tells gap, share and multiplicity on hovering', () => {
    const titles = [...checked(spectrumFigure(panels)).querySelectorAll('.group title')].map(
      (node) => node.textContent,
    );
    expect(titles).toContain('gap 0.1 per step, share 0.333, multiplicity 4');
  });

  it('puts slow groups on the left, at the same place in every panel', () => {
    const same = [
      { title: 'a', groups: [group(1e-4, 1), group(1, 1)] },
      { title: 'b', groups: [group(1e-4, 1)] },
    ];
    const circles = [...checked(spectrumFigure(same)).querySelectorAll('.group circle')];
    const [slow, fast, again] = circles.map((circle) => Number(circle.getAttribute('cx')));
    expect(slow).toBeLessThan(fast);
    expect(again).toBe(slow);
  });

  it('writes panel titles, also equal ones', () => {
    const twice = ['same', 'same'].map((title) => ({ title, groups: [group(0.1, 1)] }));
    expect(texts(spectrumFigure(twice)).filter((text) => text === 'same').length).toBe(2);
  });

  it.each([
    ['no panels', []],
    ['an empty panel', [{ title: 'empty', groups: [] }]],
    ['only unusable groups', [{ title: 'bad', groups: [group(0, 1), group(-1, 1), ...BAD.map((x) => group(x, 1))] }]],
  ])('says so for %s', (_, given) => {
    expect(texts(spectrumFigure(given))).toContain('no eigenvalue groups');
  });

  it('leaves unusable groups out and keeps the others', () => {
    const groups = [group(0.1, 1), ...BAD.flatMap((x) => [group(x, 1), group(0.1, x), group(0.1, 1, x)])];
    expect(checked(spectrumFigure([{ title: 'mixed', groups }])).querySelectorAll('.group > *').length).toBe(1);
  });

  it('takes weights of zero and gaps over many decades', () => {
    const root = checked(spectrumFigure([{ title: 'cold', groups: [group(1e-12, 0), group(1e-290, 0), group(2, 0)] }]));
    expect(root.querySelectorAll('.group > *').length).toBe(3);
    expect(texts(spectrumFigure([{ title: 'cold', groups: [group(1e-12, 1), group(1, 1)] }]))).toContain('10⁻¹²');
  });
});

describe('frontierFigure', () => {
  const path = (name: string, lift: number): FrontierArm => ({
    name,
    kind: 'path',
    points: Array.from({ length: 12 }, (_, k) => ({ kl: 1.2 - 0.09 * k, effectiveGap: lift * (0.4 - 0.03 * k) })),
  });
  const arms: FrontierArm[] = [
    path('plain training', 1),
    path('weight decay', 1.1),
    {
      name: 'design',
      kind: 'points',
      points: [
        { kl: 0.4, effectiveGap: 0.3 },
        { kl: 0.6, effectiveGap: 0.35 },
      ],
    },
  ];

  it('draws a line and a step line per path, the best of all, and one mark per point', () => {
    const root = checked(frontierFigure(arms));
    const lines = [...root.querySelectorAll('g[aria-label="line"]')];
    expect(lines.length).toBe(5);
    expect(root.querySelectorAll('g[aria-label="dot"]:not(.legend) circle').length).toBe(24);
    expect(root.querySelectorAll('g[aria-label="dot"]:not(.legend) path').length).toBe(2);
  });

  it('gives the step line of an arm the best gap at that KL or lower', () => {
    const points = [
      { kl: 1, effectiveGap: 0.1 },
      { kl: 0.5, effectiveGap: 0.2 },
      { kl: 0.2, effectiveGap: 0.05 },
    ];
    const root = checked(frontierFigure([{ name: 'a', kind: 'path', points }]));
    const steps = [...root.querySelectorAll('g[aria-label="line"] path')][1].getAttribute('d');
    const levels = [...steps.matchAll(/,([\d.]+)/g)].map((match) => Number(match[1]));
    expect(new Set(levels).size).toBe(2);
    expect(levels.every((level, k) => k === 0 || level <= levels[k - 1])).toBe(true);
  });

  it('names every arm in the legend and labels the large marks', () => {
    const written = texts(frontierFigure(arms));
    for (const { name } of arms) expect(written).toContain(name);
    expect(written.filter((text) => text === 'design').length).toBe(2);
  });

  it('draws dominated points hollow and small, and says so in the legend', () => {
    const [first, second] = arms[2].points;
    const judged = [arms[0], { ...arms[2], points: [first, { ...second, dominated: true }] }];
    const marks = [...checked(frontierFigure(judged)).querySelectorAll('g[aria-label="dot"]:not(.legend) path')];
    const fills = marks.map((mark) => [mark.getAttribute('fill'), mark.getAttribute('stroke')]);
    expect(fills).toHaveLength(2);
    expect(fills[0][1]).toBe('white');
    expect(fills[1]).toEqual(['white', fills[0][0]]);
    expect(texts(frontierFigure(judged))).toContain('dominated');
    expect(texts(frontierFigure(arms))).not.toContain('dominated');
  });

  it('treats arms of one name as runs of one arm', () => {
    const root = checked(frontierFigure([path('same', 1), path('same', 1.2)]));
    const colours = [...root.querySelectorAll('g[aria-label="line"]')].map((node) => node.getAttribute('stroke'));
    expect(new Set(colours).size).toBe(2);
    expect(texts(frontierFigure([path('same', 1), path('same', 1.2)])).filter((text) => text === 'same').length).toBe(
      1,
    );
  });

  it('keeps many arms apart by colour and dash', () => {
    const many = Array.from({ length: 20 }, (_, k) => path(`arm ${k}`, 1 + k / 20));
    const looks = [...checked(frontierFigure(many)).querySelectorAll('g.legend[aria-label="dot"]')].map(
      (node) =>
        `${node.getAttribute('stroke')} ${node.getAttribute('stroke-dasharray')} ${node.getAttribute('stroke-width')}`,
    );
    expect(new Set(looks.slice(0, 20)).size).toBe(20);
  });

  it.each([
    ['no arms', []],
    [
      'arms without points',
      [
        { name: 'a', kind: 'path', points: [] },
        { name: 'b', kind: 'points', points: [] },
      ],
    ],
    ['unusable points', [{ name: 'a', kind: 'path', points: BAD.map((x) => ({ kl: x, effectiveGap: x })) }]],
  ] as [string, FrontierArm[]][])('says so for %s', (_, given) => {
    expect(texts(frontierFigure(given))).toContain('no points');
  });

  it.each([
    [{ kl: 0.5, effectiveGap: 0.1 }],
    [{ kl: 0, effectiveGap: 1e-12 }],
    [{ kl: 1e299, effectiveGap: 1e299 }],
    [{ kl: 1e-320, effectiveGap: 1e-299 }],
  ])('draws the single point %o of either kind', (point) => {
    for (const kind of ['path', 'points'] as const) checked(frontierFigure([{ name: 'one', kind, points: [point] }]));
  });

  it('takes ranges from 1e-299 to 1e299 at once', () => {
    const points = [
      { kl: -1e299, effectiveGap: 1e-299 },
      { kl: 1e299, effectiveGap: 1e299 },
    ];
    checked(frontierFigure([{ name: 'wide', kind: 'path', points }]));
  });
});

describe('trainingFigure', () => {
  const points = [
    { step: 0, kl: 1.2, effectiveGap: 0.4 },
    { step: 10, kl: 0.8, effectiveGap: null },
    { step: 20, kl: 0.5, effectiveGap: 0.1 },
    { step: 30, kl: 0.4, effectiveGap: 0.09 },
  ];

  it('draws both quantities of every series over one axis', () => {
    const svg = trainingFigure([
      { name: 'a', points },
      { name: 'b', points },
    ]);
    expect(checked(svg).querySelectorAll('g[aria-label="line"]').length).toBe(4);
    expect(texts(svg)).toEqual(expect.arrayContaining(['KL (nats)', 'effective gap (per kernel step)', 'step']));
    expect(texts(svg).filter((text) => text === '10').length).toBe(1);
  });

  it('breaks the line at a null and marks a value that stands alone', () => {
    const root = checked(trainingFigure([{ name: 'a', points }]));
    const [kl, gap] = [...root.querySelectorAll('g[aria-label="line"] path')].map((node) => node.getAttribute('d'));
    expect(kl.match(/M/g).length).toBe(1);
    expect(gap.match(/M/g).length).toBe(2);
    expect(root.querySelectorAll('g[aria-label="dot"]:not(.legend) circle').length).toBe(1);
  });

  it.each([
    ['no series', []],
    ['a series without points', [{ name: 'a', points: [] }]],
    ['a single point', [{ name: 'a', points: [{ step: 0, kl: 1, effectiveGap: null }] }]],
    ['only unusable values', [{ name: 'a', points: BAD.map((x) => ({ step: x, kl: x, effectiveGap: x })) }]],
    ['a KL of zero', [{ name: 'a', points: [{ step: 1e9, kl: 0, effectiveGap: 1e-12 }] }]],
  ])('draws %s', (_, series) => {
    expect(texts(trainingFigure(series))).toContain('no values');
  });
});

describe('text in figures', () => {
  const name = `${HOSTILE} ${'long '.repeat(40)}`;

  it.each([
    ['spectrum', spectrumFigure([{ title: name, groups: [group(0.1, 1)] }])],
    ['frontier', frontierFigure([{ name, kind: 'points', points: [{ kl: 1, effectiveGap: 0.1 }] }])],
    ['training', trainingFigure([{ name, points: [{ step: 1, kl: 1, effectiveGap: 0.1 }] }])],
  ])('is escaped, shortened and printable: %s', (_, svg) => {
    expect(Math.max(...texts(svg).map((text) => text.length))).toBeLessThan(100);
    expect(svg).toMatch(/aria-label="[^"]*&lt;script&gt;alert\(&quot;1&quot;\)&lt;\/script&gt; &amp; /);
    expect(svg).not.toMatch(/[\p{Cc}\p{Cs}]/u);
    expect(svg).toContain('…');
  });
});

describe('renderReport', () => {
  const svg = trainingFigure([]);
  const html = renderReport({
    title: HOSTILE,
    subtitle: 'a < b',
    footer: '"quoted" & more',
    sections: [
      {
        heading: '<b>heading</b>',
        blocks: [
          { kind: 'paragraph', text: '<img src=x onerror=alert(1)>' },
          {
            kind: 'table',
            caption: 'a & b',
            columns: ['<i>arm</i>', 'gap'],
            rows: [['plain <1>', '0.021']],
            align: ['left', 'right'],
          },
          { kind: 'table', columns: ['only'], rows: [] },
          { kind: 'figure', svg, caption: 'KL > 0', alt: 'a "figure" & <alt>' },
        ],
      },
      { heading: 'empty', blocks: [] },
    ],
  });
  const { document } = parseHTML(html);

  it('is a complete page that loads nothing and runs nothing', () => {
    expect(html.startsWith('<!DOCTYPE html>')).toBe(true);
    expect(document.documentElement.getAttribute('lang')).toBe('en');
    expect(html).not.toMatch(/<script|<img|<link|<b>|<i>|@import|url\(/);
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:/);
    expect(html).toContain("default-src 'none'");
  });

  it('shows every text as it was given', () => {
    const read = (selector: string) => document.querySelector(selector)?.textContent;
    expect(read('h1')).toBe(HOSTILE);
    expect(read('.subtitle')).toBe('a < b');
    expect(read('footer')).toBe('"quoted" & more');
    expect(read('h2')).toBe('<b>heading</b>');
    expect(read('section p')).toBe('<img src=x onerror=alert(1)>');
    expect(read('caption')).toBe('a & b');
    expect(read('thead th')).toBe('<i>arm</i>');
    expect(read('tbody td')).toBe('plain <1>');
    expect(read('figcaption')).toBe('KL > 0');
  });

  it('aligns columns and describes figures', () => {
    expect([...document.querySelectorAll('tbody td')].map((cell) => cell.className)).toEqual(['left', 'right']);
    const figure = document.querySelector('figure [role="img"]');
    expect(figure?.getAttribute('aria-label')).toBe('a "figure" & <alt>');
    expect(html).toContain(svg);
  });
});
