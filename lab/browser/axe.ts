/** What axe-core finds on a page. */

import axe from 'axe-core';
import type { Page } from 'playwright-core';
import * as z from 'zod/mini';

const FINDINGS = z.array(z.string());
/** Light and dark, a desk's width and a phone's. */
const SCREENS = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [1280, 375].map((width) => ({ colorScheme, width })),
);
const DRAWN = 'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))';

/** Every rule there is, also those that are no law. One line for each element that breaks one. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  // Evaluated by the browser's debugger: the page's own policy lets no foreign script in.
  await page.evaluate(`globalThis.axe === undefined && (() => { ${axe.source} })()`);
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

/** The same on every kind of screen, the page as it is: it only grows, shrinks and changes its colours. */
export async function axeFindingsOnScreens(page: Page): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { colorScheme, width } of SCREENS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    await page.evaluate(DRAWN);
    const findings = await axeFindings(page);
    found.push(...findings.map((each) => `${colorScheme}, ${width} pixels: ${each}`));
  }
  return found;
}
