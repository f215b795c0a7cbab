export { configured, readPlatform } from './configured.ts';
export { googleErasablePlaces } from './google-erasable-places.ts';
export { openGooglePlatform, type GooglePlatform } from './google-platform.ts';
export { openPlatform, type OpenPlatform } from './open-platform.ts';
export { openGoogleWarehouse, warehouseProcess, type WarehousePorts } from './open-warehouse.ts';
export { provisionGoogle, type Drift, type ProvisionOptions } from './provision-google.ts';
export { RegistryEpochs } from './registry-epochs.ts';
