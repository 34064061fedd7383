import { OBLIGATIONS } from 'htdml/proofs';
import { describe, expect, test } from 'vitest';

describe.each(OBLIGATIONS)('$id: $title', ({ properties }) => {
  test.each(properties)(
    '$name: $claim',
    ({ check }) => {
      const { failure, worstMargin } = check();
      expect(failure).toBeNull();
      expect(worstMargin).toBeGreaterThanOrEqual(1);
    },
    600_000,
  );
});
