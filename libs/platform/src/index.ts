export { openGooglePlatform, type GooglePlatform } from './google-platform.ts';
export { openPlatform, type OpenPlatform } from './open-platform.ts';
export { provisionGoogle, type Declaration, type Drift } from './provision-google.ts';
export { RegistryEpochs } from './registry-epochs.ts';
