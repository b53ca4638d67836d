// OpenAI's client for Node: prints what it got. Told by one argument, JSON: which `provider` gives the identity token and
// with which `settings`; where the token `endpoint` is, if the token is to be traded; and `insteadOf`, for `loopback.mjs`.

import process from 'node:process';

import * as auth from 'openai/auth';
import { WorkloadIdentityAuth } from 'openai/auth/workload-identity-auth';

import { redirect } from './loopback.mjs';

const { provider, settings, endpoint, insteadOf } = JSON.parse(process.argv[2]);
redirect(insteadOf);

const subject = auth[provider](...settings);
if (endpoint === null) {
  console.log(await subject.getToken());
} else {
  const identity = { identityProviderId: 'idp_peer', serviceAccountId: 'svc_acct_peer', provider: subject };
  const exchange = new WorkloadIdentityAuth(identity);
  exchange.tokenExchangeUrl = endpoint;
  console.log(await exchange.getToken());
}
