import { DOMParser } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { type PathFigure, pathFigure } from '../../src/report/figures.js';

function drawn(figure: PathFigure) {
  const svg = pathFigure(figure);
  expect(svg).not.toMatch(/NaN|undefined|Infinity|<script/);
  const root = new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement;
  expect(root.getAttribute('aria-label')).toBeTruthy();
  const all = (selector: string) => [...root.querySelectorAll(selector)];
  return {
    texts: all('text').map((node) => node.firstChild.textContent),
    curves: all('g[aria-label="line"] path').length,
    rules: all('g[aria-label="rule"] line').length,
    circles: all('g[aria-label="dot"] circle').map((node) => ({
      fill: node.getAttribute('fill') ?? node.parentNode.getAttribute('fill'),
      radius: Number(node.getAttribute('r') ?? 0),
    })),
  };
}

const samples = Array.from({ length: 11 }, (_, k) => ({
  at: k / 10,
  logRhat: 3 + Math.sin(k),
  groups: [
    { eigenvalue: 0.9 - 0.01 * k, weight: 2 },
    { eigenvalue: 0.8 + 0.01 * k, weight: 0.5 },
  ],
}));
const event = (at: number, type: string) => ({ at, type });
const crossing = (at: number, kind: 'true' | 'avoided') => ({ at, kind, eigenvalues: [0.85, 0.84] as const });

describe('the figure of a path', () => {
  test('breaks the curve at every event, and names and draws the events in both panels', () => {
    const { curves, rules, texts } = drawn({
      samples,
      crossings: [],
      events: [event(0.75, 'speeds-up'), event(0.25, 'slows-down'), event(0.55, 'slows-down')],
    });
    expect(curves).toBe(4);
    expect(rules).toBe(6);
    expect(texts.filter((text) => text === 'slows-down').length).toBe(1);
    expect(texts).toContain('speeds-up');
    expect(texts).not.toContain('levels cross');
  });

  test('tells crossings of the two kinds apart, with a key for those that are there', () => {
    const { circles, texts } = drawn({
      samples,
      crossings: [crossing(0.3, 'true'), crossing(0.6, 'avoided'), crossing(0.8, 'avoided')],
      events: [],
    });
    const count = (fill: string) => circles.filter((circle) => circle.fill === fill).length;
    expect(count('white')).toBeGreaterThanOrEqual(2);
    expect(count('#22262b')).toBeGreaterThanOrEqual(1);
    expect(texts).toContain('levels cross');
    expect(texts).toContain('levels repel');
    expect(drawn({ samples, crossings: [crossing(0.3, 'true')], events: [] }).texts).not.toContain('levels repel');
  });

  test('the dot of a group is larger where its share is', () => {
    const radii = drawn({ samples, crossings: [], events: [] }).circles.map(({ radius }) => radius);
    expect(radii.length).toBe(22);
    expect(Math.max(...radii)).toBeGreaterThan(1.5 * Math.min(...radii));
  });

  test('stands what has no value', () => {
    const nothing = samples.map(({ at }) => ({ at, logRhat: null, groups: [] }));
    expect(drawn({ samples: nothing, crossings: [], events: [event(0.5, '<b>&')] }).texts).toContain('no values');
    const odd = [
      { at: 0, logRhat: Number.POSITIVE_INFINITY, groups: [{ eigenvalue: 1, weight: 0 }] },
      { at: 1, logRhat: Number.NaN, groups: [{ eigenvalue: 0.5, weight: Number.NaN }] },
    ];
    drawn({ samples: odd, crossings: [], events: [] });
  });
});
