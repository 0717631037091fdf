import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { temporaryFolder } from '../../lab/store.ts';
import { parseCommand } from '../../src/commands/command-line/parse.ts';
import { httpOptions } from '../../src/commands/http/http-server.ts';
import { command as serve } from '../../src/commands/serve.ts';
import { loadConfig } from '../../src/config.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DEPLOY = join(ROOT, 'deploy');
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
if (!hasPromtool) console.warn('promtool is missing (Debian package prometheus): config unchecked');

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');

const SERVICE = z.object({
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  secrets: z.array(z.string()).optional(),
  networks: z.array(z.string()),
  ports: z.array(z.string()).optional(),
  image: z.string(),
  depends_on: z.record(z.string(), z.unknown()).optional(),
});
const COMPOSE = z.object({
  services: z.record(z.string(), SERVICE),
  networks: z.record(z.string(), z.object({ internal: z.boolean().optional() })),
  volumes: z.record(z.string(), z.unknown()),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
});
const compose = COMPOSE.parse(parse(read(DEPLOY, 'compose.yaml'), { merge: true }));
const services = Object.entries(compose.services);
const replicas = services.filter(([name]) => name.startsWith('keypool-'));

describe('the compose file for a team', () => {
  it('has two replicas, a Redis, Prometheus and Grafana', () => {
    expect(Object.keys(compose.services)).toEqual([
      'keypool-1',
      'keypool-2',
      'redis',
      'prometheus',
      'grafana',
    ]);
  });

  it('names nothing that it does not have', () => {
    for (const [name, service] of services) {
      for (const secret of service.secrets ?? [])
        expect(compose.secrets, name).toHaveProperty(secret);
      for (const network of service.networks)
        expect(compose.networks, name).toHaveProperty(network);
      for (const each of Object.keys(service.depends_on ?? {})) {
        expect(compose.services, name).toHaveProperty(each);
      }
      for (const volume of service.volumes ?? []) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('.')) expect(existsSync(join(DEPLOY, source)), source).toBe(true);
        else expect(compose.volumes, name).toHaveProperty(source);
      }
      for (const [variable, value] of Object.entries(service.environment ?? {})) {
        const secret = /^\/run\/secrets\/(.+)$/.exec(value)?.[1];
        if (secret !== undefined) expect(service.secrets, variable).toContain(secret);
      }
    }
  });

  it('keeps the Redis to itself, and everything else on this machine', () => {
    expect(compose.networks.back?.internal).toBe(true);
    expect(compose.services.redis?.networks).toEqual(['back']);
    expect(compose.services.redis?.ports).toBeUndefined();
    for (const [, { ports = [] }] of services) {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    }
    expect(read(DEPLOY, 'compose.yaml')).not.toMatch(/[0-9a-f]{32}|sk-[A-Za-z0-9]/);
  });

  it.each(replicas)(
    '%s is started with settings and flags that the program takes',
    (name, service) => {
      const { environment = {}, command = [] } = service;
      const config = loadConfig({ home: temporaryFolder() }, environment);
      expect(config.sharing.redis?.address.nodes).toEqual([{ host: 'redis', port: 6379 }]);
      expect(config.sharing.redis?.passwordFile).toBe('/run/secrets/redis_password');
      expect(config.httpToken.file).toBe('/run/secrets/http_token');
      const [first, ...args] = command;
      expect(first).toBe('serve');
      const { values } = parseCommand(args, { name: 'serve', length: 0 }, serve);
      const input = { values, positionals: [], flags: {}, env: environment, commands: {} };
      const { allowedHosts, address } = httpOptions(input);
      expect(address).toBe('0.0.0.0');
      // As Prometheus calls it.
      expect(allowedHosts).toContain(name);
    },
  );

  it('scrapes every replica with the token, and knows the alert rules', ({ skip }) => {
    const prometheus = parse(read(DEPLOY, 'prometheus.yml'));
    const [job] = prometheus.scrape_configs;
    expect(job.static_configs[0].targets).toEqual(replicas.map(([name]) => `${name}:8787`));
    expect(job.authorization.credentials_file).toBe('/run/secrets/http_token');
    if (!hasPromtool) return skip('promtool is missing');
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'secrets'));
    writeFileSync(join(folder, 'secrets', 'http_token'), 'a-token-of-the-test');
    const here = read(DEPLOY, 'prometheus.yml')
      .replace('/etc/prometheus/alerts.yml', join(ROOT, 'docs/alerts.yml'))
      .replace('/run/secrets', join(folder, 'secrets'));
    writeFileSync(join(folder, 'prometheus.yml'), here);
    const checked = spawnSync('promtool', ['check', 'config', join(folder, 'prometheus.yml')]);
    expect(checked.status, String(checked.stderr) + String(checked.stdout)).toBe(0);
  });

  it('gives Grafana what it needs, under the names that its files use', () => {
    const source = parse(read(DEPLOY, 'grafana/datasource.yml')).datasources[0];
    expect(new URL(source.url).hostname in compose.services).toBe(true);
    const provider = parse(read(DEPLOY, 'grafana/dashboards.yml')).providers[0];
    const mounted = compose.services.grafana?.volumes?.some((volume) =>
      volume.includes(`:${provider.options.path}/`),
    );
    expect(mounted).toBe(true);
    expect(() => JSON.parse(read(ROOT, 'docs/grafana-dashboard.json'))).not.toThrow();
  });
});

describe('the Dockerfile', () => {
  const lines = read(ROOT, 'Dockerfile').replaceAll('\\\n', ' ').split('\n');
  const final = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const of = (word: string): string[] => final.filter((line) => line.startsWith(`${word} `));

  it('runs as somebody without rights, on a volume, with a health check', () => {
    expect(of('USER')).toEqual(['USER node']);
    expect(final.indexOf('USER node')).toBeLessThan(
      final.findIndex((l) => l.startsWith('ENTRYPOINT')),
    );
    expect(of('VOLUME')).toEqual(['VOLUME /data']);
    expect(of('ENV').join(' ')).toContain('KEYPOOL_HOME=/data');
    expect(of('HEALTHCHECK')[0]).toContain('/healthz');
    // A shell would swallow the signal that ends the server.
    expect(of('ENTRYPOINT')[0]).toBe('ENTRYPOINT ["node", "/app/dist/cli.js"]');
  });

  it('copies only what there is, and what .dockerignore lets through', () => {
    const allowed = read(ROOT, '.dockerignore')
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
    const copied = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(' ').slice(1, -1));
    expect(copied.length).toBeGreaterThan(3);
    for (const name of copied) {
      expect(existsSync(join(ROOT, name)), name).toBe(true);
      expect(allowed).toContain(name);
    }
  });

  it('holds no secret', () => {
    expect(read(ROOT, 'Dockerfile')).not.toMatch(/TOKEN|PASSWORD|API_KEY|MASTER/);
  });
});
