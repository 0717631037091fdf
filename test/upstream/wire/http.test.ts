import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { readText } from '../../../src/upstream/wire/body.ts';
import { pinTo } from '../../../src/upstream/wire/http.ts';
import { fetchWith, GET, hello, listen } from '../local-servers.ts';
import { errorOf } from '../stage.ts';

describe('connections', () => {
  it('are reused', async () => {
    let connections = 0;
    const server = createServer(hello);
    server.on('connection', () => {
      connections += 1;
    });
    const url = `http://127.0.0.1:${await listen(server)}/`;
    const fetch = fetchWith({});
    for (let call = 0; call < 5; call++) await readText(await fetch(url, GET), 10_000);
    // The first may not be free again at the very moment its answer is complete.
    expect(connections).toBeLessThanOrEqual(2);
  });

  it('redirects are handed over as answers, never followed', async () => {
    let trapped = 0;
    const trap = await listen(
      createServer((_request, response) => {
        trapped += 1;
        response.end();
      }),
    );
    const redirecting = createServer((_request, response) => {
      response.writeHead(307, { location: `http://127.0.0.1:${trap}/` }).end();
    });
    const response = await fetchWith({})(`http://127.0.0.1:${await listen(redirecting)}/`, GET);
    expect(response.status).toBe(307);
    await readText(response, 10_000);
    expect(trapped).toBe(0);
  });

  it('go to the pinned origin only', async () => {
    const target = await listen(createServer(hello));
    const pinned = pinTo(`http://127.0.0.1:${target}/base`, fetchWith({}));
    expect((await pinned(`http://127.0.0.1:${target}/base/x`, GET)).status).toBe(200);
    for (const url of [
      'https://api.deepseek.com/chat/completions',
      `http://localhost:${target}/base/x`,
      `http://127.0.0.1:${target}@evil.example/`,
    ]) {
      expect((await errorOf(pinned(url, GET))).name).toBe('ForeignHostError');
    }
  });
});
