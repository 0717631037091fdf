/** The master key in the places where people keep such things, with stand-ins for their programs. */

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Program, run } from '../../../lab/program/program.ts';
import { RawClient } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { fakeKey, temporaryFolder } from '../../../lab/store.ts';
import { isAlive } from '../../../src/base/system/processes.ts';
import { generateMasterKey } from '../../../src/secrets/master-key.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

/** Each writes its arguments down, keeps what comes in by stdin, and gives it back. */
const STANDINS = {
  security: `case "$1" in
-i) read -r line; printf '%s\\n' "$line" | sed 's/.* -w //' > "$KEPT" ;;
find-generic-password) cat "$KEPT" ;;
*) exit 2 ;; esac`,
  'secret-tool': `case "$1" in store) cat > "$KEPT" ;; lookup) cat "$KEPT" ;; *) exit 2 ;; esac`,
  op: `case "$1" in
item) sed 's/.*"value":"\\([^"]*\\)".*/\\1/' > "$KEPT"; echo '{"id":"abc1","vault":{"id":"v1"}}' ;;
read) test "$2" = op://v1/abc1/password && cat "$KEPT" ;;
*) exit 2 ;; esac`,
  pass: `case "$1" in insert) cat > "$KEPT" ;; show) cat "$KEPT" ;; *) exit 2 ;; esac`,
} as const;

const VARIABLE = 'MASTER_ENCRYPTION_KEY_COMMAND';

let root: string;
let env: Record<string, string>;

beforeEach(() => {
  root = temporaryFolder();
  mkdirSync(join(root, 'bin'));
  env = {
    HOME: root,
    KEYPOOL_HOME: join(root, 'home'),
    PATH: `${join(root, 'bin')}:/usr/bin:/bin`,
    KEPT: join(root, 'kept'),
    SAID: join(root, 'argv'),
  };
});

function standIn(name: string, script: string): void {
  const path = join(root, 'bin', name);
  writeFileSync(path, `#!/bin/sh\nprintf '%s %s\\n' "$0" "$*" >> "$SAID"\n${script}\n`);
  chmodSync(path, 0o755);
}

const read = (name: string): string => readFileSync(join(root, name), 'utf8');
/** How often a stand-in was run. */
const runs = (): number => (existsSync(env.SAID ?? '') ? read('argv').split('\n').length - 1 : 0);
const settings = (): string => read('home/.env');

describe('init --master', () => {
  it.each([
    ['keychain', 'security'],
    ['secret-service', 'secret-tool'],
    ['op', 'op'],
    ['pass', 'pass'],
  ] as const)('keeps the key in %s, by %s', async (place, program) => {
    standIn(program, STANDINS[program]);
    const made = await run(['init', '--master', place], env);
    expect([made.code, made.stderr]).toEqual([0, expect.stringContaining('Next:')]);
    const master = read('kept').trim();
    expect(master).toMatch(/^kpm1_[\w-]{49}$/);
    expect(settings()).toMatch(new RegExp(`^${VARIABLE}=${program} .+\\n$`));
    for (const text of [settings(), read('argv'), made.stdout, made.stderr]) {
      expect(text).not.toContain(master.slice(5, 13));
    }
    const added = await run(['keys', 'add', 'DEEPSEEK_API_KEY'], env, { input: fakeKey() });
    expect(added.code).toBe(0);
    expect((await run(['keys', 'list'], env)).stdout).toContain('DEEPSEEK_API_KEY');
    expect((await run(['doctor'], env)).stdout).toContain(`generated, from ${VARIABLE} of`);
    const before = settings();
    const again = await run(['init', '--master', place], env);
    expect([again.code, settings(), read('kept').trim()]).toEqual([0, before, master]);
  });

  it.each([
    ['is not there', null, /pass was not found; nothing was changed/],
    ['fails', 'exit 4', /pass ended with exit code 4; nothing was changed/],
    [
      'gives something else back',
      'if [ "$1" = insert ]; then cat > "$KEPT"; else echo other; fi',
      /gave back something else/,
    ],
  ])('changes nothing where the program %s', async (_what, script, words) => {
    if (script !== null) standIn('pass', script);
    const { code, stderr } = await run(['init', '--master', 'pass'], env);
    expect([code, existsSync(join(root, 'home'))]).toEqual([3, false]);
    expect(stderr).toMatch(words);
  });

  it('moves no key that is configured already, and knows no other place', async () => {
    standIn('pass', STANDINS.pass);
    expect((await run(['init'], env)).code).toBe(0);
    const before = settings();
    const moved = await run(['init', '--master', 'pass'], env);
    expect([moved.code, settings(), runs()]).toEqual([2, before, 0]);
    expect(moved.stderr).toContain('configured already');
    const unknown = await run(['init', '--master', 'shoebox'], env);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('secret-service')]);
  });
});

