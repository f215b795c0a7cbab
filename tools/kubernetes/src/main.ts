// `npm run manifests`: writes what follows from k8s/platform.json: the lanes, and the autoscalers of their stages. What
// another platform file had written, and this one does not, goes.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { k8sFolder } from './k8s-folder.ts';
import { manifestFiles } from './manifest-files.ts';
import { writtenFiles } from './written-files.ts';

const files = manifestFiles(readFileSync(join(k8sFolder, 'platform.json'), 'utf8'));
for (const path of writtenFiles(k8sFolder)) {
  rmSync(join(k8sFolder, path));
}
for (const [path, text] of Object.entries(files)) {
  mkdirSync(dirname(join(k8sFolder, path)), { recursive: true });
  writeFileSync(join(k8sFolder, path), text);
}
