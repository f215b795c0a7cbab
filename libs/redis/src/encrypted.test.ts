import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, skippedWithout, startRedis, type RunningPart } from '@meterflow/emulators';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from './testing/redis-rig.ts';

const keys = ['stage.bulk/1/tenant/00000000000000000000000000000000'];
const lease = { owner: 'a', leaseMs: 2_000 };

describe.skipIf(skippedWithout('redis'))('Redis that speaks TLS alone, at an address of IPv6 [needs redis]', () => {
  let folder: string;
  let server: RunningPart;
  let urls: [string];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'meterflow-tls-'));
    makeCertificate(folder);
    const port = await freePort();
    const tls = ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no'];
    const files = ['cert', 'key'].flatMap((name) => [`--tls-${name}-file`, join(folder, `${name}.pem`)]);
    const args = [...tls, ...files, '--tls-ca-cert-file', join(folder, 'cert.pem'), '--bind', '127.0.0.1', '::1'];
    server = await startRedis({ port, args });
    urls = [`rediss://[::1]:${port}`];
  });

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  test('is used when told who signed its certificate', async () => {
    const store = openStore([server], { urls, certificateAuthority: readFileSync(join(folder, 'cert.pem'), 'utf8') });
    expect(await store.deduper.claim(keys, lease)).toMatchObject([{ state: 'claimed' }]);
    await store.deduper.done(keys, { owner: 'a', doneTtlMs: 10_000 });
    expect(await store.deduper.claim(keys, lease)).toMatchObject([{ state: 'done' }]);
    await store.close();
  });

  test('is not trusted otherwise', async () => {
    const store = openStore([server], { urls });
    await expect(store.deduper.claim(keys, lease)).rejects.toThrow();
    await store.close();
  });
});

function makeCertificate(folder: string): void {
  const names = 'subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost';
  const made = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem'), '-days', '1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=test'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...made, '-addext', names], { stdio: 'ignore' });
}
