/** The dashboard for Grafana against what the server really exposes. */

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { createMetrics } from '../../src/http/metrics.ts';

const PANEL = z.object({
  id: z.number(),
  title: z.string(),
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  targets: z.array(z.object({ expr: z.string(), legendFormat: z.string() })).optional(),
});
const { panels } = z
  .object({ panels: z.array(PANEL) })
  .parse(
    JSON.parse(readFileSync(new URL('../../docs/grafana-dashboard.json', import.meta.url), 'utf8')),
  );

/** Families that the panels ask for, of both providers. */
function askedFor(): Set<string> {
  const names = new Set<string>();
  for (const { targets = [] } of panels) {
    for (const { expr } of targets) {
      const bare = expr.replaceAll('[$__rate_interval]', '').replace(/by \([^)]*\)/g, '');
      for (const provider of ['deepseek', 'perplexity']) {
        const text = bare.replace(/\$\{?provider\}?/g, provider);
        for (const [name] of text.replace(/\{[^}]*\}/g, '').matchAll(/\b[a-z]+_[a-z_]+\b/g)) {
          if (name !== 'histogram_quantile') names.add(name.replace(/_(?:bucket|sum|count)$/, ''));
        }
      }
    }
  }
  return names;
}

it('every metric has a panel, and every panel a metric', async () => {
  const { text } = await createMetrics().render(null);
  const exposed = [...text.matchAll(/^# HELP (\w+) /gm)].map(([, name]) => name ?? '');
  expect(exposed.length).toBeGreaterThan(30);
  expect([...askedFor()].sort()).toEqual(exposed.sort());
});

it('no panel lies on another one, and each has an id of its own', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  for (const [at, { title, gridPos: a }] of panels.entries()) {
    for (const { title: other, gridPos: b } of panels.slice(at + 1)) {
      const isApart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
      expect(isApart, `${title}, ${other}`).toBe(true);
    }
  }
});
