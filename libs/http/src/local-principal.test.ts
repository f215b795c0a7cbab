import { expect, test } from 'vitest';
import { localCredential, localPrincipal } from './local-principal.ts';

test('a local credential says for whom it acts', () => {
  expect(localPrincipal(localCredential('operator', 'acme'))).toEqual({
    tenant: 'acme',
    role: 'operator',
    keyId: 'local',
  });
});

test.each(['local.operator.Not a tenant', 'local.operator.', 'local.owner.acme', 'local.operator', 'mf_abc', ''])(
  '"%s" is nobody',
  (text) => {
    expect(localPrincipal(text)).toBeUndefined();
  },
);
