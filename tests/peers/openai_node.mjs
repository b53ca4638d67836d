// OpenAI's client for Node: prints what it got. Told by one argument, JSON: which `provider` gives the identity token and
// with which `settings`; where the token `endpoint` is, if the token is to be traded; and which port on loopback stands
// `insteadOf` a "HOST:PORT".

import net from 'node:net';
import process from 'node:process';

import * as auth from 'openai/auth';
import { WorkloadIdentityAuth } from 'openai/auth/workload-identity-auth';

const { provider, settings, endpoint, insteadOf = {} } = JSON.parse(process.argv[2]);

// Only the connection goes elsewhere; the client notices nothing. Nothing beside loopback is reached.
const connect = net.connect;
net.connect = (options, ...rest) => {
  const { host, port } = options;
  const there = insteadOf[`${host}:${port}`];
  if (there === undefined && host !== '127.0.0.1') {
    throw new Error(`${host}:${port} is not to be reached from a test`);
  }
  return connect({ ...options, host: '127.0.0.1', port: there ?? port }, ...rest);
};

const subject = auth[provider](...settings);
if (endpoint === undefined) {
  console.log(await subject.getToken());
} else {
  const identity = { identityProviderId: 'idp_peer', serviceAccountId: 'svc_acct_peer', provider: subject };
  const exchange = new WorkloadIdentityAuth(identity);
  exchange.tokenExchangeUrl = endpoint;
  console.log(await exchange.getToken());
}
