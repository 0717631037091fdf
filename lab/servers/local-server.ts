/** Servers on a free port of loopback, with an end that waits for nobody. */

import { once } from 'node:events';
import type { Server, Socket } from 'node:net';

export interface LocalServer {
  readonly port: number;
  /** Cuts every connection. */
  close(): Promise<void>;
}

export async function listenOnLoopback(server: Server): Promise<LocalServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
