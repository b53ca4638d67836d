// Loopback instead of the rest of the world, for the clients for Node: only the connection goes elsewhere, and they notice
// nothing.

import net from 'node:net';

// A party on loopback, known by its port, stands `insteadOf` a "HOST:PORT". Nothing beside loopback is reached by `fetch`.
export function redirect(insteadOf) {
  const connect = net.connect;
  net.connect = (options, ...rest) => {
    const { host, port } = options;
    const there = insteadOf[`${host}:${port}`];
    if (there === undefined && host !== '127.0.0.1') {
      throw new Error(`${host}:${port} is not to be reached from a test`);
    }
    return connect({ ...options, host: '127.0.0.1', port: there ?? port }, ...rest);
  };
}
