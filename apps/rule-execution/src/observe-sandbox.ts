import type { IsolatedSandboxOptions } from '@meterflow/sandbox';
import type { Telemetry } from '@meterflow/stage';

/** Tells operators what becomes of rules' processes, and what the kernel keeps from them. */
export function observeSandbox(
  telemetry: Telemetry,
): Required<Pick<IsolatedSandboxOptions, 'onIncident' | 'onIsolation'>> {
  const { logger } = telemetry;
  return {
    onIncident: ({ kind, message }) => {
      telemetry.count('sandbox_incidents_total', 1, { kind });
      logger.warn(message, { kind });
    },
    onIsolation: (isolation) => {
      const holds = { network: false, files: false, privileges: false, ...isolation };
      for (const [kept, value] of Object.entries(holds)) {
        telemetry.gauge('sandbox_isolation_now', value ? 1 : 0, { kept });
      }
      logger.info('what the kernel keeps from rules', holds);
    },
  };
}
