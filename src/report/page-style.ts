/** Style of a report page. Figures stand on a white card in either colour scheme. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ink: #22262b; --muted: #5d646c; --line: #d9dde2; --head: #f3f5f7; --page: #fff; --accent: #1f63b4;
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e7ea; --muted: #a1a9b2; --line: #3a4149; --head: #22272d; --page: #171b1f; --accent: #7fb2ee; }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 3rem; max-width: 62rem; background: var(--page); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: break-word;
}
header { border-bottom: 2px solid var(--ink); margin-bottom: 2rem; padding-bottom: 1rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 2.25rem 0 0.75rem; }
.subtitle { color: var(--muted); margin: 0.4rem 0 0; }
p { margin: 0 0 1rem; }
.scroll { overflow-x: auto; }
.scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.table { margin: 0 0 1.5rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; line-height: 1.4; }
caption { text-align: left; color: var(--muted); padding-bottom: 0.5rem; }
th, td { padding: 0.35rem 0.75rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { background: var(--head); border-bottom: 1px solid var(--muted); vertical-align: bottom; }
.right { text-align: right; }
td.right, td:first-child { white-space: nowrap; }
.center { text-align: center; }
figure { margin: 0 0 1.75rem; }
.card { background: #fff; border: 1px solid var(--line); border-radius: 6px; padding: 0.75rem; }
.card svg { display: block; width: 100%; min-width: 22rem; max-width: 40rem; height: auto; margin: 0 auto; }
figcaption { color: var(--muted); font-size: 0.9rem; line-height: 1.45; margin-top: 0.5rem; }
footer {
  border-top: 1px solid var(--line); color: var(--muted); font-size: 0.85rem; margin-top: 2.5rem; padding-top: 0.75rem;
}
@media (max-width: 32rem) {
  body { padding: 1.25rem 0.75rem 2rem; }
  .card { padding: 0.4rem; }
  th, td { padding: 0.3rem 0.4rem; }
}
@media print {
  :root { --ink: #000; --muted: #444; --line: #bbb; --head: #f3f5f7; --page: #fff; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  h2 { break-after: avoid; }
  figure, tr { break-inside: avoid; }
  thead { display: table-header-group; }
  .scroll { overflow: visible; }
  .card { border: 0; padding: 0; }
  .card svg { min-width: 0; }
}
`;
