import { expect, test } from 'vitest';
import { grpcError, grpcStatus, grpcStatusOf } from './grpc-status.ts';

test.each([
  [3, 'PermanentError'],
  [11, 'PermanentError'],
  [5, 'FatalError'],
  [7, 'FatalError'],
  [9, 'FatalError'],
  [12, 'FatalError'],
  [16, 'FatalError'],
  [1, 'TransientError'],
  [2, 'TransientError'],
  [4, 'TransientError'],
  [8, 'TransientError'],
  [10, 'TransientError'],
  [13, 'TransientError'],
  [14, 'TransientError'],
  [99, 'TransientError'],
])('status %i of gRPC is a %s, whichever service says it', (code, name) => {
  const cause = Object.assign(new Error('refused'), { code });
  const error = grpcError({
    status: grpcStatusOf(code),
    message: 'no',
    refusedCode: 'refused',
    remedy: 'Mend it.',
    cause,
  });
  expect([error.name, error.cause]).toEqual([name, cause]);
  expect(error.message).toBe(name === 'FatalError' ? 'no. Mend it.' : 'no');
  expect(grpcStatus(cause)).toBe(grpcStatusOf(code));
});

test('what no service said has no status', () => {
  expect(grpcStatus(new Error('a bug'))).toBeUndefined();
  expect(grpcStatus(Object.assign(new Error('no such file'), { code: 'ENOENT' }))).toBeUndefined();
});
