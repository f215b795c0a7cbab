import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const scripts = join(process.env['METERFLOW_SHARED'] ?? '', 'tools/control-plane');
/** Builds what is missing, too. */
const startMsMax = 1_800_000;
const stopMsMax = 60_000;
const portOfOwn = 17_443;

/** Whether one can be started here. */
export const hasControlPlane = existsSync(join(scripts, 'start.sh'));

export interface OwnControlPlane {
  readonly kubeconfig: string;
  /** Where the scripted metrics are told their values. */
  readonly metricsUrl: string;
  stop(): void;
}

/**
 * A control plane beside any other, whose HPA controller waits for nobody: with its own limits of calls a second, twenty
 * autoscalers would wait in the middle of their syncs.
 */
export function startControlPlane(syncSeconds: number): OwnControlPlane {
  const folder = mkdtempSync(join(tmpdir(), 'meterflow-live-'));
  const env = {
    ...process.env,
    CRDS: '',
    HPA_SYNC: `${syncSeconds}s`,
    HPA_FLAGS: '--kube-api-qps=500 --kube-api-burst=1000',
    NODES: '4',
    CONTROL_PLANE_RUN: join(folder, 'run'),
    CONTROL_PLANE_PORT: String(portOfOwn),
  };
  const kubeconfig = execFileSync(join(scripts, 'start.sh'), { env, encoding: 'utf8', timeout: startMsMax }).trim();
  return {
    kubeconfig,
    metricsUrl: `https://127.0.0.1:${portOfOwn + 1}`,
    stop: () => {
      execFileSync(join(scripts, 'stop.sh'), { env, timeout: stopMsMax });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
