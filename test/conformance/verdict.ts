/**
 * Every scenario of a run against the list of what is expected to fail. The suite itself holds only
 * the scenarios that a revision requires against the list; what it also runs (extensions, scenarios
 * that are younger than the revision) is judged here.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

const CHECKS = z.array(z.looseObject({ status: z.string() }));
/** The suite names a result's folder so. */
const FOLDER = /^server-(.+)-\d{4}-\d{2}-\d{2}T[\d-]+Z$/;
const ENTRY = /^ {2}- ([^\s:#]+)(:\S+)?/;

interface Expectation {
  readonly scenario: string;
  /** One check of it only: the suite's to judge. */
  readonly isPartial: boolean;
}

function expectationsOf(file: string): Expectation[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, scenario, check] = ENTRY.exec(line) ?? [];
      return scenario === undefined ? [] : [{ scenario, isPartial: check !== undefined }];
    });
}

/** @returns whether it failed, by scenario; a warning is a failure here, as it is for the suite */
function outcomesOf(results: string): Map<string, boolean> {
  const outcomes = new Map<string, boolean>();
  for (const folder of readdirSync(results)) {
    const scenario = FOLDER.exec(folder)?.[1];
    if (scenario === undefined) continue;
    const text = readFileSync(join(results, folder, 'checks.json'), 'utf8');
    const checks = CHECKS.parse(JSON.parse(text));
    outcomes.set(
      scenario,
      checks.some(({ status }) => status === 'FAILURE' || status === 'WARNING'),
    );
  }
  return outcomes;
}

/** @returns what is not as expected, in words */
export function surprises(results: string, expectedFailures: string): string[] {
  const outcomes = outcomesOf(results);
  if (outcomes.size === 0) return ['the suite left no results'];
  const expected = expectationsOf(expectedFailures);
  const listed = new Set(expected.map(({ scenario }) => scenario));
  const failing = [...outcomes].filter(([, hasFailed]) => hasFailed).map(([scenario]) => scenario);
  const unlisted = failing.filter((scenario) => !listed.has(scenario));
  const stale = expected.filter(
    ({ scenario, isPartial }) => !isPartial && outcomes.get(scenario) !== true,
  );
  return [
    ...unlisted.map((scenario) => `${scenario} fails`),
    ...stale.map(({ scenario }) => `${scenario} passes or was not run, and is listed as failing`),
  ];
}
