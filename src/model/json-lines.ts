/** The text of a JSON object with one key per line, its values compact; every number comes back with the same bits. */
export function jsonLines(object: object): string {
  const lines = Object.entries(object).map(([key, value]) => `  ${JSON.stringify(key)}: ${jsonText(value)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

/** Compact JSON that keeps the sign of zero, which `JSON.stringify` drops. */
function jsonText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}:${jsonText(inner)}`)}}`;
  }
  return Object.is(value, -0) ? '-0' : JSON.stringify(value);
}
