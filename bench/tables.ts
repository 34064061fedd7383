/** Where lines go: standard output, and what becomes docs/performance.md. */
export class Sheet {
  readonly lines: string[] = [];

  print(line = ''): void {
    this.lines.push(line);
    process.stdout.write(`${line}\n`);
  }

  heading(title: string, text: string): void {
    this.print();
    this.print(`## ${title}`);
    this.print();
    this.print(text);
    this.print();
  }

  header(...names: readonly string[]): void {
    this.row(...names);
    this.row(...names.map(() => '---'));
  }

  row(...cells: readonly string[]): void {
    this.print(`| ${cells.join(' | ')} |`);
  }
}

/** Three digits, without an exponent where that reads well. */
export function number(value: number, digits = 3): string {
  const text = Number(value.toPrecision(digits));
  return Math.abs(text) >= 1e-3 && Math.abs(text) < 1e6 ? String(text) : value.toExponential(digits - 1);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Median, least and most. */
export function spread(values: readonly number[]): string {
  return `${number(median(values))} (${number(Math.min(...values))} to ${number(Math.max(...values))})`;
}

/** Whether a median ratio reaches what was aimed for. */
export function verdict(ratio: number, target: number | null): string {
  if (target === null) return '';
  return `${number(target)}x: ${ratio >= target ? 'met' : `missed by ${number(target / ratio)}x`}`;
}
