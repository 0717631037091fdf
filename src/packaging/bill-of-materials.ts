/**
 * `npm run sbom -- FILE`: the bill of materials of what ships, in CycloneDX.
 *
 * npm lists everything that is installed, tools and tests included, and of that the bundles hold a
 * tenth: a warning about a test runner is none about this program. What is in a bundle say the
 * licence texts beside it.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import manifest from '../../package.json' with { type: 'json' };
import { isRecord, parseRecord } from '../base/text/json.ts';

type Bill = Readonly<Record<string, unknown>>;

const recordsOf = (value: unknown): Bill[] =>
  Array.isArray(value) ? value.filter((each) => isRecord(each)) : [];

/** `name@version` of every package whose licence text is in the file. */
export function bundledPackages(licences: string): string[] {
  const found = licences.matchAll(/^Name: (.+)\nVersion: (.+)$/gm);
  return [...found].map(([, name, version]) => `${name}@${version}`);
}

const refOf = (component: Bill): string => `${component.name}@${component.version}`;

/**
 * @param bill as npm writes it
 * @param bundled `name@version` each
 * @throws Error when a bundle holds what npm does not list
 */
export function shippedBill(bill: Bill, bundled: ReadonlySet<string>): Bill {
  const components = recordsOf(bill.components).filter((each) => bundled.has(refOf(each)));
  const listed = new Set(components.map(refOf));
  const missing = [...bundled].filter((each) => !listed.has(each));
  if (missing.length > 0) throw new Error(`npm does not list ${missing.join(', ')}`);
  const root = `${manifest.name}@${manifest.version}`;
  const refs = new Set(components.map((each) => each['bom-ref']));
  const kept = (list: unknown): unknown[] =>
    Array.isArray(list) ? list.filter((each) => refs.has(each)) : [];
  const metadata = isRecord(bill.metadata) ? bill.metadata : {};
  const component = isRecord(metadata.component) ? metadata.component : {};
  return {
    ...bill,
    // npm calls it by the folder that it lies in.
    metadata: { ...metadata, component: { ...component, name: manifest.name } },
    // For npm a bundled package is a tool, because nobody installs it.
    components: components.map((each) => ({ ...each, properties: [] })),
    dependencies: recordsOf(bill.dependencies)
      .filter(({ ref }) => ref === root || refs.has(ref))
      .map((each) => ({ ...each, dependsOn: kept(each.dependsOn) })),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [out = '/dev/stdout'] = process.argv.slice(2);
  const flags = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
  const text = execFileSync('npm', flags, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const licences = ['dist/LICENSES.txt', 'dist/dashboard/LICENSES.txt'];
  const bundled = licences.flatMap((path) => bundledPackages(readFileSync(path, 'utf8')));
  const bill = shippedBill(parseRecord(text) ?? {}, new Set(bundled));
  writeFileSync(out, `${JSON.stringify(bill, null, 2)}\n`);
}
