/** The token: from the link's fragment, out of the address bar, kept for this tab alone. */

const SLOT = 'keypool-token';

function readStorage(): string | null {
  try {
    return sessionStorage.getItem(SLOT);
  } catch {
    return null; // storage is switched off: the token lives as long as the page
  }
}

function writeStorage(token: string | null): void {
  try {
    if (token === null) sessionStorage.removeItem(SLOT);
    else sessionStorage.setItem(SLOT, token);
  } catch {
    // see readStorage
  }
}

let current: string | null = null;

export function keepToken(token: string | null): void {
  current = token;
  writeStorage(token);
}

/** Takes the token out of the address; a reload, a bookmark or a screenshot does not hold it. */
export function takeToken(): string | null {
  const found = new URLSearchParams(location.hash.slice(1)).get('token');
  if (found !== null) {
    history.replaceState(null, '', location.pathname);
    keepToken(found);
  }
  current ??= readStorage();
  return current;
}

/** The server's answer was no. */
export class RequestRefused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export class Unreachable extends Error {}

async function failureText(response: Response): Promise<string> {
  const fallback = `The server answered with ${response.status}.`;
  try {
    const body: unknown = await response.json();
    const isError = typeof body === 'object' && body !== null && 'error' in body;
    return isError && typeof body.error === 'string' ? body.error : fallback;
  } catch {
    return fallback;
  }
}

/**
 * One request to our own server.
 *
 * @throws RequestRefused, Unreachable
 */
export async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers = new Headers({ Authorization: `Bearer ${current ?? ''}` });
  if (body !== undefined) headers.set('Content-Type', 'application/json');
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      credentials: 'omit',
      redirect: 'error',
      signal: AbortSignal.timeout(30_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Unreachable('The server cannot be reached.');
  }
  if (!response.ok) throw new RequestRefused(response.status, await failureText(response));
  return response.json();
}