describe('MASTER_ENCRYPTION_KEY_COMMAND', () => {
  const master = generateMasterKey();
  /** A store of that master key, and the stand-in `tool` that prints it. */
  async function prepare(script = 'cat "$KEPT"'): Promise<void> {
    expect((await run(['init'], { ...env, MASTER_ENCRYPTION_KEY: master })).code).toBe(0);
    writeFileSync(join(root, 'kept'), `${master}\r\n`);
    standIn('tool', script);
    writeFileSync(join(root, 'home/.env'), `${VARIABLE}=tool show 'two words'\n`, { mode: 0o600 });
  }

  it.each([
    ['nothing of that name', 'no-such-program', /was not found/],
    ['a failure', "sh -c 'exit 7'", /ended with exit code 7/],
    ['nothing printed', 'true', /printed nothing/],
    ['two lines', 'printf one\\ntwo', /more than one line/],
    ['an endless talker', 'yes', /too much/],
    ['an unclosed quote', "echo 'a", /quote that is not closed/],
    ['no program', "''", /names no program/],
    ['a relative path', './tool', /relative path/],
    ['the key itself', master, /is a master key/],
    ['another key', `echo ${generateMasterKey()}`, /master key/],
  ])('ends with 3 and two lines: %s', async (_what, line, words) => {
    await prepare();
    writeFileSync(join(root, 'home/.env'), '');
    const { code, stdout, stderr } = await run(['keys', 'list'], { ...env, [VARIABLE]: line });
    expect([code, stdout, stderr.trim().split('\n').length]).toEqual([3, '', 2]);
    expect(stderr).toMatch(words);
    expect(stderr).not.toContain(line);
  });

  it('is an error beside another master key', async () => {
    await prepare();
    const both = { ...env, MASTER_ENCRYPTION_KEY: master };
    const two = await run(['keys', 'list'], both);
    expect([two.code, runs()]).toEqual([3, 0]);
    expect(two.stderr).toContain('two master keys are configured');
    const three = await run(['keys', 'list'], { ...both, MASTER_ENCRYPTION_KEY_FILE: '/nowhere' });
    expect([three.code, three.stderr]).toEqual([3, expect.stringContaining('three master keys')]);
  });

  it('is run once by a command that asks often', async () => {
    await prepare();
    expect((await run(['keys', 'add', 'BYBIT_API_KEY'], env, { input: fakeKey() })).code).toBe(0);
    expect(runs()).toBe(1);
    expect(read('argv')).toMatch(/tool show two words\n$/);
    expect((await run(['doctor'], env)).stdout).toContain('keys: 1');
    expect(runs()).toBe(2);
  });

  it('does not rotate what it cannot write, and says how to', async () => {
    await prepare();
    const before = read('home/store.json');
    const { code, stderr } = await run(['keys', 'rotate-master'], env);
    expect([code, read('home/store.json')]).toEqual([2, before]);
    expect(stderr).toMatch(/nothing was changed[\s\S]+put the command back/);
    // The way that was told.
    writeFileSync(join(root, 'home/.env'), `MASTER_ENCRYPTION_KEY=${master}\n`, { mode: 0o600 });
    expect((await run(['keys', 'rotate-master'], env)).code).toBe(0);
    writeFileSync(join(root, 'kept'), settings().replace('MASTER_ENCRYPTION_KEY=', ''));
    writeFileSync(join(root, 'home/.env'), `${VARIABLE}=tool\n`, { mode: 0o600 });
    expect((await run(['keys', 'list'], env)).code).toBe(0);
  });
});

