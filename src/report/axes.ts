/** What an axis needs beyond its data: where it starts and ends, which values it marks, and how it writes them. */
export interface Axis {
  readonly type: 'linear' | 'log';
  readonly domain: readonly [number, number];
  readonly ticks: readonly number[];
  readonly format: (tick: number) => string;
}

/** Whether a number can be placed on a linear axis without overflow in its arithmetic. */
export function onLinearAxis(value: number | null): value is number {
  return value !== null && Math.abs(value) < 1e300;
}

/** Whether a number can be placed on a logarithmic axis. */
export function onLogAxis(value: number | null): value is number {
  return onLinearAxis(value) && value > 1e-300;
}

/** A logarithmic axis around positive values, at least a factor of three wide; `[0.01, 1]` when there are none. */
export function logAxis(values: readonly number[]): Axis {
  let [low, high] = values.length === 0 ? [0.01, 1] : extent(values);
  if (high < 3 * low) {
    const centre = Math.sqrt(low) * Math.sqrt(high);
    low = centre / Math.sqrt(3);
    high = centre * Math.sqrt(3);
  }
  const ticks = logTicks(low, high);
  return { type: 'log', domain: [low, high], ticks, format: ticks.every(isShort) ? plain : scientific };
}

/** A linear axis around values, never of zero width; `[0, 1]` when there are none. */
export function linearAxis(values: readonly number[]): Axis {
  let [low, high] = values.length === 0 ? [0, 1] : extent(values);
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (high - low <= 1e-3 * size || size < 1e-12) {
    const room = size < 1e-12 ? 0.5 : 0.1 * size;
    [low, high] = [low - room, high + room];
  }
  const power = 10 ** Math.floor(Math.log10((high - low) / 5));
  const step = power * ([1, 2, 5].find((m) => (high - low) / (m * power) <= 7) ?? 10);
  const first = Math.ceil(low / step);
  const ticks = Array.from({ length: Math.floor(high / step) - first + 1 }, (_, k) =>
    Number(((first + k) * step).toPrecision(12)),
  );
  return { type: 'linear', domain: [low, high], ticks, format: ticks.every(isShort) ? aligned(ticks) : scientific };
}

/** Decades where there are many, else round mantissas. */
function logTicks(low: number, high: number): number[] {
  const [from, to] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const within = (mantissas: readonly number[], step: number) => {
    const decades = Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, k) => to - k * step).reverse();
    const ticks = decades.flatMap((decade) => mantissas.map((m) => Number(`${m}e${decade}`)));
    return ticks.filter((tick) => tick >= low && tick <= high);
  };
  if (high / low > 1e3) return within([1], Math.ceil((to - from) / 8));
  const choices = [[1], [1, 2, 5], [1, 2, 3, 5], [1, 1.5, 2, 3, 4, 5, 6, 8]].map((mantissas) => within(mantissas, 1));
  return choices.find((ticks) => ticks.length >= 4) ?? choices[choices.length - 1];
}

/** A value for a tooltip: three significant digits. */
export function formatValue(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return isShort(rounded) ? plain(rounded) : scientific(rounded);
}

function isShort(value: number): boolean {
  return value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6);
}

function plain(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 12 });
}

/** Plain, all with as many decimals as the one that needs most. */
function aligned(ticks: readonly number[]): (tick: number) => string {
  const decimals = Math.max(0, ...ticks.map((tick) => (String(tick).split('.')[1] ?? '').length));
  return (tick) => tick.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** `2×10⁻⁷`, with superscript digits. */
function scientific(value: number): string {
  if (value === 0 || value === 1) return String(value);
  const [mantissa, exponent] = value.toExponential().split('e');
  const digits = String(Number(exponent)).replace(/./g, (digit) => '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'['-0123456789'.indexOf(digit)]);
  return mantissa === '1' ? `10${digits}` : `${mantissa}×10${digits}`;
}

function extent(values: readonly number[]): [number, number] {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}
