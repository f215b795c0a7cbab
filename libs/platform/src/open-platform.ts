import { openEmbeddedPlatform, type EmbeddedPlatform } from '@meterflow/embedded';
import type { ServiceConfig } from '@meterflow/service';
import type { Telemetry } from '@meterflow/stage';
import { openGooglePlatform, type GooglePlatform } from './google-platform.ts';

/** The platform that the configuration names. Some parts of the product are there on one kind alone: they ask for it. */
export type OpenPlatform =
  | { readonly kind: 'embedded'; readonly platform: EmbeddedPlatform }
  | { readonly kind: 'google'; readonly platform: GooglePlatform };

export async function openPlatform(
  { platform, dataDir, owner }: Pick<ServiceConfig, 'platform' | 'dataDir' | 'owner'>,
  telemetry: Telemetry,
): Promise<OpenPlatform> {
  switch (platform.kind) {
    case 'embedded':
      return { kind: 'embedded', platform: openEmbeddedPlatform({ root: dataDir, owner, telemetry }) };
    case 'google':
      return { kind: 'google', platform: await openGooglePlatform(platform, telemetry) };
  }
}
