/** The routes beside `/mcp`. Whoever gets here has passed the guard. */

import { Hono } from 'hono';
import { presentError } from '../mcp/present-error.ts';
import { type ApiOptions, createApi } from './api/api-route.ts';
import type { HttpExchange } from './http-exchange.ts';
import type { Metrics } from './metrics.ts';
import { loadPage, PAGE_PATHS } from './page-files.ts';
import { PROOF_PATH, proofOf } from './proof.ts';
import { redactAnswer } from './redact-answers.ts';

export interface AppOptions extends ApiOptions {
  readonly metrics: Pick<Metrics, 'render'>;
  /** Of the record that says where this server listens. */
  readonly recordSecret: string;
  /** Where the built page lies; ends with a slash. */
  readonly pageFolder: URL;
}

export const HEALTH_PATH = '/healthz';
export const PUBLIC_PATHS: ReadonlySet<string> = new Set([HEALTH_PATH, PROOF_PATH, ...PAGE_PATHS]);

async function servePage(app: Hono<{ Bindings: HttpExchange }>, folder: URL): Promise<void> {
  const files = await loadPage(folder);
  for (const path of PAGE_PATHS) {
    const file = files.get(path);
    app.get(path, (context) =>
      file === undefined
        ? context.json({ error: 'The page was not built into this program' }, 503)
        : new Response(file.bytes, { headers: { 'Content-Type': file.type } }),
    );
  }
}

export async function createApp(options: AppOptions): Promise<Hono<{ Bindings: HttpExchange }>> {
  const { metrics, admin, logger, host } = options;
  const app = new Hono<{ Bindings: HttpExchange }>();
  app.use(async (context, next) => {
    await next();
    const answer = context.res;
    // What is set in the place of an answer takes over its headers, the length among them.
    context.res = undefined;
    context.res = await redactAnswer(answer, (text) => host.redact(text));
  });
  app.get(HEALTH_PATH, (context) => context.json({ status: 'ok' }));
  app.get(PROOF_PATH, (context) => {
    const proof = proofOf(options.recordSecret, context.req.query('challenge') ?? '');
    return proof === null ? context.notFound() : context.text(proof);
  });
  app.get('/metrics', async () => {
    const snapshot = await admin.snapshot().catch(() => null);
    const { contentType, text } = await metrics.render(snapshot);
    return new Response(text, { headers: { 'Content-Type': contentType } });
  });
  app.route('/api', createApi(options));
  await servePage(app, options.pageFolder);
  app.notFound((context) => context.json({ error: 'Nothing is served at this address' }, 404));
  app.onError((error, context) => context.json({ error: presentError(error, logger) }, 500));
  return app;
}
