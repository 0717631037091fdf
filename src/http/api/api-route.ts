/** `/api/*`: the snapshot, the keys, the environment. A value goes in and never comes out. */

import { Hono } from 'hono';
import * as z from 'zod/mini';
import { ConfigError, isAbort, KeyStoreError, type KeyStoreErrorCode } from '../../base/errors.ts';
import { isKeyName } from '../../base/keys/key-names.ts';
import type { Logger } from '../../base/logger.ts';
import { presentError } from '../../mcp/present-error.ts';
import type { ServerHost } from '../../mcp/server-host.ts';
import type { HttpExchange } from '../http-exchange.ts';
import { readJson } from '../request-body.ts';
import type { Admin } from './admin.ts';
import type { History } from './history.ts';

export interface ApiOptions {
  readonly host: ServerHost;
  readonly admin: Admin;
  readonly history: History;
  readonly logger: Logger;
}

const NEW_KEY = z.strictObject({
  name: z.string().check(z.refine(isKeyName)),
  value: z.string().check(z.minLength(1), z.maxLength(8_192)),
  account: z.optional(z.string().check(z.minLength(1), z.maxLength(64))),
});
const PASTED = z.strictObject({ text: z.string().check(z.minLength(1), z.maxLength(1_000_000)) });
const CHOICE = z.strictObject({ environment: z.nullable(z.string().check(z.maxLength(32))) });

type Status = 400 | 404 | 409 | 413 | 415 | 500 | 503;

/** Refused by the API itself; the message is ours and names no value. */
class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: Status;

  constructor(status: Status, message: string) {
    super(message);
    this.status = status;
  }
}

const STORE_STATUS: Readonly<Partial<Record<KeyStoreErrorCode, Status>>> = {
  invalid_name: 400,
  invalid_value: 400,
  unknown_name: 404,
  locked: 409,
};

function statusOf(error: unknown): Status {
  if (error instanceof ApiError) return error.status;
  if (error instanceof KeyStoreError) return STORE_STATUS[error.code] ?? 503;
  return error instanceof ConfigError ? 409 : 500;
}

/**
 * The body as `schema` wants it, unknown fields refused.
 *
 * @param shape what is expected, in words: third-party text could quote a value
 */
async function input<T>(
  exchange: HttpExchange,
  schema: z.ZodMiniType<T>,
  shape: string,
): Promise<T> {
  const body = await readJson(exchange);
  // Nobody reads the answer to a body that broke off.
  if (body.kind === 'gone') throw new ApiError(400, 'The body did not arrive');
  if (body.kind === 'bad') throw new ApiError(body.status, body.message);
  if (body.kind === 'none') throw new ApiError(400, `A JSON body is needed: ${shape}`);
  const parsed = schema.safeParse(body.value);
  if (!parsed.success) throw new ApiError(400, `The body has to be ${shape}`);
  return parsed.data;
}

/** The name may be a key that landed in the wrong place: it is never repeated. */
function knownForm(name: string): string {
  if (isKeyName(name)) return name;
  throw new ApiError(404, 'There is no key of that name');
}

function readRoutes(api: Hono<{ Bindings: HttpExchange }>, options: ApiOptions): void {
  const { host, admin, history } = options;
  api.get('/status', async () => Response.json(await host.status()));
  api.get('/history', ({ req }) =>
    Response.json(history.view(Number(req.query('since') ?? 0) || 0)),
  );
  api.get('/money', async () => Response.json(await admin.money()));
  api.get('/keys', async () => Response.json(await admin.listKeys()));
  api.get('/environments', async () => Response.json(await admin.environments()));
}

function writeRoutes(api: Hono<{ Bindings: HttpExchange }>, options: ApiOptions): void {
  const { admin, logger } = options;
  api.post('/keys', async (context) => {
    const key = await input(context.env, NEW_KEY, '{name, value, account?}, all of them text');
    const result = await admin.putKey(key);
    logger.info(`Key ${key.name} ${result} over HTTP`, { name: key.name, result });
    return context.json({ name: key.name, result }, result === 'added' ? 201 : 200);
  });
  api.post('/keys/import', async (context) => {
    const { text } = await input(context.env, PASTED, '{text}');
    const report = await admin.importKeys(text);
    logger.info('Keys imported over HTTP', { added: report.added, unchanged: report.unchanged });
    return context.json(report);
  });
  api.delete('/keys/:name', async (context) => {
    const name = knownForm(context.req.param('name'));
    await admin.removeKey(name);
    logger.info(`Key ${name} removed over HTTP`, { name });
    return context.json({ name, result: 'removed' });
  });
  api.post('/keys/:name/verify', async (context) => {
    const name = knownForm(context.req.param('name'));
    const verdict = await admin.verifyKey(name, context.req.raw.signal);
    logger.info(`Key ${name} verified over HTTP`, { name, verdict: verdict.verdict });
    return context.json({ name, ...verdict });
  });
  api.post('/environment', async (context) => {
    const { environment } = await input(context.env, CHOICE, '{environment}, a name or null');
    await admin.chooseEnvironment(environment);
    logger.warn('Environment chosen over HTTP', { environment });
    return context.json({ environment });
  });
}

export function createApi(options: ApiOptions): Hono<{ Bindings: HttpExchange }> {
  const api = new Hono<{ Bindings: HttpExchange }>();
  readRoutes(api, options);
  writeRoutes(api, options);
  api.onError((error, context) => {
    // What its client left behind has ended with that: no bug, and nobody reads the answer.
    if (isAbort(error) && context.req.raw.signal.aborted) return context.body(null, 400);
    const text = error instanceof ApiError ? error.message : presentError(error, options.logger);
    return context.json({ error: text }, statusOf(error));
  });
  return api;
}
