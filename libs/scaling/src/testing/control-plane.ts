import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const scripts = join(process.env['METERFLOW_SHARED'] ?? '', 'tools/control-plane');
const stopMsMax = 60_000;

/** Whether one can be started here. */
export const hasControlPlane = existsSync(join(scripts, 'start.sh'));

export interface ControlPlaneOptions {
  /** Of its API server; its other parts have the thirty after it. */
  readonly port: number;
  /** Builds what is missing, too. */
  readonly startMsMax: number;
  /** Variables that the head of `start.sh` names. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface ControlPlane {
  readonly kubeconfig: string;
  /** Ends what was started, and nothing else. */
  stop(): void;
}

/** An empty control plane beside any other, for one test file. Throws where it does not become ready; nothing of it is left then. */
export function startControlPlane({ port, startMsMax, settings }: ControlPlaneOptions): ControlPlane {
  const folder = mkdtempSync(join(tmpdir(), 'meterflow-control-plane-'));
  const own = { CRDS: '', CONTROL_PLANE_RUN: join(folder, 'run'), CONTROL_PLANE_PORT: String(port) };
  const env = { ...process.env, ...own, ...settings };
  const stop = (): void => {
    execFileSync(join(scripts, 'stop.sh'), { env, timeout: stopMsMax });
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const started = execFileSync(join(scripts, 'start.sh'), { env, encoding: 'utf8', timeout: startMsMax });
    return { kubeconfig: started.trim(), stop };
  } catch (error) {
    stop();
    throw error;
  }
}
