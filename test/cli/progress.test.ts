import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Progress } from '../../src/cli/progress.js';

/** What a progress line writes to a stream, over some steps of 60 ms each. */
async function written(isTTY: boolean, columns = 200): Promise<string> {
  let text = '';
  const stream = { isTTY, columns, write: (part: string) => (text += part) } as unknown as NodeJS.WriteStream;
  const progress = new Progress('train', 100, 40, stream);
  for (let step = 41; step <= 50; step++) {
    await sleep(60);
    progress.update(step, 'KL 0.1');
  }
  progress.finish();
  return text;
}

test('on a terminal: how far, how long at most, and the line is cleared at the end', async () => {
  const text = await written(true);
  const shown = [...text.matchAll(/train (\d+)\/100 \((\d+)%\), at most (\d+) s left; KL 0\.1/g)];
  // At most five times a second.
  expect(shown.length).toBeGreaterThanOrEqual(1);
  expect(shown.length).toBeLessThanOrEqual(4);
  for (const [, step, percent, left] of shown) {
    expect(percent).toBe(step);
    // Steps of at least 60 ms, counted from where this process began.
    expect(Number(left)).toBeGreaterThanOrEqual(Math.floor(0.06 * (100 - Number(step))));
    expect(Number(left)).toBeLessThan(60);
  }
  expect(text.endsWith('\r\x1b[K')).toBe(true);
});

test('it fits in the window, and says nothing elsewhere', async () => {
  for (const line of (await written(true, 30)).split('\r\x1b[K')) expect(line.length).toBeLessThan(30);
  expect(await written(false)).toBe('');
});
