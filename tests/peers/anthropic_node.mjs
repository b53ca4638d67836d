// Anthropic's client for Node: prints what it got for an identity token. Told by one argument, JSON: the `tokenFile`, the
// settings of the `exchange`, and the `baseURL` of the API.

import process from 'node:process';

import { identityTokenFromFile } from '@anthropic-ai/sdk/lib/credentials/identity-token';
import { oidcFederationProvider } from '@anthropic-ai/sdk/lib/credentials/oidc-federation';

import { redirect } from './loopback.mjs';

const { tokenFile, exchange, baseURL } = JSON.parse(process.argv[2]);
redirect({});

const provider = oidcFederationProvider({
  ...exchange,
  identityTokenProvider: identityTokenFromFile(tokenFile),
  baseURL,
  fetch,
});
console.log((await provider()).token);
