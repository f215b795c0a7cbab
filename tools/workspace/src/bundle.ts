// Bundles one app to a single file, for container images: `node bundle.ts apps/<app>` writes dist/apps/<app>/main.js.
import { join } from 'node:path';
import { bundleApp } from './bundle-app.ts';
import { repositoryRoot } from './repository.ts';

const [app] = process.argv.slice(2);
if (app === undefined || !/^apps\/[a-z-]+$/.test(app)) {
  throw new Error('usage: bundle.ts apps/<app>');
}

await bundleApp(app, join(repositoryRoot, 'dist'));
