// GitHub's client for the jobs of Actions: prints the identity token for the audience that is its one argument, JSON. Where
// to ask is in the environment, as the runner has it.

import process from 'node:process';

import { getIDToken } from '@actions/core';

console.log(await getIDToken(JSON.parse(process.argv[2])));
