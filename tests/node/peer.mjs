// A party on loopback that answers as it is told, and counts who comes.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';

// `answer` gets the socket once a head has arrived. With `tls`, `{ key, cert }` and whatever else `node:tls` takes. It goes with
// the test `t`.
export async function peer(t, answer, tls) {
  const seen = { connections: 0, heads: [] };
  const sockets = new Set();
  const serve = (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (data) => {
      seen.heads.push(data.toString('latin1'));
      answer(socket, data);
    });
  };
  const server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  server.on('tlsClientError', () => {});
  server.on('connection', () => {
    seen.connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const close = async () => {
    sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => server.close(resolve));
  };
  t.after(close);
  return {
    seen,
    port,
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    close,
  };
}

export const write = (text) => (socket) => socket.write(text);

export const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

// A certificate that nobody has signed but its own key.
export function selfSigned(names = 'IP:127.0.0.1,DNS:localhost') {
  const folder = mkdtempSync(join(tmpdir(), 'keyless-node-'));
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-keyout', keyFile, '-out', certFile, '-subj', '/CN=peer', '-addext', `subjectAltName=${names}`],
    ],
    { stdio: 'ignore' },
  );
  return { keyFile, certFile, key: readFileSync(keyFile), cert: readFileSync(certFile) };
}
