import type { Role } from '@meterflow/registry';
import { roles } from '@meterflow/registry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HttpServer } from '../http-server.ts';
import type { Route } from '../route.ts';

export interface AdmissionSuite {
  readonly server: HttpServer;
  /** A key of each role. */
  readonly keys: Readonly<Record<Role, string>>;
  close(): Promise<void>;
}

/**
 * What every route of a server holds: no answer without a credential, none for a wrong role. `routes` names those that
 * the server must have, so that one that is forgotten is missed.
 */
export function describeAdmission(
  name: string,
  options: { readonly routes: readonly Route[]; make(): Promise<AdmissionSuite> },
): void {
  describe(`${name} admits`, () => {
    let suite: AdmissionSuite;
    let url: string;
    beforeAll(async () => {
      suite = await options.make();
      url = await suite.server.listen({ host: '127.0.0.1', port: 0 });
    });
    afterAll(async () => {
      await suite.server.close();
      await suite.close();
    });

    const call = (route: Route, authorization?: string): Promise<Response> =>
      fetch(url + route.path.replaceAll(/\{\w+\}/g, 'x'), {
        method: route.method,
        headers: authorization === undefined ? {} : { authorization },
      });

    test('every route that it should have', () => {
      const named = (routes: readonly Route[]) => routes.map(({ method, path }) => `${method} ${path}`).sort();
      expect(named(suite.server.routes)).toEqual(expect.arrayContaining(named(options.routes)));
    });

    test.each(['/livez', '/readyz', '/openapi.json'])('anyone to %s', async (path) => {
      expect([200, 503]).toContain((await fetch(url + path)).status);
    });

    for (const route of options.routes) {
      const title = `${route.method} ${route.path}`;
      test.each([
        ['no credential', undefined],
        ['a wrong one', 'Bearer mf_0000000000000000_' + 'A'.repeat(43)],
        ['another scheme', 'Basic YTpi'],
      ])(`nobody with %s to ${title}`, async (_what, authorization) => {
        const answer = await call(route, authorization);
        expect(answer.status).toBe(401);
        expect(answer.headers.get('www-authenticate')).toContain('Bearer');
        expect(await answer.json()).toMatchObject({ code: 'not-authenticated' });
      });
      test(`only ${route.roles.join(', ')} to ${title}`, async () => {
        for (const role of roles) {
          const { status } = await call(route, `Bearer ${suite.keys[role]}`);
          expect(status === 403).toBe(!route.roles.includes(role));
          expect(status).not.toBe(401);
        }
      });
    }
  });
}
