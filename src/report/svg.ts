import { type PlotOptions, plot } from '@observablehq/plot';
import { DOMParser } from 'linkedom';

const NAMESPACE = 'http://www.w3.org/2000/svg';
const FONT = 'system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif';
/** Characters that XML does not allow, or that have no place in a label. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu;

/** Plots of one width, stacked from top to bottom in one standalone SVG on white. `label` is its accessible name. */
export function renderSvg(label: string, panels: readonly PlotOptions[]): string {
  const document = new DOMParser().parseFromString(`<svg xmlns="${NAMESPACE}"></svg>`, 'image/svg+xml');
  const root = document.documentElement;
  let width = 0;
  let height = 0;
  for (const panel of panels) {
    const drawn = plot({ ...panel, document });
    const group = document.createElementNS(NAMESPACE, 'g', {});
    group.setAttribute('transform', `translate(0,${height})`);
    for (const child of [...drawn.childNodes]) if (child.nodeName.toLowerCase() !== 'style') group.appendChild(child);
    root.appendChild(group);
    width = Math.max(width, Number(drawn.getAttribute('width')));
    height += Number(drawn.getAttribute('height'));
  }
  const attributes = {
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: 'img',
    'aria-label': label,
    'font-family': FONT,
    'font-size': 12,
    'font-variant': 'tabular-nums',
    'text-anchor': 'middle',
    fill: 'currentColor',
    style: 'color: #22262b; background: #fff',
  };
  for (const [name, value] of Object.entries(attributes)) root.setAttribute(name, String(value));
  return root.outerHTML.replace(UNPRINTABLE, ' ');
}
