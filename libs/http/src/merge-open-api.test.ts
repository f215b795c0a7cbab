import { expect, test } from 'vitest';
import { mergeOpenApi } from './index.ts';
import { openApi } from './open-api.ts';
import { defineRoute, type Method } from './route.ts';

const facts = { title: 'a', version: '1', description: '' };
const route = (method: Method, path: `/${string}`) =>
  defineRoute({
    method,
    path,
    operationId: `${method}${path}`,
    summary: '',
    roles: ['operator'],
    answers: { 204: { description: '' } },
    handle: () => Promise.resolve({}),
  });

test('the documents of several services are one, operation by operation', () => {
  const first = openApi(facts, [route('GET', '/v1/readings')]);
  const second = openApi({ ...facts, title: 'b' }, [route('POST', '/v1/readings'), route('GET', '/v1/mappings')]);
  const merged = mergeOpenApi(first, [second]) as { info: object; paths: Record<string, object>; components: object };
  expect(merged.info).toEqual(facts);
  expect(merged.components).toEqual(first['components']);
  expect(Object.keys(merged.paths).sort()).toEqual(['/livez', '/readyz', '/v1/mappings', '/v1/readings']);
  expect(Object.keys(merged.paths['/v1/readings'] ?? {}).sort()).toEqual(['get', 'post']);
});