describe('a server whose master key comes from a command', () => {
  let simulator: Simulator;
  let home: Home;

  beforeEach(async () => {
    simulator = await startSimulator();
    onTestFinished(() => simulator.close());
    const secret = fakeKey();
    simulator.addKey(secret, { provider: 'deepseek', ttftMs: 5 });
    home = await createHome({ simulator, keys: [{ name: 'DEEPSEEK_API_KEY', secret }] });
    onTestFinished(() => home.remove());
    const path = join(home.folder, '.env');
    const text = readFileSync(path, 'utf8');
    writeFileSync(join(root, 'kept'), text.replace('MASTER_ENCRYPTION_KEY=', ''));
    writeFileSync(path, `${VARIABLE}=tool\n`, { mode: 0o600 });
    env = { ...env, ...home.env };
  });

  const asks = { prompt: 'hello' };

  it('runs it after the handshake, once, and serves', async () => {
    standIn('tool', 'cat "$KEPT"');
    const client = new RawClient(env);
    onTestFinished(() => client.program.kill('SIGKILL'));
    await vi.waitFor(() => expect(client.program.stderr).toContain('serves on stdio'), 20_000);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(runs()).toBe(0);
    await client.initialize();
    for (let call = 0; call < 3; call++) {
      const answer = await client.callTool('deepseek_generate_code', asks);
      expect(answer.result?.isError ?? false).toBe(false);
    }
    expect(runs()).toBe(1);
    await client.close();
    expect(client.program.stderr).not.toContain(read('kept').trim().slice(5, 13));
  });

  it('starts without what it prints, lists its tools, and says why', async () => {
    standIn('tool', 'exit 9');
    const client = new RawClient(env);
    onTestFinished(() => client.program.kill('SIGKILL'));
    await client.initialize();
    const answer = await client.callTool('deepseek_generate_code', asks);
    expect(answer.result?.isError).toBe(true);
    const said = JSON.stringify(answer.result);
    expect(said).toContain('ended with exit code 9');
    await client.close();
  });

  it('leaves with its client while the command still waits, and takes it along', async () => {
    standIn('tool', `echo $$ > "$KEPT.pid"\nexec sleep 100`);
    const client = new RawClient(env);
    onTestFinished(() => client.program.kill('SIGKILL'));
    await client.initialize();
    void client.callTool('deepseek_generate_code', asks).catch(() => {});
    await vi.waitFor(() => expect(read('kept.pid')).toMatch(/\d\n/), 20_000);
    client.program.end();
    expect((await client.program.exit).code).toBe(0);
    await vi.waitFor(() => expect(isAlive(Number(read('kept.pid')))).toBe(false), 20_000);
  });
});

describe('the HTTP server', () => {
  it('starts with a command that fails, and says so', async () => {
    standIn('tool', 'exit 9');
    mkdirSync(join(root, 'home'), { mode: 0o700 });
    expect((await run(['init'], { ...env, MASTER_ENCRYPTION_KEY: generateMasterKey() })).code).toBe(
      0,
    );
    const args = ['serve', '--http', '--port', '0'];
    const program = new Program({ args, env: { ...env, [VARIABLE]: 'tool' } });
    onTestFinished(() => program.kill('SIGKILL'));
    await vi.waitFor(() => expect(program.stderr).toContain('ended with exit code 9'), 20_000);
    expect(program.stderr).toContain('"url":"http://127.0.0.1');
  });
});
