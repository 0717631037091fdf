import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Server } from 'node:net';
import { promisify } from 'node:util';
import { brotliCompressSync, deflateSync, gzip, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readPieces, readText } from '../../../src/upstream/wire/body.ts';
import { fetchWith, GET, hello, listen, open } from '../local-servers.ts';
import { errorOf } from '../stage.ts';

describe('compressed answers', () => {
  const packers = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };

  it.each(Object.entries(packers))('%s is read, though nobody asked for it', async (name, pack) => {
    const server = createServer((_message, response) => {
      response.writeHead(200, { 'content-encoding': name }).end(pack('{"ä":1}'));
    });
    const response = await fetchWith({})(`http://127.0.0.1:${await listen(server)}/`, GET);
    expect(await readText(response, 10_000)).toBe('{"ä":1}');
  });

  it('one that breaks while nobody reads it ends nothing', async () => {
    const server = createServer((_message, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip at all');
    });
    const response = await fetchWith({})(`http://127.0.0.1:${await listen(server)}/`, GET);
    response.body.destroy();
    const other = await fetchWith({})(
      `http://127.0.0.1:${await listen(createServer(hello))}/`,
      GET,
    );
    expect(await readText(other, 10_000)).toContain('keypool-mcp');
  });
});

describe('bodies', () => {
  const MEGABYTE = Buffer.alloc(1024 * 1024, 'x');

  /** Writes as much as the connection takes, up to so many megabytes. */
  function floods(megabytes: number): { server: Server; answer: Promise<ServerResponse> } {
    let tell: (response: ServerResponse) => void = () => {};
    const answer = new Promise<ServerResponse>((resolve) => {
      tell = resolve;
    });
    const server = createServer((_message, response) => {
      for (let count = 0; count < megabytes; count++) response.write(MEGABYTE);
      response.end();
      tell(response);
    });
    return { server, answer };
  }

  it('one that nobody reads yet stays with its sender, and comes whole when it is read', async () => {
    const { server, answer } = floods(32);
    const response = await fetchWith({})(`http://127.0.0.1:${await listen(server)}/`, GET);
    const sender = await answer;
    // Other answers come and go meanwhile; this one does not move on.
    const other = `http://127.0.0.1:${await listen(createServer(hello))}/`;
    for (let call = 0; call < 20; call++) await readText(await fetchWith({})(other, GET), 1_000);
    expect(sender.writableFinished).toBe(false);
    expect(await readText(response, 64 * 1024 * 1024)).toHaveLength(32 * 1024 * 1024);
  });

  it('one over its limit is given up, and its endless sender sees the connection end', async () => {
    const server = createServer((_message, response) => {
      const more = (): void => {
        while (response.write(MEGABYTE));
      };
      response.on('drain', more);
      more();
    });
    const closed = once(server, 'request').then(([, sender]) => once(sender, 'close'));
    const response = await fetchWith({})(`http://127.0.0.1:${await listen(server)}/`, GET);
    const error = await errorOf(readText(response, 1_000_000));
    expect(error.cause).toMatchObject({ name: 'TooLargeError' });
    await closed;
  });

  it('one that grows over its limit only when it is unpacked is given up, too', async () => {
    const packed = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const server = createServer((_message, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed);
    });
    const response = await fetchWith({})(`http://127.0.0.1:${await listen(server)}/`, GET);
    const error = await errorOf(readText(response, 1_000_000));
    expect(error.cause).toMatchObject({ name: 'TooLargeError' });
  });

  it.each(['breaks', 'is destroyed'])(
    'nothing of one that %s is unpacked afterwards',
    async (how) => {
      // Little to send, much to unpack: it breaks while the decoder is at work.
      const packed = gzipSync(Buffer.alloc(64 * 1024 * 1024));
      const server = createServer((_message, response) => {
        response.writeHead(200, {
          'content-encoding': 'gzip',
          'content-length': packed.length + 1,
        });
        response.write(packed);
      });
      const response = await fetchWith({})(`http://127.0.0.1:${await listen(server)}/`, GET);
      let pieces = 0;
      const reading = readPieces(response.body, () => {
        pieces += 1;
        if (pieces > 1) return 'more';
        if (how === 'is destroyed') response.body.destroy();
        else for (const { sockets } of open) for (const socket of sockets) socket.destroy();
        return 'more';
      });
      expect((await errorOf(reading)).name).toBe('TransportError');
      const before = pieces;
      await promisify(gzip)(Buffer.alloc(64 * 1024 * 1024));
      expect(pieces).toBe(before);
      expect(response.body.destroyed).toBe(true);
    },
  );

  it('one that is destroyed or cancelled while it is read is a broken connection', async () => {
    const server = createServer((_message, response) => {
      response.write('the beginning, and then nothing');
    });
    const url = `http://127.0.0.1:${await listen(server)}/`;
    const controller = new AbortController();
    const cancelled = await fetchWith({})(url, { ...GET, signal: controller.signal });
    const reading = errorOf(readPieces(cancelled.body, () => 'more'));
    controller.abort();
    expect(await reading).toMatchObject({ name: 'TransportError', cause: { name: 'AbortError' } });
    const destroyed = await fetchWith({})(url, GET);
    const other = errorOf(readPieces(destroyed.body, () => 'more'));
    destroyed.body.destroy();
    expect((await other).name).toBe('TransportError');
    expect(destroyed.body.destroyed).toBe(true);
  });

  it('a request that is cancelled before it has a connection ends at once', async () => {
    // Takes the connection and never answers the handshake.
    const port = await listen(createTcpServer(() => {}));
    const controller = new AbortController();
    const fetch = fetchWith({});
    const init = { ...GET, signal: controller.signal };
    const waiting = errorOf(fetch(`https://127.0.0.1:${port}/`, init));
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    expect((await waiting).name).toBe('AbortError');
    expect((await errorOf(fetch(`https://127.0.0.1:${port}/`, init))).name).toBe('AbortError');
  });
});
