// OpenAI's client for Node: prints its first token. Told by two arguments: the identity token's file, and the endpoint.

import process from 'node:process';

import { k8sServiceAccountTokenProvider } from 'openai/auth';
import { WorkloadIdentityAuth } from 'openai/auth/workload-identity-auth';

const [file, endpoint] = process.argv.slice(2);
const provider = k8sServiceAccountTokenProvider(file);
const auth = new WorkloadIdentityAuth({ identityProviderId: 'idp_sandbox', serviceAccountId: 'svc_acct_sandbox', provider });
auth.tokenExchangeUrl = endpoint;
console.log(await auth.getToken());
