/** Whom `dashboard` tells the token, and what it leaves behind. */

import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { findLeaks, folderSinks } from '../../../lab/canary.ts';
import { startHttp } from '../../../lab/program/http-program.ts';
import { Program, run } from '../../../lab/program/program.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { fakeKey } from '../../../lab/store.ts';
import { until } from '../../../lab/until.ts';

let home: Home;
const secret = fakeKey();

beforeEach(async () => {
  home = await createHome({ keys: [{ name: 'DEEPSEEK_API_KEY', secret }] });
  // Once the servers of the test are gone: what was registered last goes first.
  onTestFinished(() => home.remove());
});

const record = (): string => join(home.folder, 'http-server.json');

/** Somebody else's program on the port, which says yes to everything. */
async function stranger(): Promise<{ url: string; port: number; seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    response.end('{"status":"ok"}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, port, seen };
}

describe('keypool-mcp dashboard', () => {
  it('tells a stranger nothing that has the port, and the pid, of a server that was killed', async () => {
    const http = await startHttp({ ...home.env, KEYPOOL_HTTP_TOKEN: '' });
    await until('the server has left its record', () => existsSync(record()));
    const before = JSON.parse(readFileSync(record(), 'utf8'));
    http.program.kill('SIGKILL');
    await http.program.exit;
    expect(existsSync(record())).toBe(true);
    const { url, seen } = await stranger();
    writeFileSync(record(), JSON.stringify({ ...before, url, pid: process.pid }));
    const program = new Program({ args: ['dashboard', '--no-open'], env: home.env });
    onTestFinished(() => program.kill('SIGKILL'));
    // It asks who is there, and then serves by itself, or says that the usual port is taken.
    await until('it has made up its mind', () => /this one serves|in use/.test(program.stderr));
    expect(seen).toHaveLength(1);
    expect(program.stdout).not.toContain(url);
    const token = readFileSync(join(home.folder, 'http-token'), 'utf8').trim();
    for (const request of seen) {
      const said = JSON.stringify([request.rawHeaders, request.url]);
      expect(said).not.toContain('authorization');
      expect(findLeaks([token, before.secret], [{ name: 'said', content: said }]).leaks).toEqual(
        [],
      );
    }
  });

  it('finds the server that runs', async () => {
    const env = { ...home.env, KEYPOOL_HTTP_TOKEN: '' };
    const http = await startHttp(env);
    const { code, stdout } = await run(['dashboard', '--no-open'], env);
    expect(code).toBe(0);
    expect(stdout).toContain(`${http.url}/dashboard#token=`);
  });

  it('leaves no file with the token, even when it is killed, and hands the browser no secret', async () => {
    const bin = join(home.tmp, 'xdg-open');
    const seen = join(home.tmp, 'environment');
    writeFileSync(bin, `#!/bin/sh\nenv > ${seen}.part && mv ${seen}.part ${seen}\n`, {
      mode: 0o755,
    });
    const env = {
      ...home.env,
      DISPLAY: ':0',
      XDG_RUNTIME_DIR: '/run/user/1',
      PATH: `${home.tmp}:${process.env.PATH ?? ''}`,
      DEEPSEEK_API_KEY_2: secret.split('').reverse().join(''),
      KEYPOOL_LOG_LEVEL: 'warn',
    };
    const program = new Program({ args: ['dashboard', '--port', '0'], env });
    onTestFinished(() => program.kill('SIGKILL'));
    await until('the browser was called', () => existsSync(seen));
    program.kill('SIGKILL');
    await program.exit;
    const got = readFileSync(seen, 'utf8');
    expect(got).toContain('XDG_RUNTIME_DIR=/run/user/1');
    expect(got).not.toMatch(/KEYPOOL|DEEPSEEK|MASTER/);
    const page = join(home.folder, 'dashboard.html');
    await until('the file is gone', () => !existsSync(page), 10_000);
    const token = readFileSync(join(home.folder, 'http-token'), 'utf8').trim();
    const files = [...folderSinks('home', home.folder), ...folderSinks('tmp', home.tmp)];
    const others = files.filter(({ name }) => name !== 'home/http-token');
    expect(findLeaks([token], others).leaks).toEqual([]);
  });
});
