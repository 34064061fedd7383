import { PAGE_STYLE } from './page-style.js';

/** A paragraph of plain text. */
export interface ParagraphBlock {
  /** Which block this is. */
  readonly kind: 'paragraph';
  /** The text; markup is escaped. */
  readonly text: string;
}

/** Cells are shown as given: numbers come formatted. `align` has an entry per column; the default is left. */
export interface TableBlock {
  /** Which block this is. */
  readonly kind: 'table';
  /** What stands above the table. */
  readonly caption?: string | undefined;
  /** Headers. */
  readonly columns: readonly string[];
  /** Cells, one row per entry. */
  readonly rows: readonly (readonly string[])[];
  /** An entry per column; left by default. */
  readonly align?: readonly ('left' | 'right' | 'center')[] | undefined;
}

/** `svg` is inserted as it is, so it must come from this folder's figures; `alt` is what a screen reader says. */
export interface FigureBlock {
  /** Which block this is. */
  readonly kind: 'figure';
  /** The figure. */
  readonly svg: string;
  /** What stands below it. */
  readonly caption: string;
  /** What a screen reader says. */
  readonly alt: string;
}

/** A part of a section. */
export type Block = ParagraphBlock | TableBlock | FigureBlock;

/** A heading with what stands under it. */
export interface Section {
  /** The heading. */
  readonly heading: string;
  /** In order. */
  readonly blocks: readonly Block[];
}

/** The content of {@link renderReport}. */
export interface Report {
  /** The page's heading. */
  readonly title: string;
  /** A line below it. */
  readonly subtitle: string;
  /** In order. */
  readonly sections: readonly Section[];
  /** A line at the end. */
  readonly footer: string;
}

/** A complete HTML page in one file: style and figures inline, no scripts, nothing loaded, a policy against both. */
export function renderReport({ title, subtitle, sections, footer }: Report): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}</h1>
<p class="subtitle">${escapeHtml(subtitle)}</p>
</header>
<main>
${sections.map(renderSection).join('\n')}
</main>
<footer>${escapeHtml(footer)}</footer>
</body>
</html>
`;
}

function renderSection({ heading, blocks }: Section): string {
  return `<section>\n<h2>${escapeHtml(heading)}</h2>\n${blocks.map(renderBlock).join('\n')}\n</section>`;
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case 'paragraph':
      return `<p>${escapeHtml(block.text)}</p>`;
    case 'table':
      return renderTable(block);
    case 'figure':
      return `<figure>
<div class="card scroll" role="img" aria-label="${escapeHtml(block.alt)}" tabindex="0">${block.svg}</div>
<figcaption>${escapeHtml(block.caption)}</figcaption>
</figure>`;
    default:
      return block satisfies never;
  }
}

function renderTable({ caption, columns, rows, align }: TableBlock): string {
  const attribute = (column: number) => ` class="${align?.[column] ?? 'left'}"`;
  const head = columns.map((cell, k) => `<th scope="col"${attribute(k)}>${escapeHtml(cell)}</th>`).join('');
  const body = rows.map(
    (row) => `<tr>${row.map((cell, k) => `<td${attribute(k)}>${escapeHtml(cell)}</td>`).join('')}</tr>`,
  );
  return `<div class="table scroll" role="group" aria-label="${escapeHtml(caption ?? 'table')}" tabindex="0"><table>
${caption === undefined ? '' : `<caption>${escapeHtml(caption)}</caption>\n`}<thead><tr>${head}</tr></thead>
<tbody>
${body.join('\n')}
</tbody>
</table></div>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}
