import { describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { bundledPackages, shippedBill } from '../../src/packaging/bill-of-materials.ts';

const ROOT = `${manifest.name}@${manifest.version}`;
const component = (name: string) => ({
  'bom-ref': `${name}@1.0.0`,
  name,
  version: '1.0.0',
  properties: [{ name: 'cdx:npm:package:development', value: 'true' }],
});
const BILL = {
  bomFormat: 'CycloneDX',
  metadata: { component: { name: 'checkout', version: manifest.version } },
  components: ['undici', 'zod', 'vitest'].map(component),
  dependencies: [
    { ref: ROOT, dependsOn: ['undici@1.0.0', 'vitest@1.0.0'] },
    { ref: 'undici@1.0.0', dependsOn: ['zod@1.0.0'] },
    { ref: 'vitest@1.0.0', dependsOn: ['zod@1.0.0'] },
  ],
};

describe('the bill of materials', () => {
  it('lists what is in the bundles, and no tool', () => {
    expect(shippedBill(BILL, new Set(['undici@1.0.0', 'zod@1.0.0']))).toEqual({
      bomFormat: 'CycloneDX',
      metadata: { component: { name: manifest.name, version: manifest.version } },
      components: ['undici', 'zod'].map((name) => ({ ...component(name), properties: [] })),
      dependencies: [
        { ref: ROOT, dependsOn: ['undici@1.0.0'] },
        { ref: 'undici@1.0.0', dependsOn: ['zod@1.0.0'] },
      ],
    });
  });

  it('is refused when a bundle holds what npm does not list', () => {
    expect(() => shippedBill(BILL, new Set(['undici@2.0.0']))).toThrow('undici@2.0.0');
  });

  it('reads the packages from the licence texts', () => {
    const licences = 'Name: @a/b\nVersion: 1.2.3\nLicense: MIT\n\n---\n\nName: c\nVersion: 0.1.0\n';
    expect(bundledPackages(licences)).toEqual(['@a/b@1.2.3', 'c@0.1.0']);
  });
});
