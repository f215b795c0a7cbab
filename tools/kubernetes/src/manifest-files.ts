import { parsePlatformFile } from '@meterflow/service';
import { jobFiles } from './job-files.ts';
import { laneFiles, type ManifestFiles } from './lane-files.ts';
import { rolloutFiles } from './rollout-files.ts';
import { scalerFiles } from './scaler-files.ts';
import { sizedFiles } from './sized-files.ts';

/** Everything below k8s/ that follows from the platform file. */
export function manifestFiles(platformText: string): ManifestFiles {
  const { lanes } = parsePlatformFile(platformText, 'k8s/platform.json');
  return {
    ...laneFiles(lanes),
    ...scalerFiles(lanes),
    ...sizedFiles(lanes),
    ...jobFiles(lanes),
    ...rolloutFiles(lanes),
    // kustomize reads no file above its folder. Without the line for editors, which names a file that is not there.
    'base/configuration/platform.json': platformText.replace(/^ *"\$schema":.*\n/m, ''),
  };
}
