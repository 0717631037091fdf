/** What axe-core finds on a page. */

import axe from 'axe-core';
import type { Page } from 'playwright-core';
import * as z from 'zod/mini';

const FINDINGS = z.array(z.string());

/** Every rule there is, also those that are no law. One line for each element that breaks one. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  // Evaluated by the browser's debugger: the page's own policy lets no foreign script in.
  await page.evaluate(axe.source);
  const found = await page.evaluate(`
    axe.run(document, {
      runOnly: {
        type: 'tag',
        values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice', 'experimental'],
      },
    }).then(({ violations }) => violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => id + ' ' + target.join(' ') + ': ' + failureSummary)))`);
  return FINDINGS.parse(found);
}
