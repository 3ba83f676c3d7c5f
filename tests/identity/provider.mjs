// A certified OpenID provider for the tests: `node provider.mjs PORT ISSUER`, in the folder where it is installed. Its keys
// are new at each start. A client's headers say what the token that it asks for holds: x-claims (JSON, over the usual
// ones; null removes) and x-alg.
import crypto from 'node:crypto';
import {pathToFileURL} from 'node:url';

const {default: Provider} = await import(pathToFileURL('node_modules/oidc-provider/lib/index.js').href);
const [port, issuer] = process.argv.slice(2);
const made = [
  ['RS256', 'rsa', {modulusLength: 2048}],
  ['PS256', 'rsa', {modulusLength: 2048}],
  ['ES256', 'ec', {namedCurve: 'P-256'}],
  ['EdDSA', 'ed25519', {}],
].map(([alg, kind, options]) => ({alg, ...crypto.generateKeyPairSync(kind, options)}));
const keys = made.map(({alg, privateKey}) => ({...privateKey.export({format: 'jwk'}), alg, use: 'sig', kid: `${alg}-${crypto.randomUUID()}`}));

const provider = new Provider(issuer, {
  jwks: {keys},
  clients: [{client_id: 'app', client_secret: 'app-secret', grant_types: ['client_credentials'], redirect_uris: [], response_types: []}],
  enabledJWA: {idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA']},
  features: {
    devInteractions: {enabled: false},
    clientCredentials: {enabled: true},
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'https://weft.example.org',
      getResourceServerInfo: ctx => ({
        scope: 'data', audience: 'weft', accessTokenFormat: 'jwt', accessTokenTTL: 300,
        jwt: {sign: {alg: ctx.get('x-alg') || 'RS256'}},
      }),
    },
  },
  formats: {
    customizers: {
      jwt(ctx, token, parts) {
        for (const [name, value] of Object.entries(JSON.parse(ctx.get('x-claims') || '{}'))) {
          if (value === null) delete parts.payload[name];
          else parts.payload[name] = value;
        }
      },
    },
  },
});
provider.use(async (ctx, next) => {
  await next();
  console.log(JSON.stringify({path: ctx.path, status: ctx.status}));
});
provider.on('server_error', (ctx, error) => console.log(JSON.stringify({error: String(error.stack)})));
provider.listen(Number(port), '127.0.0.1', () =>
  console.log(JSON.stringify({ready: true, pem: made[0].publicKey.export({format: 'pem', type: 'spki'})})));
