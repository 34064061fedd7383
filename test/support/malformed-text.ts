/** One malformed file: what is wrong, its content, the field that the message names and what else the message says. */
export type Row = readonly [name: string, content: string | Uint8Array, field: string, pattern: RegExp];

/** A text in the encoding that some editors call Unicode. */
export const utf16 = (text: string) => new Uint8Array(Buffer.from(`\ufeff${text}`, 'utf16le'));

/** Texts that are not JSON, for every reader of JSON. */
export const notJson: readonly Row[] = [
  ['an empty file', '', 'the file', /must be JSON, got an empty file/],
  ['white space only', ' \n\n', 'the file', /got an empty file/],
  ['a bare word', 'hello', 'line 1, column 1', /must be valid JSON, got an unexpected "h"/],
  ['a trailing comma', '{\n  "kind": "ising",\n}', 'line 3, column 1', /got an unexpected "}"; check the commas/],
  ['a missing comma', '{"kind": "ising"\r\n "spins": 3}', 'line 2, column 2', /got an unexpected "\\""/],
  ['a missing colon', '{"kind" "ising"}', 'line 1, column 9', /valid JSON/],
  ['single quotes', "{'kind': 'ising'}", 'line 1, column 2', /got an unexpected "'"/],
  ['an unterminated string', '{"kind": "ising\n}', 'line 1, column 10', /valid JSON/],
  [
    'a file that stops',
    '{"edges": [[0, 1], [',
    'line 1, column 21',
    /got the end of the file; close what is still open/,
  ],
  ['a wrong bracket', '{"edges": [[0, 1}}', 'line 1, column 17', /got an unexpected "}"/],
  ['two values', '{} {}', 'line 1, column 4', /got an unexpected "{"/],
  ['a bare NaN', '{"beta": NaN}', 'line 1, column 10', /got an unexpected "N"/],
  ['a leading zero', '{"beta": 01}', 'line 1, column 11', /got an unexpected "1"/],
  ['UTF-16', utf16('{}'), 'the file', /must be UTF-8 text, got UTF-16; save it as UTF-8/],
  ['UTF-16 without a mark', utf16('{}').slice(2), 'the file', /must be UTF-8 text, got zero bytes/],
  ['Latin-1', new Uint8Array(Buffer.from('{"kind": "isingé"}', 'latin1')), 'the file', /bytes that are not UTF-8/],
];
